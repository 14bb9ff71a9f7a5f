"""The root of all errors, and those of calls that were never sent."""

from typing import TYPE_CHECKING, Any, Protocol

from databricks_serving._trail import Attempt, SentRequest, account_of

if TYPE_CHECKING:
    from databricks_serving._tool_runs import ToolRun
    from databricks_serving_api.models import ChatCompletion


class PartialReply(Protocol):
    """What had arrived of a stream when it broke."""

    @property
    def text(self) -> str:
        """The text so far."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Everything so far as JSON."""
        ...


class ServingError(Exception):
    """The root of all errors of this package.

    Attributes:
        endpoint: Name of the endpoint that was called, if one was.
        request_id: The server's id of the request, if it gave one.
        idempotency_key: The client's own id of the call, sent with each of its tries as the header
            of that name, unless `extra_headers` gives another.
        attempts: Number of tries that the call made.
        history: The tries one by one: how each ended, when, and the wait after it.
        elapsed: Seconds from the start of the call to this error.
        retryable: Whether repeating the call is safe and may help: the model did not run, and what
            stopped it may pass. False after 500, 502 and 504, which may come after a run.
        retry_stopped_by: Why the call was not tried again although it could have been: `retries`,
            `reruns` (it may have run), `deadline`, `retry_after`, `quota` (too many calls fail) or
            `cold_start`; None where trying again would not help.
        maybe_executed: False where the server provably did not run the model.
        hint: What usually helps, in one line, for causes that are well known.
        request: What was to be sent, without body and secrets; None if it could not be built.
        run: Of a run of tools, what was done before the error; None elsewhere.
        replies: Of an answer that was to be an object, all that the model answered; else empty.
    """

    endpoint: str | None = None
    request_id: str | None = None
    idempotency_key: str | None = None
    attempts: int = 0
    history: tuple[Attempt, ...] = ()
    elapsed: float = 0.0
    retryable: bool = False
    retry_stopped_by: str | None = None
    maybe_executed: bool = False
    hint: str | None = None
    request: SentRequest | None = None
    run: "ToolRun | None" = None
    replies: "tuple[ChatCompletion, ...]" = ()

    def to_curl(self) -> str | None:
        """Return the request as a curl command, or None if it could not be built.

        The token is read from the variable `DATABRICKS_TOKEN`, the body from a file `body.json`:
        an error keeps neither.
        """
        return None if self.request is None else self.request.to_curl()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __str__(self) -> str:
        hint = f"; hint: {self.hint}" if self.hint else ""
        return f"{self._text()}{hint}"

    def _text(self) -> str:
        return super().__str__()


class ConfigError(ServingError, ValueError):
    """Host, token or options cannot work; the message says which and why."""


class InvalidRequestError(ServingError, ValueError):
    """An argument was refused before anything was sent; the message names it."""


class TokenError(ServingError):
    """No token could be had, so nothing was sent to the endpoint.

    Attributes:
        source: Where the token was to come from, named as `auth_type` names it.
        transient: Whether what stopped it may pass by itself.
        status_code: What the token service answered, if it did.
    """

    def __init__(
        self,
        message: str,
        *,
        source: str | None = None,
        transient: bool = False,
        status_code: int | None = None,
    ) -> None:
        super().__init__(message)
        self.source = source
        self.transient = transient
        self.status_code = status_code
        self.retryable: bool = transient


class ClientClosedError(ServingError):
    """The client was closed before the call began, or before its answer was read.

    Attributes:
        partial: Of a stream, what had arrived; None before anything.
    """

    partial: "PartialReply | None" = None


class StreamUseError(ServingError):
    """A stream was iterated a second time, read from two places at once, or used unopened."""


class CallError(ServingError):
    """An error of a call that tells which call it was; a base, never raised."""

    def _text(self) -> str:
        if not self.endpoint:
            return super()._text()
        account = account_of(self.history, self.elapsed, self.retry_stopped_by)
        return f"{super()._text()} (endpoint {self.endpoint!r}, {account})"
