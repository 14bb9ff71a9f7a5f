"""Everything that a call can raise.

::

    ServingError
    ├── ConfigError (ValueError)               host, token or options cannot work
    ├── InvalidRequestError (ValueError)       refused before a byte was sent
    ├── TokenError                             no token could be had for the request
    ├── ClientClosedError                      the client was closed
    ├── StreamUseError                         a stream was read twice, or outside its block
    ├── APIConnectionError                     no answer came
    │   └── APITimeoutError                    ... in time; `phase` says where
    ├── APIStatusError                         the server answered with an error
    │   ├── BadRequestError                    400
    │   ├── AuthenticationError                401
    │   ├── PermissionDeniedError              403
    │   ├── NotFoundError                      404
    │   ├── ConflictError                      409
    │   ├── PayloadTooLargeError               413
    │   ├── UnprocessableEntityError           422
    │   ├── RateLimitError                     429
    │   └── InternalServerError                500 and above
    │       └── EndpointNotReadyError          503: the endpoint is scaling up from zero
    ├── InvalidResponseError                   the answer is not what the contract says
    │   └── ResponseTooLargeError              ... or larger than the client takes in
    └── StreamError                            a stream broke; `partial` keeps what had come
        ├── StreamInterruptedError             it ended without an end
        │   └── StreamTimeoutError             ... in time; also an APITimeoutError
        └── StreamServerError                  the server reported an error inside it

Errors pickle and copy, and hold neither the token nor the prompt. What a server says about a
request is passed on, shortened.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from databricks_serving._trail import Attempt, SentRequest, account_of

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "Attempt",
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "ConfigError",
    "ConflictError",
    "EndpointNotReadyError",
    "InternalServerError",
    "InvalidRequestError",
    "InvalidResponseError",
    "NotFoundError",
    "PartialReply",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseTooLargeError",
    "SentRequest",
    "ServingError",
    "StreamError",
    "StreamInterruptedError",
    "StreamServerError",
    "StreamTimeoutError",
    "StreamUseError",
    "TokenError",
    "UnprocessableEntityError",
]


# A redirect, a refusal at the door, or no capacity. A 400 may come from the model's own code.
_NOT_EXECUTED: Final = frozenset(
    {*range(300, 400), 401, 403, 404, 405, 408, 409, 413, 415, 422, 425, 429, 503, 529}
)
_SHOWN_ID: Final = 128


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


class _NamesItsCall(ServingError):  # noqa: N818 - a base, never raised
    def _text(self) -> str:
        if not self.endpoint:
            return super()._text()
        account = account_of(self.history, self.elapsed, self.retry_stopped_by)
        return f"{super()._text()} (endpoint {self.endpoint!r}, {account})"


class APIConnectionError(_NamesItsCall):
    """No answer came: the connection could not be made, or broke.

    Attributes:
        transient: Whether what stopped it may pass by itself; a certificate that is not trusted
            does not.
        stale: Whether it broke at once, on a connection that was kept from an earlier call, as one
            does that the server had closed meanwhile.
    """

    stale: bool = False

    def __init__(
        self, message: str, *, maybe_executed: bool = True, retryable: bool = True
    ) -> None:
        super().__init__(message)
        self.maybe_executed = maybe_executed
        self.transient = retryable
        self.retryable: bool = retryable and not maybe_executed


class APITimeoutError(APIConnectionError):
    """No answer came in time.

    Attributes:
        phase: Where the time ran out, as the fields of `Timeouts` are named: `pool`, `connect`,
            `write`, `first_byte`, `idle` or `total`.
    """

    def __init__(
        self, message: str, *, phase: str = "first_byte", maybe_executed: bool = True
    ) -> None:
        super().__init__(message, maybe_executed=maybe_executed)
        self.phase = phase


class APIStatusError(ServingError):
    """The server answered with an error status.

    Attributes:
        status_code: The HTTP status.
        error_code: The server's own code as text, such as `BAD_REQUEST` or `401`.
        message: What the server said, in one line.
        headers: The response headers, names in lower case.
        body: The decoded body: an object where it was JSON, else its text.
        retry_after: Seconds that the server asks to wait, if it does.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int = 0,
        error_code: str | None = None,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.error_code = error_code
        self.request_id: str | None = request_id
        self.headers: dict[str, str] = dict(headers or {})
        self.body = body
        self.retry_after = retry_after
        self.maybe_executed: bool = status_code not in _NOT_EXECUTED

    def _text(self) -> str:
        code = "" if self.error_code in {None, str(self.status_code)} else f" {self.error_code}"
        where = f" from endpoint {self.endpoint!r}" if self.endpoint else ""
        return f"{self.status_code}{code}{where}: {self.message}{self._details()}"

    def _details(self) -> str:
        parts: list[str] = []
        if self.request_id:
            parts.append(f"request id {self.request_id[:_SHOWN_ID]}")
        if self.retry_after is not None:
            parts.append(f"the server asks to wait {self.retry_after:g} s")
        if len(self.history) > 1 or self.retry_stopped_by not in {None, "retries"}:
            parts.append(account_of(self.history, self.elapsed, self.retry_stopped_by))
        return f" ({', '.join(parts)})" if parts else ""


