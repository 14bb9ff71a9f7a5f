"""Everything that a call can raise.

::

    ServingError
    ├── ConfigError (ValueError)               host, token or options cannot work
    ├── InvalidRequestError (ValueError)       refused before a byte was sent
    ├── ClientClosedError                      the client was closed
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
    ├── InvalidResponseError                   the answer is not what the contract says
    └── StreamError                            a stream broke; `partial` keeps what had come
        ├── StreamInterruptedError             it ended without an end
        └── StreamServerError                  the server reported an error inside it

Errors pickle and copy, and hold neither the token nor the prompt. What a server says about a
request is passed on, shortened.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "ConfigError",
    "ConflictError",
    "InternalServerError",
    "InvalidRequestError",
    "InvalidResponseError",
    "NotFoundError",
    "PartialReply",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServingError",
    "StreamError",
    "StreamInterruptedError",
    "StreamServerError",
    "UnprocessableEntityError",
]


# A redirect, a refusal at the door, or no capacity. A 400 may come from the model's own code.
_NOT_EXECUTED: Final = frozenset(
    {*range(300, 400), 401, 403, 404, 405, 409, 413, 415, 422, 429, 503}
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
        attempts: Number of tries that the call made.
        elapsed: Seconds from the start of the call to this error.
        retryable: Whether repeating the call is safe and may help: the model did not run, and what
            stopped it may pass.
        maybe_executed: False where the server provably did not run the model.
    """

    endpoint: str | None = None
    request_id: str | None = None
    attempts: int = 0
    elapsed: float = 0.0
    retryable: bool = False
    maybe_executed: bool = False


class ConfigError(ServingError, ValueError):
    """Host, token or options cannot work; the message says which and why."""


class InvalidRequestError(ServingError, ValueError):
    """An argument was refused before anything was sent; the message names it."""


class ClientClosedError(ServingError):
    """A call was begun, or tried again, after its client was closed."""


class _NamesItsCall(ServingError):  # noqa: N818 - a base, never raised
    def __str__(self) -> str:
        if not self.endpoint:
            return super().__str__()
        tries = "1 try" if self.attempts == 1 else f"{self.attempts} tries"
        where = f"endpoint {self.endpoint!r}, {tries}, {self.elapsed:.1f} s"
        return f"{super().__str__()} ({where})"


class APIConnectionError(_NamesItsCall):
    """No answer came: the connection could not be made, or broke."""

    def __init__(
        self, message: str, *, maybe_executed: bool = True, retryable: bool = True
    ) -> None:
        super().__init__(message)
        self.maybe_executed = maybe_executed
        self.retryable = retryable


class APITimeoutError(APIConnectionError):
    """No answer came in time.

    Attributes:
        phase: Where the time ran out: `pool`, `connect`, `write` or `read`.
    """

    def __init__(self, message: str, *, phase: str = "read", maybe_executed: bool = True) -> None:
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

    def __str__(self) -> str:
        code = "" if self.error_code in {None, str(self.status_code)} else f" {self.error_code}"
        where = f" from endpoint {self.endpoint!r}" if self.endpoint else ""
        request = f" (request id {self.request_id[:_SHOWN_ID]})" if self.request_id else ""
        return f"{self.status_code}{code}{where}: {self.message}{request}"


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


class InvalidResponseError(_NamesItsCall):
    """The answer is not what the contract says: no JSON, a web page, a missing field.

    Attributes:
        status_code: The HTTP status, usually 200.
        content_type: The content type that the server gave.
    """

    def __init__(
        self, message: str, *, status_code: int = 200, content_type: str | None = None
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.content_type = content_type
        self.maybe_executed = True


class StreamError(_NamesItsCall):
    """A stream broke after it began.

    Attributes:
        partial: What had arrived: a `ChatCompletion` or `Completion`, or None before anything.
    """

    partial: PartialReply | None = None
    maybe_executed: bool = True


class StreamInterruptedError(StreamError):
    """The stream ended with neither a finish reason nor a terminator: the answer is not whole."""


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


_BY_STATUS: Final[Mapping[int, type[APIStatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: PayloadTooLargeError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def error_class(status_code: int) -> type[APIStatusError]:
    """Return the class for an HTTP status."""
    if status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return InternalServerError
    return _BY_STATUS.get(status_code, APIStatusError)
