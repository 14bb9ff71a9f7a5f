"""What `auth=` takes, as a source of tokens."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from databricks_serving.auth._callback import Callback
from databricks_serving.auth._source import Source
from databricks_serving.auth._token import Token
from databricks_serving.errors import ConfigError

TokenLike: TypeAlias = str | Token
AuthLike: TypeAlias = Source | Callable[[], TokenLike] | Callable[[], Awaitable[TokenLike]]


def source_of(auth: object) -> Source:
    """Return the source of tokens that a user gave as `auth`.

    Raises:
        ConfigError: When it cannot be one.
    """
    if isinstance(auth, Source):
        return auth
    if isinstance(auth, type) or not callable(auth):
        kind = auth.__name__ if isinstance(auth, type) else type(auth).__name__
        raise ConfigError(f"auth must be a source of tokens or a function, not {kind}")
    return Callback(auth)
