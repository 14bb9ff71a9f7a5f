"""Tokens of the people who use a Databricks App.

fact: the proxy before an app adds the token of whoever uses it as the header
x-forwarded-access-token, where user authorisation is switched on for the app.
"""

from collections.abc import Iterable
from typing import Final, Protocol

from databricks_serving._core.boundary import forgetful
from databricks_serving.auth._static import AccessToken
from databricks_serving.errors import ConfigError

_HEADER: Final = "x-forwarded-access-token"


class HasItems(Protocol):
    """Headers, as any framework gives them."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return names and values."""
        ...


@forgetful
def forwarded_token(headers: HasItems) -> AccessToken:
    """Return the token of the person whose request a Databricks App answers.

    `client.with_options(auth=forwarded_token(request.headers))` calls endpoints as that person, and
    shares the client's connections.

    Args:
        headers: Headers of the request, whatever their case.

    Raises:
        ConfigError: When there is no token among them, or one that cannot be sent.
    """
    for name, value in headers.items():
        if name.lower() == _HEADER:
            return AccessToken(value)
    raise ConfigError(
        f"the request has no header {_HEADER}: only Databricks Apps send it, "
        "and only where user authorisation is switched on for the app"
    )
