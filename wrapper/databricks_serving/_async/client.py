"""The asynchronous client."""

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._async.credentials import AsyncCredentials
from databricks_serving._async.resources import (
    AsyncAuth,
    AsyncChat,
    AsyncCompletions,
    AsyncEmbeddings,
)
from databricks_serving._core.boundary import forgetful
from databricks_serving._core.call import Shared
from databricks_serving._core.client_base import ClientBase
from databricks_serving._core.secret import Secret
from databricks_serving._core.settings import (
    Options,
    changed_settings,
    check_network,
    resolve_settings,
)
from databricks_serving._http import AsyncSender, connections_of
from databricks_serving.auth._access import Access, Given
from databricks_serving.auth._given import AuthLike, HasConfig, source_of
from databricks_serving.auth._route import route_of
from databricks_serving.auth._values import variable
from databricks_serving.options import Limits, RetryPolicy, Timeouts

if TYPE_CHECKING:
    import ssl

    import httpx


class AsyncServingClient(ClientBase[AsyncCaller]):
    """The asynchronous twin of `ServingClient`: the same methods, awaited.

    Takes what `ServingClient` takes, with an asynchronous httpx transport. One client serves many
    tasks, under asyncio and trio, and event loops one after the other or side by side.
    """

    @forgetful
    def __init__(
        self,
        host: str | None = None,
        token: str | None = None,
        *,
        auth: AuthLike | None = None,
        profile: str | None = None,
        auth_type: str | None = None,
        timeout: float | Timeouts | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
        retry: RetryPolicy | None = None,
        idempotent: bool | None = None,
        limits: Limits | None = None,
        transport: "httpx.AsyncBaseTransport | None" = None,
        ssl_context: "ssl.SSLContext | None" = None,
        proxy: str | None = None,
        default_headers: Mapping[str, str] | None = None,
        log_bodies: bool = False,
    ) -> None:
        # A traceback that shows local variables must not show the token.
        secret, token = Secret.of(token), None
        secret_proxy, proxy = Secret.of(proxy), None
        options = Options(
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
            retry=retry,
            idempotent=idempotent,
            default_headers=default_headers,
        )
        source = None if auth is None else source_of(auth)
        given = Given(host, secret, source, profile, auth_type, variable)
        settings = resolve_settings(options, limits, log_bodies=log_bodies)
        check_network(transport, ssl_context, secret_proxy)
        access = Access(given)
        connections = connections_of(access.host, settings.limits, ssl_context, secret_proxy)
        sender = AsyncSender(transport, connections)
        caller = AsyncCaller(settings, sender, AsyncCredentials.of(access, sender), Shared())
        self._set_up(caller, owner=True)

    def _set_up(self, caller: AsyncCaller, *, owner: bool) -> None:
        self._caller = caller
        self._owner = owner
        self.auth: AsyncAuth = AsyncAuth(caller)
        self.chat: AsyncChat = AsyncChat(caller)
        self.completions: AsyncCompletions = AsyncCompletions(caller)
        self.embeddings: AsyncEmbeddings = AsyncEmbeddings(caller)

    @classmethod
    def from_workspace_client(cls, workspace_client: "HasConfig", **options: Any) -> Self:
        """Return a client of the workspace that a client of databricks-sdk is for, logged in alike.

        Args:
            workspace_client: A `WorkspaceClient` of databricks-sdk.
            **options: As for the client.
        """
        return cls(auth=workspace_client, **options)

    @forgetful
    def route_optimized(
        self, endpoint: str, *, url: str | None = None, endpoint_id: str | None = None
    ) -> Self:
        """Return a client for one route-optimised endpoint, at its own address with tokens for it.

        It shares this one's connections and login, which must be by OAuth. Address and id are read
        from the description of the endpoint at the first call, unless they are given.

        Args:
            endpoint: Its name, as `model=` takes it.
            url: Its own address, as its page shows it.
            endpoint_id: Its id, as its description shows it.

        Raises:
            ConfigError: When only one of both is given, or the address is not https.
        """
        route = route_of(endpoint, url, endpoint_id)
        access = self._caller.credentials.access.with_route(route)
        copy = object.__new__(type(self))
        copy._set_up(self._caller.with_settings(self._caller.settings, access), owner=False)
        return copy

    @forgetful
    def with_options(
        self,
        *,
        auth: AuthLike | None = None,
        timeout: float | Timeouts | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
        retry: RetryPolicy | None = None,
        idempotent: bool | None = None,
        default_headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Return a client with other options that shares this one's connections.

        Closing the copy closes nothing; closing this client closes the connections of both.

        Args:
            auth: As for the client.
            timeout: As for the client. None keeps it, and so do all options here; of `Timeouts`
                and `RetryPolicy` the fields that are given change.
            deadline: As for the client.
            max_retries: As for the client.
            retry: As for the client.
            idempotent: As for the client.
            default_headers: Headers added to those of the client.
        """
        options = Options(
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
            retry=retry,
            idempotent=idempotent,
            default_headers=default_headers,
        )
        copy = object.__new__(type(self))
        settings = changed_settings(self._caller.settings, options)
        access = None
        if auth is not None:
            access = self._caller.credentials.access.with_source(source_of(auth))
        copy._set_up(self._caller.with_settings(settings, access), owner=False)
        return copy

    async def close(self) -> None:
        """Close all connections, unless this is a copy; later calls raise ClientClosedError."""
        if self._owner:
            await self._caller.sender.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
