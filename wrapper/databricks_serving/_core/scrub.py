"""Errors without tokens, wherever a server has repeated them."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, TypeGuard

from databricks_serving._core.json_codec import is_object
from databricks_serving._core.secret import Secret
from databricks_serving.errors import ServingError


def scrub(error: ServingError, secrets: Iterable[Secret]) -> None:
    """Replace secrets in everything that an error and its causes of ours hold as text.

    What had come of a stream stays as it is: it is the model's answer.
    """
    tokens = [secret.reveal() for secret in secrets]
    one: BaseException | None = error
    while isinstance(one, ServingError):
        one.args = tuple(_scrubbed(value, tokens) for value in one.args)
        for name, value in vars(one).items():
            setattr(one, name, _scrubbed(value, tokens))
        one = one.__cause__


@contextmanager
def scrubbing(secrets: Iterable[Secret]) -> Generator[None]:
    """Have the errors of a block scrubbed."""
    try:
        yield
    except ServingError as error:
        scrub(error, secrets)
        raise


def _scrubbed(value: Any, tokens: list[str]) -> Any:
    try:
        return _replaced(value, tokens)
    except RecursionError:
        return "***"


def _replaced(value: Any, tokens: list[str]) -> Any:
    if isinstance(value, str):
        for token in tokens:
            value = value.replace(token, "***")
        return value
    if is_object(value):
        return {_replaced(key, tokens): _replaced(one, tokens) for key, one in value.items()}
    if _is_list(value):
        return [_replaced(one, tokens) for one in value]
    return value


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
