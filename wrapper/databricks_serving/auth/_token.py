"""A token, and how long it may be used."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from databricks_serving._core.config import token_fault
from databricks_serving.errors import TokenError

# For a token whose life nobody tells, and the longest that any is used without asking anew.
_UNTOLD: Final = 60.0
_LONGEST: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, as a function that fetches one may return it.

    Args:
        value: The token alone, without `Bearer`.
        expires_in: Seconds that it can be used from now on; None means that it is not known, and a
            new one is asked for after a minute. `math.inf` is for one that does not expire.
        headers: Other headers to send with it.
    """

    value: str = field(repr=False)
    expires_in: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


def checked(token: Token, source: str) -> Token:
    """Return a token that can be sent.

    Raises:
        TokenError: When it cannot; the message names the source and not the token.
    """
    fault = token_fault(token.value)
    if fault is not None:
        raise TokenError(f"{source} gave a token that {fault}", source=source)
    return Token(token.value.strip(), lifetime(token.expires_in), token.headers)


def lifetime(told: Any) -> float:
    """Return for how many seconds a token can be used, of which a server told this.

    A number that makes no sense counts as none; 0 is for one use.
    """
    try:
        seconds = float(told)
    except (TypeError, ValueError, OverflowError):
        return _UNTOLD
    if isinstance(told, bool) or math.isnan(seconds) or seconds < 0:
        return _UNTOLD
    return seconds if math.isinf(seconds) and told is math.inf else min(seconds, _LONGEST)
