"""Which class of error stands for which HTTP status."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from databricks_serving.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)

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
