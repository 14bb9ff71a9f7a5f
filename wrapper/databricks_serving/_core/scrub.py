"""Errors without the token, wherever a server has repeated it."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TypeGuard

from databricks_serving._core.json_codec import is_object
from databricks_serving._core.secret import Secret
from databricks_serving.errors import ServingError


def scrub(error: ServingError, token: Secret) -> None:
    """Replace the token in everything that an error and its causes of ours hold as text.

    What had come of a stream stays as it is: it is the model's answer.
    """
    if not token.reveal():
        return
    one: BaseException | None = error
    while isinstance(one, ServingError):
        one.args = tuple(_scrubbed(value, token.reveal()) for value in one.args)
        for name, value in vars(one).items():
            setattr(one, name, _scrubbed(value, token.reveal()))
        one = one.__cause__


@contextmanager
def scrubbing(token: Secret) -> Generator[None]:
    """Have the errors of a block scrubbed."""
    try:
        yield
    except ServingError as error:
        scrub(error, token)
        raise


def _scrubbed(value: Any, token: str) -> Any:
    try:
        return _replaced(value, token)
    except RecursionError:
        return "***"


def _replaced(value: Any, token: str) -> Any:
    if isinstance(value, str):
        return value.replace(token, "***") if token in value else value
    if is_object(value):
        return {_replaced(key, token): _replaced(one, token) for key, one in value.items()}
    if _is_list(value):
        return [_replaced(one, token) for one in value]
    return value


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
