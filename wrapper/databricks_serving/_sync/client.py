"""The blocking client."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from databricks_serving._core.arguments import public_method
from databricks_serving._core.call import Shared
from databricks_serving._core.secret import Secret
from databricks_serving._core.settings import (
    check_network,
    resolve_settings,
)
from databricks_serving._http.connections import connections_of
from databricks_serving._http.sender import Sender
from databricks_serving._shell.client import BaseClient
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.credentials import Credentials
from databricks_serving._sync.resources.agents import Agents
from databricks_serving._sync.resources.auth import Auth
from databricks_serving._sync.resources.binding import BindingEndpoints
from databricks_serving._sync.resources.chat import Chat
from databricks_serving._sync.resources.completions import Completions
from databricks_serving._sync.resources.embeddings import Embeddings
from databricks_serving._sync.resources.endpoints import Endpoints
from databricks_serving._sync.resources.predictions import Predicting
from databricks_serving._sync.resources.responses import Responses
from databricks_serving.auth._access import Access, Given
from databricks_serving.auth._given import AuthLike, HasConfig, source_of
from databricks_serving.auth._values import variable
from databricks_serving.options import ClientOptions, Limits

if TYPE_CHECKING:
    import ssl

    import httpx


class ServingClient(Predicting, BindingEndpoints, BaseClient[Caller]):
    """A client of the model-serving endpoints of one workspace.

    Nothing is read or opened until the first call. A call is tried again, at most twice and with
    growing waits, where the server provably did not run the model (the request was not sent, or
    was refused with 408, 409, 425, 429, 503 or 529; `Retry-After` is honoured up to two minutes),
    and once where it may have run it (a broken connection, 500, 502, 504). Changes to these waits
    are not breaking changes. One client serves many threads, and its forked children.

    Args:
        host: Address of the workspace; else the environment variable `DATABRICKS_HOST`.
        token: A personal access token or OAuth access token; else `DATABRICKS_TOKEN`.
        auth: Another source of tokens: one of `databricks_serving.auth`; a function, async or not,
            that returns a token as text or as `databricks_serving.auth.Token`; a `Config` or
            `WorkspaceClient` of databricks-sdk; an `httpx.Auth` that sets headers.
        profile: Name of a profile in `~/.databrickscfg`; else `DATABRICKS_CONFIG_PROFILE`. Where
            nothing else is given, the default profile is used.
        auth_type: The one way to log in to use, such as `oauth-m2m`; else `DATABRICKS_AUTH_TYPE`.
        limits: How much to keep open, to send and to take in.
        transport: Any blocking httpx transport, instead of the default one.
        ssl_context: For the default transport, instead of one that trusts what the system trusts
            (or `SSL_CERT_FILE` and `SSL_CERT_DIR`); it may hold a client certificate.
        proxy: URL of a proxy for the default transport; else `HTTPS_PROXY` or `ALL_PROXY`, but
            for hosts in `NO_PROXY`. This machine is never asked through a proxy.
        log_bodies: Log requests and whole answers as well, at level DEBUG and shortened. They
            hold what users wrote.
        **options: The options that `with_options` takes as well, documented on `ClientOptions`.

    Raises:
        ConfigError: When host, token or options cannot work.
        InvalidRequestError: When a default header cannot be sent.
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
        transport: "httpx.BaseTransport | None" = None,
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
        sender = Sender(transport, connections)
        caller = Caller(settings, sender, Credentials.of(access, sender), Shared())
        self._set_up(caller, owner=True)

    def _set_up(self, caller: Caller, *, owner: bool) -> None:
        self._caller = caller
        self._owner = owner
        self.agents: Agents = Agents(caller)
        self.auth: Auth = Auth(caller)
        self.chat: Chat = Chat(caller)
        self.completions: Completions = Completions(caller)
        self.embeddings: Embeddings = Embeddings(caller)
        self.endpoints: Endpoints = Endpoints(caller)
        self.responses: Responses = Responses(caller)

    @classmethod
    def from_workspace_client(cls, workspace_client: "HasConfig", **options: Any) -> Self:
        """Return a client of the workspace that a client of databricks-sdk is for, logged in alike.

        Args:
            workspace_client: A `WorkspaceClient` of databricks-sdk.
            **options: As for the client.
        """
        return cls(auth=workspace_client, **options)

    def close(self) -> None:
        """Close all connections, unless this is a copy; later calls raise ClientClosedError."""
        if self._owner:
            self._caller.sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
