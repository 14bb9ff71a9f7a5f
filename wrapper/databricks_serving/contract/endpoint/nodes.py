"""Reading what others wrote: each function names the place of what it cannot use."""

from collections.abc import Mapping
from typing import Any, cast

from databricks_serving.errors import InvalidRequestError

MAX_DEPTH = 50


def mapping(node: object, place: str) -> Mapping[str, Any]:
    """Return an object.

    Raises:
        InvalidRequestError: It is none.
    """
    if not isinstance(node, Mapping):
        raise InvalidRequestError(f"{place} must be an object, not {kind_of(node)}")
    return cast("Mapping[str, Any]", node)


def sequence(node: object, place: str) -> list[Any]:
    """Return a list; raises as `mapping`."""
    if not isinstance(node, list):
        raise InvalidRequestError(f"{place} must be a list, not {kind_of(node)}")
    found: list[Any] = cast("list[object]", node)
    return found


def part(node: object, *steps: str) -> Any:
    """Return what is below some keys; None where one of them is not there."""
    found = node
    for step in steps:
        if not isinstance(found, Mapping):
            return None
        found = cast("Mapping[str, object]", found).get(step)
    return found


def text(node: object, place: str) -> str:
    """Return a text; raises as `mapping`."""
    if not isinstance(node, str):
        raise InvalidRequestError(f"{place} must be a text, not {kind_of(node)}")
    return node


def deeper(depth: int, place: str) -> int:
    """Count one level of nesting.

    Raises:
        InvalidRequestError: When there are too many, as where a schema contains itself.
    """
    if depth >= MAX_DEPTH:
        raise InvalidRequestError(f"{place} is nested too deep, or contains itself")
    return depth + 1


def kind_of(node: object) -> str:
    """Name the JSON type of a value."""
    return "nothing" if node is None else type(node).__name__
