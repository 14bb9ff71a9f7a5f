import math
from collections.abc import Mapping
from http import HTTPStatus


class ModelUnavailableError(RuntimeError):
    """The chosen model cannot be served; the message says why and what to run."""


class RefusedError(Exception):
    """A request that is answered with an error.

    Attributes:
        status: HTTP status of the answer.
        error_code: A name, or for a missing credential the status as a number.
        message: One sentence for the caller, which never repeats a prompt.
        headers: Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        error_code: str | int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message
        self.headers: Mapping[str, str] = headers or {}

    @property
    def body(self) -> dict[str, str | int]:
        """The answer's JSON."""
        return {"error_code": self.error_code, "message": self.message}


class TokenRefusedError(Exception):
    """A request for a token that is answered with an error, in the words of OAuth.

    Attributes:
        status: HTTP status of the answer.
        error: The name that OAuth has for it.
        description: One sentence for the caller.
        headers: Further headers of the answer.
    """

    def __init__(
        self,
        error: str,
        description: str,
        status: int = HTTPStatus.BAD_REQUEST,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.headers = headers

    @property
    def body(self) -> dict[str, str]:
        """The answer's JSON."""
        return {"error": self.error, "error_description": self.description}


def unavailable(message: str, retry_after: float | None = None) -> RefusedError:
    """A 503 that may pass by itself."""
    return RefusedError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "TEMPORARILY_UNAVAILABLE",
        message,
        headers=retry_header(retry_after),
    )


def retry_header(seconds: float | None) -> dict[str, str]:
    """The header that asks to wait, in whole seconds; none without a wait."""
    return {} if seconds is None else {"retry-after": str(math.ceil(seconds))}


def code_for(status: int) -> str:
    """The `error_code` that goes with a status."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "REQUEST_LIMIT_EXCEEDED"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return "TEMPORARILY_UNAVAILABLE"
    return "INTERNAL_ERROR" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "BAD_REQUEST"


def bad_request(message: str) -> RefusedError:
    """A 400 in the words of a foundation-model endpoint."""
    return RefusedError(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", f"Bad request: {message}")


class BrokenOffError(Exception):
    """The connection ends here, whatever of the reply is still to come.

    Attributes:
        reset: Whether it ends with a reset instead of an orderly end.
    """

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset
