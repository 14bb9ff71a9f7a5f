"""The blocking client."""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from databricks_serving._core.secret import Secret
from databricks_serving._core.settings import changed_settings, resolve_settings
from databricks_serving._http import Sender
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.resources import Chat, Completions, Embeddings
from databricks_serving.options import Timeouts

if TYPE_CHECKING:
    import httpx


class ServingClient:
    """A client of the model-serving endpoints of one workspace.

    Nothing is read or opened until the first call. Calls are repeated, at most `max_retries` times
    and with growing waits, where the server provably did not run the model (the request was not
    sent, or the answer was 429 or 503, whose `Retry-After` is honoured up to two minutes). Changes
    to these waits are not breaking changes.

    Args:
        host: Address of the workspace; else the environment variable `DATABRICKS_HOST`.
        token: A personal access token or OAuth access token; else `DATABRICKS_TOKEN`.
        timeout: Seconds per phase of a request, or `Timeouts` phase by phase.
        max_retries: Repetitions of a call, 0 to 10.
        transport: Any blocking httpx transport, instead of the default one.
        default_headers: Headers added to every request.

    Raises:
        ConfigError: When host, token or options cannot work.
        InvalidRequestError: When a default header cannot be sent.
    """

    def __init__(
        self,
        host: str | None = None,
        token: str | None = None,
        *,
        timeout: float | Timeouts | None = None,
        max_retries: int = 2,
        transport: "httpx.BaseTransport | None" = None,
        default_headers: Mapping[str, str] | None = None,
    ) -> None:
        # A traceback that shows local variables must not show the token.
        secret, token = Secret.of(token), None
        settings = resolve_settings(host, secret, os.getenv, timeout, max_retries, default_headers)
        self._set_up(Caller(settings, Sender(transport)), owner=True)

    def _set_up(self, caller: Caller, *, owner: bool) -> None:
        self._caller = caller
        self._owner = owner
        self.chat: Chat = Chat(caller)
        self.completions: Completions = Completions(caller)
        self.embeddings: Embeddings = Embeddings(caller)

    def __repr__(self) -> str:
        # A traceback that shows local variables may ask a client that is not made yet.
        caller: Caller | None = getattr(self, "_caller", None)
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
