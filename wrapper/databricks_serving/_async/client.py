"""The asynchronous client."""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._async.resources import AsyncChat, AsyncCompletions, AsyncEmbeddings
from databricks_serving._core.secret import Secret
from databricks_serving._core.settings import changed_settings, resolve_settings
from databricks_serving._http import AsyncSender
from databricks_serving.options import Timeouts

if TYPE_CHECKING:
    import httpx


class AsyncServingClient:
    """The asynchronous twin of `ServingClient`: the same methods, awaited.

    Takes what `ServingClient` takes, with an asynchronous httpx transport.
    """

    def __init__(
        self,
        host: str | None = None,
        token: str | None = None,
        *,
        timeout: float | Timeouts | None = None,
        max_retries: int = 2,
        transport: "httpx.AsyncBaseTransport | None" = None,
        default_headers: Mapping[str, str] | None = None,
    ) -> None:
        # A traceback that shows local variables must not show the token.
        secret, token = Secret.of(token), None
        settings = resolve_settings(host, secret, os.getenv, timeout, max_retries, default_headers)
        self._set_up(AsyncCaller(settings, AsyncSender(transport)), owner=True)

    def _set_up(self, caller: AsyncCaller, *, owner: bool) -> None:
        self._caller = caller
        self._owner = owner
        self.chat: AsyncChat = AsyncChat(caller)
        self.completions: AsyncCompletions = AsyncCompletions(caller)
        self.embeddings: AsyncEmbeddings = AsyncEmbeddings(caller)

    def __repr__(self) -> str:
        # A traceback that shows local variables may ask a client that is not made yet.
        caller: AsyncCaller | None = getattr(self, "_caller", None)
        host = caller.settings.credentials.host if caller else ""
        return f"{type(self).__name__}(host={host!r})"

    def with_options(
        self,
        *,
        timeout: float | Timeouts | None = None,
        max_retries: int | None = None,
        default_headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Return a client with other options that shares this one's connections.

        Closing the copy closes nothing; closing this client closes the connections of both.

        Args:
            timeout: As for the client; None keeps it.
            max_retries: As for the client; None keeps it.
            default_headers: Headers added to those of the client.
        """
        copy = object.__new__(type(self))
        settings = changed_settings(self._caller.settings, timeout, max_retries, default_headers)
        copy._set_up(self._caller.with_settings(settings), owner=False)
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
