from http import HTTPStatus


class ModelUnavailableError(RuntimeError):
    """The chosen model cannot be served; the message says why and what to run."""


class RefusedError(Exception):
    """A request that is answered with an error.

    Attributes:
        status: HTTP status of the answer.
        error_code: A name, or for a missing credential the status as a number.
        message: One sentence for the caller, which never repeats a prompt.
    """

    def __init__(self, status: int, error_code: str | int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message

    @property
    def body(self) -> dict[str, str | int]:
        """The answer's JSON."""
        return {"error_code": self.error_code, "message": self.message}


def bad_request(message: str) -> RefusedError:
    """A 400 in the words of a foundation-model endpoint."""
    return RefusedError(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", f"Bad request: {message}")
