"""Whether the value of a parameter is of the type that the contract gives it.

Only the type: what range a number may have depends on the model, and the server says so.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints, is_typeddict
from uuid import UUID

from databricks_serving._core.json_codec import kind_of
from databricks_serving.errors import InvalidRequestError
from databricks_serving_api import models
from databricks_serving_api.types import Model


class _Expected(NamedTuple):
    """What a parameter takes."""

    types: tuple[type, ...]
    words: str


# The values of each type of the contract, in Python and in words.
_TYPES: Final[Mapping[Any, _Expected]] = {
    bool: _Expected((bool,), "true or false"),
    int: _Expected((int,), "a whole number"),
    float: _Expected((int, float), "a number"),
    # The writer of JSON turns both into texts.
    str: _Expected((str, UUID), "a text"),
    Mapping: _Expected((dict, Mapping), "a dict"),
    Sequence: _Expected((list, Sequence), "a list"),
    Model: _Expected((Model,), "a model"),
}


def check_types(parameters: type[Any], given: Mapping[str, Any]) -> None:
    """Refuse values of another type than a parameter has.

    Args:
        parameters: The generated dictionary type with the parameters of a task.
        given: What the user gave, without what is None.

    Raises:
        InvalidRequestError: Naming the argument and what it takes.
    """
    expected = _expected(parameters)  # type: ignore[arg-type]  # mypy: a class has no hash
    for name, value in given.items():
        known = expected.get(name)
        if known is not None and not _fits(value, known.types):
            raise InvalidRequestError(f"{name} must be {known.words}, not {kind_of(value)}")


def _fits(value: object, types: tuple[type, ...]) -> bool:
    # What nearly everybody gives; asking an abstract class takes five times as long.
    if type(value) in types:
        return True
    # Each of these is an instance of a wider type too, as which it is a mistake.
    for narrow in (bool, str, bytes, bytearray):
        if isinstance(value, narrow):
            return narrow in types
    return isinstance(value, (*types, Enum))


@cache
def _expected(parameters: type[Any]) -> Mapping[str, _Expected]:
    # Type checkers alone import the models that the annotations name; one stands for all.
    hints = get_type_hints(parameters, localns=dict.fromkeys(models.__all__, Model))
    return {name: one for name, hint in hints.items() if (one := _of_hint(hint)) is not None}


def _of_hint(hint: Any) -> _Expected | None:
    """Return what a type takes; None if that cannot be told."""
    union = get_origin(hint) in {Union, UnionType}
    kinds = [kind for kind in (get_args(hint) if union else (hint,)) if kind is not NoneType]
    known = [_TYPES.get(_plain(kind)) for kind in kinds]
    found = [one for one in known if one is not None]
    if len(found) < len(kinds):
        return None
    words = dict.fromkeys(one.words for one in found)
    return _Expected(tuple(t for one in found for t in one.types), " or ".join(words))


def _plain(kind: Any) -> Any:
    return Mapping if is_typeddict(kind) else get_origin(kind) or kind
