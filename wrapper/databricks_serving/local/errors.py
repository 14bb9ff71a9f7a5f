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
        allow: The methods that the path takes, where it does not take the request's.
    """

    def __init__(
        self, status: int, error_code: str | int, message: str, *, allow: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message
        self.allow = allow

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


def bad_request(message: str) -> RefusedError:
    """A 400 in the words of a foundation-model endpoint."""
    return RefusedError(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", f"Bad request: {message}")
