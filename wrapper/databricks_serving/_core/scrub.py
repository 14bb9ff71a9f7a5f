"""Errors without tokens, wherever a server has repeated them."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, Final

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving._core.secret import Secret
from databricks_serving.errors import ServingError

# Fewer characters of a token tell nothing.
_TELLING: Final = 12
# Words of our own, which a token of few characters may be a part of.
_OURS: Final = frozenset({"phase", "retry_stopped_by"})


def scrub(error: ServingError, secrets: Iterable[Secret]) -> None:
    """Replace secrets in everything that an error, and what led to it, holds as text.

    What had come of a stream stays as it is: it is the model's answer.
    """
    tokens = [secret.reveal() for secret in secrets]
    pending: list[BaseException | None] = [error]
    seen: list[BaseException] = []
    while pending:
        one = pending.pop()
        if isinstance(one, ServingError) and not any(one is other for other in seen):
            seen.append(one)
            one.args = tuple(_scrubbed(value, tokens) for value in one.args)
            for name, value in vars(one).items():
                if name not in _OURS:
                    setattr(one, name, _scrubbed(value, tokens))
            pending += [one.__cause__, one.__context__]


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
            value = _without_beginning(value.replace(token, "***"), token)
        return value
    if is_object(value):
        return {_replaced(key, tokens): _replaced(one, tokens) for key, one in value.items()}
    if is_list(value):
        return [_replaced(one, tokens) for one in value]
    return value


def _without_beginning(value: str, token: str) -> str:
    """Replace the beginning of a token at the end of a text, where the text was cut."""
    start = value.rfind(token[:_TELLING]) if len(token) > _TELLING else -1
    return f"{value[:start]}***" if start >= 0 and token.startswith(value[start:]) else value
