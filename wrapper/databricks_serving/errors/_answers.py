"""Errors of calls that were sent and got no answer, a refusal, or one that is wrong."""

from collections.abc import Mapping
from typing import Final

from databricks_serving._trail import account_of
from databricks_serving.errors._root import CallError, ServingError

# A redirect, a refusal at the door, or no capacity. A 400 may come from the model's own code.
_NOT_EXECUTED: Final = frozenset(
    {*range(300, 400), 401, 403, 404, 405, 408, 409, 413, 415, 422, 425, 429, 503, 529}
)
_SHOWN_ID: Final = 128


class APIConnectionError(CallError):
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


class InvalidResponseError(CallError):
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
