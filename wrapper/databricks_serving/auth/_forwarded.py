"""Tokens of the people who use a Databricks App.

fact: the proxy before an app adds the token of whoever uses it as the header
x-forwarded-access-token, where user authorisation is switched on for the app.
"""

from collections.abc import Iterable
from typing import Any, Final, Protocol, TypeAlias

from databricks_serving._core.boundary import forgetful
from databricks_serving.auth._static import AccessToken
from databricks_serving.errors import ConfigError

_HEADER: Final = "x-forwarded-access-token"


class HasItems(Protocol):
    """Headers, as most frameworks give them."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return names and values."""
        ...


Pairs: TypeAlias = Iterable[tuple[str | bytes, str | bytes]]


@forgetful
def forwarded_token(headers: HasItems | Pairs) -> AccessToken:
    """Return the token of the person whose request a Databricks App answers.

    `client.with_options(auth=forwarded_token(request.headers))` calls endpoints as that person, and
    shares the client's connections.

    Args:
        headers: Headers of the request, whatever their case: a mapping, or pairs as ASGI has them.

    Raises:
        ConfigError: When there is no token among them, or one that cannot be sent.
    """
    for name, value in _pairs_of(headers):
        if _text(name).lower() == _HEADER:
            return AccessToken(_text(value))
    raise ConfigError(
        f"the request has no header {_HEADER}: only Databricks Apps send it, "
        "and only where user authorisation is switched on for the app"
    )


def _pairs_of(headers: Any) -> Iterable[tuple[str | bytes, str | bytes]]:
    pairs = headers.items() if hasattr(headers, "items") else headers
    try:
        return [(name, value) for name, value in pairs]
    except (TypeError, ValueError):
        raise ConfigError(
            f"headers must be a mapping or pairs, not {type(headers).__name__}"
        ) from None


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
