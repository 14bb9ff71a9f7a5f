"""Small checks of decoded JSON, put together into the request tables of `requests.py`.

A check takes a value and the path at which it stands, and raises a 400 in the words of a strict
decoder. No message repeats the value: it may be a prompt.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from databricks_serving.local.errors import RefusedError, bad_request
from databricks_serving.local.jsontypes import is_list, is_object

Check = Callable[[Any, str], None]


def string(*choices: str, pattern: str | None = None) -> Check:
    """A text; one of the choices if there are any, matching the whole pattern if there is one."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise _mismatch(value, path, "string")
        if choices and value not in choices:
            raise bad_request(f'"{path}" must be one of: {", ".join(choices)}')
        if pattern is not None and not re.fullmatch(pattern, value):
            raise bad_request(f'"{path}" must match {pattern}')

    return check


def boolean(value: Any, path: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise _mismatch(value, path, "bool")


def integer(low: int | None = None, high: int | None = None) -> Check:
    """A whole number without a decimal point, within the bounds."""

    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _mismatch(value, path, "int")
        _within(value, path, low, high)

    return check


def number(low: float | None = None, high: float | None = None) -> Check:
    """Any number within the bounds."""

    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _mismatch(value, path, "float")
        _within(value, path, low, high)

    return check


def list_of(item: Check, *, low: int = 0, high: int | None = None) -> Check:
    """A list of as many items as the bounds allow, each of which passes."""

    def check(value: Any, path: str) -> None:
        if not is_list(value):
            raise _mismatch(value, path, "array")
        if len(value) < low:
            raise bad_request(f'"{path}" must not be empty')
        if high is not None and len(value) > high:
            raise bad_request(f'"{path}" must have at most {high} items, got {len(value)}')
        for position, entry in enumerate(value):
            item(entry, f"{path}[{position}]")

    return check


def any_object(value: Any, path: str) -> None:
    """An object with whatever keys."""
    if not is_object(value):
        raise _mismatch(value, path, "object")


def object_of(fields: Mapping[str, Check], *required: str) -> Check:
    """An object with these fields and no other.

    An optional field may be null, which means the same as leaving it out; an unknown field may
    not, even then.
    """

    def check(value: Any, path: str) -> None:
        if not is_object(value):
            raise _mismatch(value, path, "object")
        for key in value:
            if key not in fields:
                raise bad_request(f'json: unknown field "{key}"')
        for key in required:
            if value.get(key) is None:
                where = f' for "{path}"' if path else ""
                raise bad_request(f'"{key}" is a required property{where}')
        for key, entry in value.items():
            if entry is not None:
                fields[key](entry, f"{path}.{key}" if path else key)

    return check


def open_object(fields: Mapping[str, Check]) -> Check:
    """An object whose fields of these names pass, if they are there; others may be there, too."""

    def check(value: Any, path: str) -> None:
        any_object(value, path)
        for key, entry in fields.items():
            if value.get(key) is not None:
                entry(value[key], f"{path}.{key}" if path else key)

    return check


def map_of(entry: Check) -> Check:
    """An object with free keys whose values all pass."""

    def check(value: Any, path: str) -> None:
        if not is_object(value):
            raise _mismatch(value, path, "object")
        for key, member in value.items():
            entry(member, f"{path}.{key}")

    return check


def text_or(other: Check, *choices: str) -> Check:
    """A text (one of the choices if there are any), or what the other check lets pass."""
    text = string(*choices)

    def check(value: Any, path: str) -> None:
        (text if isinstance(value, str) else other)(value, path)

    return check


def tagged(key: str, variants: Mapping[str, Check]) -> Check:
    """An object whose value at the key chooses the check of the whole."""
    tag = string(*variants)

    def check(value: Any, path: str) -> None:
        if not is_object(value):
            raise _mismatch(value, path, "object")
        if value.get(key) is None:
            raise bad_request(f'"{key}" is a required property for "{path}"')
        tag(value[key], f"{path}.{key}")
        variants[value[key]](value, path)

    return check


def _within(value: float, path: str, low: float | None, high: float | None) -> None:
    if low is not None and value < low:
        raise bad_request(f'"{path}" must be at least {low}, got {value}')
    if high is not None and value > high:
        raise bad_request(f'"{path}" must be at most {high}, got {value}')


_NAMES: Mapping[type, str] = {
    bool: "bool",
    dict: "object",
    float: "number",
    int: "number",
    list: "array",
    str: "string",
    type(None): "null",
}


def _mismatch(value: Any, path: str, expected: str) -> RefusedError:
    found = _NAMES[type(value)]
    where = f'field "{path}"' if path else "the request"
    return bad_request(f"json: cannot unmarshal {found} into {where} of type {expected}")
