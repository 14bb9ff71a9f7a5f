"""What `auth=` takes, as a source of tokens."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias

from databricks_serving.auth._borrowed import (
    HttpxAuth,
    SdkConfig,
    is_httpx_auth,
    is_sdk_config,
)
from databricks_serving.auth._callback import Callback
from databricks_serving.auth._source import Source
from databricks_serving.auth._token import Token
from databricks_serving.errors import ConfigError

TokenLike: TypeAlias = str | Token


class HasAuthenticate(Protocol):
    """A `Config` of databricks-sdk."""

    def authenticate(self) -> dict[str, str]:
        """Return headers."""
        ...


class HasConfig(Protocol):
    """A `WorkspaceClient` of databricks-sdk."""

    @property
    def config(self) -> HasAuthenticate:
        """Its configuration."""
        ...


class HasFlow(Protocol):
    """An `Auth` of httpx."""

    def sync_auth_flow(self, request: Any, /) -> Any:
        """Sign a request."""
        ...


AuthLike: TypeAlias = (
    Source
    | Callable[[], TokenLike]
    | Callable[[], Awaitable[TokenLike]]
    | HasAuthenticate
    | HasConfig
    | HasFlow
)


def source_of(auth: object) -> Source:
    """Return the source of tokens that a user gave as `auth`.

    Raises:
        ConfigError: When it cannot be one.
    """
    if isinstance(auth, Source):
        return auth
    if is_sdk_config(getattr(auth, "config", auth)):
        return SdkConfig(auth)
    if is_httpx_auth(auth):
        return HttpxAuth(auth)
    if isinstance(auth, type) or not callable(auth):
        kind = f"the class {auth.__name__}" if isinstance(auth, type) else type(auth).__name__
        raise ConfigError(f"auth must be a source of tokens or a function, not {kind}")
    return Callback(auth)
