"""Checks of decoded JSON, place by place; each raises InvalidResponseError naming the path."""

from typing import Any

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving.errors import InvalidResponseError


def fill(data: dict[str, Any], key: str, value: object) -> None:
    """Put a value where there is none, or null."""
    if data.get(key) is None:
        data[key] = value


def wrong(path: str, expected: str) -> InvalidResponseError:
    """Return the error for a place that holds something else than its type says."""
    return misfit(f"{path} is not {expected}")


def misfit(fault: str) -> InvalidResponseError:
    """Return the error for a reply that is not what the contract says."""
    return InvalidResponseError(f"the reply does not fit the contract: {fault}")


def objects(data: dict[str, Any], key: str, path: str) -> list[dict[str, Any]]:
    """Return a list of objects that must be there."""
    values = data.get(key)
    if not is_list(values):
        raise wrong(_join(path, key), "a list")
    for position, value in enumerate(values):
        if not is_object(value):
            raise wrong(f"{_join(path, key)}[{position}]", "an object")
    return values


def optional_objects(data: dict[str, Any], key: str, path: str) -> list[dict[str, Any]]:
    """Return a list of objects; empty where there is none."""
    return [] if data.get(key) is None else objects(data, key, path)


def optional_object(data: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    """Return an object; an empty one where there is none."""
    value = data.get(key)
    if value is None:
        return {}
    if not is_object(value):
        raise wrong(_join(path, key), "an object")
    return value


def filled_object(data: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    """Return an object; an empty one is put where there is none."""
    fill(data, key, {})
    return optional_object(data, key, path)


def check_optional(data: dict[str, Any], key: str, kind: type, path: str) -> None:
    """Check that a value is of a type, or null or absent."""
    value = data.get(key)
    if value is not None and type(value) is not kind:
        raise wrong(_join(path, key), _KINDS[kind])


def check_filled(data: dict[str, Any], key: str, default: str | int, path: str) -> None:
    """Put a default where there is no value, and check that the value is of the default's type."""
    fill(data, key, default)
    check_optional(data, key, type(default), path)


_KINDS: dict[type, str] = {int: "a whole number", str: "a text"}


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
