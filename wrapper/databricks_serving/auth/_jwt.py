"""What a signed token says of itself, read and not verified."""

import base64
import binascii
from typing import Any, Final

from databricks_serving._core.config import token_fault
from databricks_serving.auth._calendar import seconds_until
from databricks_serving.auth._json import object_in
from databricks_serving.errors import TokenError

_PARTS: Final = 3
# Services allow for clocks that differ a little.
_LEEWAY: Final = 60.0


def claims(token: str) -> dict[str, Any]:
    """Return the claims of a token; none where it is of another kind."""
    parts = token.split(".")
    if len(parts) != _PARTS:
        return {}
    text = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        return object_in(base64.b64decode(text, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return {}


def checked_subject(token: object, source: str, remedy: str) -> str:
    """Return a token of another issuer that can be exchanged.

    Args:
        token: The token, perhaps with spaces around it.
        source: Who needs it.
        remedy: What to do where it cannot be used.

    Raises:
        TokenError: When it cannot; the message does not show it.
    """
    text = token.strip() if isinstance(token, str) else token
    fault, left = token_fault(text), None
    if fault is None:
        left = seconds_until(claims(str(text)).get("exp"))
        if left is None or left > -_LEEWAY:
            return str(text)
        fault = f"expired {-left:.0f} s ago by this machine's clock"
    raise TokenError(
        f"{source}: the token to be exchanged {fault}: {remedy}",
        source=source,
        transient=left is not None,
    )
