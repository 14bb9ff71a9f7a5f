"""Where what came differs from what was expected, place by place."""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeGuard

from databricks_serving._core.json_codec import is_mapping, is_sequence
from databricks_serving.testing._requests import shortened


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


NOTHING: Final = _Nothing()


class Difference(NamedTuple):
    """A place at which two values differ."""

    path: str
    expected: object
    got: object

    def __str__(self) -> str:
        return f"{self.path}: expected {_shown(self.expected)}, got {shortened(self.got)}"


def differences(expected: object, got: object, path: str) -> Iterator[Difference]:
    """Yield where a value lacks what is expected of it.

    Of a dict, the keys that are expected count alone; a list has as many items as are expected. A
    regular expression is searched for, and a function says whether the value will do.
    """
    write: Any = getattr(expected, "to_dict", None)
    if write is not None:
        expected = write()
    if is_mapping(expected) and is_mapping(got):
        for key, value in expected.items():
            inner = f"{path}.{key}" if path else str(key)
            yield from differences(value, got.get(key, NOTHING), inner)
    elif is_sequence(expected) and is_sequence(got) and len(expected) == len(got):
        for position, value in enumerate(expected):
            yield from differences(value, got[position], f"{path}[{position}]")
    elif is_sequence(expected) and is_sequence(got):
        yield Difference(f"the length of {path}", len(expected), len(got))
    elif not _fits(expected, got):
        yield Difference(path, expected, got)


def _fits(expected: Any, got: object) -> bool:
    if _is_pattern(expected):
        return isinstance(got, str) and expected.search(got) is not None
    if callable(expected) and not isinstance(expected, type):
        return got is not NOTHING and bool(expected(got))
    return bool(expected == got)


def _is_pattern(value: object) -> TypeGuard[re.Pattern[str]]:
    return isinstance(value, re.Pattern)


def _shown(expected: Any) -> str:
    if _is_pattern(expected):
        return f"text with {expected.pattern!r}"
    name = getattr(expected, "__name__", None)
    return f"what {name} takes" if name and callable(expected) else shortened(expected)