class BadRequestError(APIStatusError):
    """400: the request, or the model's own code, is at fault."""


class AuthenticationError(APIStatusError):
    """401: no credential, or one of a kind that is not accepted."""


class PermissionDeniedError(APIStatusError):
    """403: the token is invalid or expired, or may not query the endpoint."""


class NotFoundError(APIStatusError):
    """404: there is no such endpoint, or no such route."""


class ConflictError(APIStatusError):
    """409: the endpoint is changing."""


class PayloadTooLargeError(APIStatusError):
    """413: the request is larger than the endpoint takes."""


class UnprocessableEntityError(APIStatusError):
    """422: a provider behind the endpoint refuses the request."""


class RateLimitError(APIStatusError):
    """429: a rate or concurrency limit is reached."""


class InternalServerError(APIStatusError):
    """500 and above: the model, the platform or a gateway failed."""


class EndpointNotReadyError(InternalServerError):
    """503: the endpoint is scaling up from zero; `RetryPolicy(cold_start_timeout=...)` waits."""


class InvalidResponseError(_NamesItsCall):
    """The answer is not what the contract says: no JSON, a web page, a missing field.

    Attributes:
        status_code: The HTTP status, usually 200.
        content_type: The content type that the server gave.
        garbled: Whether the answer looks broken on its way rather than wrong: empty, cut off or
            no JSON at all.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int = 200,
        content_type: str | None = None,
        garbled: bool = False,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.content_type = content_type
        self.garbled = garbled
        self.maybe_executed = True


class ResponseTooLargeError(InvalidResponseError):
    """The answer, or one event of it, is larger than `Limits` lets the client take in."""


class StreamError(_NamesItsCall):
    """A stream broke after it began.

    Attributes:
        partial: What had arrived: a `ChatCompletion` or `Completion`, or None before anything.
    """

    partial: PartialReply | None = None
    maybe_executed: bool = True


class StreamInterruptedError(StreamError):
    """The stream ended with neither a finish reason nor a terminator: the answer is not whole."""


class StreamTimeoutError(StreamInterruptedError, APITimeoutError):
    """The stream stopped coming; `phase` is `idle` or `total`, `partial` what had come."""


class StreamServerError(StreamError):
    """The server reported an error inside the stream.

    Attributes:
        status_code: The status that the error itself names, if it does.
        error_code: The server's own code as text.
        message: What the server said, in one line.
        body: The decoded error event.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        error_code: str | None = None,
        body: object = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.error_code = error_code
        self.body = body

    def _text(self) -> str:
        named = [str(part) for part in (self.status_code, self.error_code) if part]
        code = f"{' '.join(dict.fromkeys(named))}: " if named else ""
        return f"{code}{super()._text()}"
