"""The asynchronous client."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._async.credentials import AsyncCredentials
from databricks_serving._async.resources.agents import AsyncAgents
from databricks_serving._async.resources.auth import AsyncAuth
from databricks_serving._async.resources.binding import AsyncBindingEndpoints
from databricks_serving._async.resources.chat import AsyncChat
from databricks_serving._async.resources.completions import AsyncCompletions
from databricks_serving._async.resources.embeddings import AsyncEmbeddings
from databricks_serving._async.resources.endpoints import AsyncEndpoints
from databricks_serving._async.resources.predictions import AsyncPredicting
from databricks_serving._async.resources.responses import AsyncResponses
from databricks_serving._core.arguments import public_method
from databricks_serving._core.call import Shared
from databricks_serving._core.secret import Secret
from databricks_serving._core.settings import (
    check_network,
    resolve_settings,
)
from databricks_serving._http.async_sender import AsyncSender
from databricks_serving._http.connections import connections_of
from databricks_serving._shell.client import BaseClient
from databricks_serving.auth._access import Access, Given
from databricks_serving.auth._given import AuthLike, HasConfig, source_of
from databricks_serving.auth._values import variable
from databricks_serving.options import ClientOptions, Limits

if TYPE_CHECKING:
    import ssl

    import httpx


class AsyncServingClient(AsyncPredicting, AsyncBindingEndpoints, BaseClient[AsyncCaller]):
    """The asynchronous twin of `ServingClient`: the same methods, awaited.

    Takes what `ServingClient` takes, with an asynchronous httpx transport. One client serves many
    tasks, under asyncio and trio, and event loops one after the other or side by side.
    """

    @public_method(ClientOptions)
    def __init__(
        self,
        host: str | None = None,
        token: str | None = None,
        *,
        auth: AuthLike | None = None,
        profile: str | None = None,
        auth_type: str | None = None,
        limits: Limits | None = None,
        transport: "httpx.AsyncBaseTransport | None" = None,
        ssl_context: "ssl.SSLContext | None" = None,
        proxy: str | None = None,
        log_bodies: bool = False,
        **options: Unpack[ClientOptions],
    ) -> None:
        # A traceback that shows local variables must not show the token.
        secret, token = Secret.of(token), None
        secret_proxy, proxy = Secret.of(proxy), None
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
        self.agents: AsyncAgents = AsyncAgents(caller)
        self.auth: AsyncAuth = AsyncAuth(caller)
        self.chat: AsyncChat = AsyncChat(caller)
        self.completions: AsyncCompletions = AsyncCompletions(caller)
        self.embeddings: AsyncEmbeddings = AsyncEmbeddings(caller)
        self.endpoints: AsyncEndpoints = AsyncEndpoints(caller)
        self.responses: AsyncResponses = AsyncResponses(caller)

    @classmethod
    def from_workspace_client(cls, workspace_client: "HasConfig", **options: Any) -> Self:
        """Return a client of the workspace that a client of databricks-sdk is for, logged in alike.

        Args:
            workspace_client: A `WorkspaceClient` of databricks-sdk.
            **options: As for the client.
        """
        return cls(auth=workspace_client, **options)

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
