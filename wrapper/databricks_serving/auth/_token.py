"""A token, and how long it may be used."""

import math
from collections.abc import Mapping
from typing import Any, Final

from databricks_serving._core.config import token_fault
from databricks_serving._core.secret import Hidden, Secret
from databricks_serving._core.settings import check_headers
from databricks_serving.errors import InvalidRequestError, TokenError

# For a token whose life nobody tells, and the longest that any is used without asking anew.
_UNTOLD: Final = 60.0
_LONGEST: Final = 3600.0


class Token:
    """An access token, as a function that fetches one may return it.

    Args:
        value: The token alone, without `Bearer`.
        expires_in: Seconds that it can be used from now on; None means that it is not known, and a
            new one is asked for after a minute. `math.inf` is for one that does not expire.
        headers: Other headers to send with it.

    Attributes:
        expires_in: As it was given.
    """

    __slots__ = ("_headers", "_value", "expires_in")

    def __init__(
        self,
        value: str,
        expires_in: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._value = Secret(value)
        self._headers: Hidden[Mapping[str, str]] = Hidden(dict(headers or {}))
        self.expires_in: float | None = expires_in

    @property
    def value(self) -> str:
        """The token itself."""
        return self._value.reveal()

    @property
    def headers(self) -> Mapping[str, str]:
        """Other headers to send with it."""
        return self._headers.reveal()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***, expires_in={self.expires_in!r})"


def checked(token: Token, source: str) -> Token:
    """Return a token that can be sent.

    Raises:
        TokenError: When it cannot; the message names the source and not the token.
    """
    fault = token_fault(token.value)
    if fault is not None:
        raise TokenError(f"{source} gave a token that {fault}", source=source)
    try:
        headers = check_headers(f"{source}: the headers beside a token", token.headers)
    except InvalidRequestError as error:
        raise TokenError(str(error), source=source) from None
    endless = token.expires_in == math.inf
    life = math.inf if endless else lifetime(token.expires_in)
    return Token(token.value.strip(), life, headers)


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
    return min(seconds, _LONGEST)
