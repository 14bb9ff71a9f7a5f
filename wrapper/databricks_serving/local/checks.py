"""Small readers of settings: each takes a value and its place, and returns the value it means.

They are put together into the tables of `config.py`, `faults.py` and `script.py`. An error names
the place and never the value, which may be a secret.
"""

import math
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeAlias

from databricks_serving.errors import ConfigError
from databricks_serving.local.jsontypes import is_list, is_object

Reader: TypeAlias = Callable[[Any, str], Any]

_NAMES: Final[Mapping[type, str]] = {
    bool: "true or false",
    dict: "a mapping",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "a text",
    type(None): "nothing",
}

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")
# So much of a key is compared.
_LONGEST: Final = 60


def wrong(place: str, problem: str) -> ConfigError:
    """Say what is wrong where."""
    return ConfigError(f"{place}: {problem}" if place else problem)


def expected(place: str, wanted: str, value: object) -> ConfigError:
    """Say what was wanted where, and the kind of what came."""
    found = "an empty text" if value == "" else _NAMES.get(type(value), type(value).__name__)
    return wrong(place, f"expected {wanted}, got {found}")


def text(*choices: str) -> Reader:
    """A text that is not empty; one of the choices if there are any."""

    def read(value: Any, place: str) -> str:
        if not isinstance(value, str) or not value:
            raise expected(place, "a text", value)
        if choices and value not in choices:
            close = get_close_matches(value[:_LONGEST], choices, 1)
            guess = f"; did you mean {str(close[0])!r}?" if close else ""
            raise wrong(place, f"expected one of {', '.join(choices)}{guess}")
        # A choice may be a member of an enum, which is to be written as its value.
        return str(value)

    return read


def endpoint_name(value: Any, place: str) -> str:
    """A name that a path can have as one step."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        problem = "a name of an endpoint has letters, digits, dots, dashes and underscores"
        raise wrong(place, problem) if isinstance(value, str) else expected(place, "a text", value)
    return value


def any_text(value: Any, place: str) -> str:
    """A text, even an empty one."""
    if not isinstance(value, str):
        raise expected(place, "a text", value)
    return value


def number(low: float = 0.0, high: float = 1e6, *, above: bool = False) -> Reader:
    """A number within the bounds; above the lower one if so asked."""
    wanted = f"a number {'above' if above else 'from'} {low:g} {'and' if above else 'to'} "
    wanted += f"at most {high:g}" if above else f"{high:g}"

    def read(value: Any, place: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise expected(place, wanted, value)
        if not low <= value <= high or (above and value == low):
            raise wrong(place, f"expected {wanted}")
        return value

    return read


def whole(low: int, high: int) -> Reader:
    """A whole number within the bounds."""
    wanted = f"a whole number from {low} to {high}"

    def read(value: Any, place: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise expected(place, wanted, value)
        if not low <= value <= high:
            raise wrong(place, f"expected {wanted}")
        return value

    return read


def flag(value: Any, place: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise expected(place, "true or false", value)
    return value


def anything(value: Any, _place: str) -> Any:
    """Any value."""
    return value


def path(value: Any, place: str) -> str | Path:
    """A path of the file system."""
    if not isinstance(value, Path) and (not isinstance(value, str) or not value):
        raise expected(place, "a path", value)
    return value


def items(reader: Reader) -> Reader:
    """A list, read item by item."""

    def read(value: Any, place: str) -> list[Any]:
        if not is_list(value):
            raise expected(place, "a list", value)
        return [reader(one, f"{place}[{position}]") for position, one in enumerate(value)]

    return read


def record(fields: Mapping[str, Reader], *required: str) -> Reader:
    """A mapping with these keys and no other; a value that is nothing counts as absent."""

    def read(value: Any, place: str) -> dict[str, Any]:
        if not is_object(value):
            raise expected(place, "a mapping", value)
        prefix = f"{place}." if place else ""
        for key in value:
            if key not in fields:
                raise wrong(f"{prefix}{key}", f"unknown key{_nearest(key, fields)}")
        given = {key: one for key, one in value.items() if one is not None}
        for key in required:
            if key not in given:
                raise wrong(f"{prefix}{key}", "is missing")
        return {key: fields[key](one, f"{prefix}{key}") for key, one in given.items()}

    return read


def table(key_reader: Reader, reader: Reader) -> Reader:
    """A mapping with free keys, read one by one; a value that is nothing is an empty mapping."""

    def read(value: Any, place: str) -> dict[str, Any]:
        if not is_object(value):
            raise expected(place, "a mapping", value)
        for key in value:
            key_reader(key, f"the keys of {place}")
        return {
            key: reader({} if one is None else one, f"{place}.{key}") for key, one in value.items()
        }

    return read


def _nearest(key: object, fields: Mapping[str, Reader]) -> str:
    given = str(key)[:_LONGEST]
    # Of the names that end as the key does, none is meant more than another.
    close = [name for name in fields if name.endswith(f"_{given}")]
    close = close or get_close_matches(given, fields, 1)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return f"; known are {', '.join(fields)}"
