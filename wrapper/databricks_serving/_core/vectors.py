"""The vectors of an embeddings reply: one for each text, of numbers, all of the same length."""

import base64
import math
from array import array
from collections.abc import Sequence
from operator import itemgetter
from sys import byteorder
from typing import Any

from databricks_serving._core.checks import misfit, wrong
from databricks_serving._core.json_codec import is_list

_VECTOR = "a list of numbers or base64 of float32 numbers"


def check_vectors(items: list[dict[str, Any]], expected: int | None) -> None:
    """Check the vectors, and put them in the order of their texts.

    Args:
        items: Objects with an index and a vector each.
        expected: Number of texts; None if unknown.
    """
    first = 0
    for position, item in enumerate(items):
        path = f"data[{position}].embedding"
        length = _checked_length(item.get("embedding"), path)
        first = first or length
        if length != first:
            raise misfit(f"{path} has {length} numbers, and data[0].embedding {first}")
    _check_indices(items, len(items) if expected is None else expected)
    items.sort(key=itemgetter("index"))


def _check_indices(items: list[dict[str, Any]], count: int) -> None:
    places: dict[int, int] = {}
    for position, item in enumerate(items):
        path, index = f"data[{position}].index", item["index"]
        if not 0 <= index < count:
            raise misfit(f"{path} is {index}, with {count} texts in the request")
        if index in places:
            raise misfit(f"{path} is {index}, and so is data[{places[index]}].index")
        places[index] = position
    if len(places) < count:
        missing = next(index for index in range(count) if index not in places)
        raise misfit(f"data has no vector of index {missing}: {len(places)} for {count} texts")


def _checked_length(vector: Any, path: str) -> int:
    numbers = _decoded(vector) if isinstance(vector, str) else vector
    if not is_list(numbers):
        raise wrong(path, _VECTOR)
    if not numbers:
        raise misfit(f"{path} is empty")
    if not _is_finite_sum(numbers):
        _check_numbers(numbers, path)
    return len(numbers)


def _decoded(text: str) -> list[float] | None:
    numbers = array("f")
    try:
        numbers.frombytes(base64.b64decode(text, validate=True))
    except ValueError:
        return None
    if byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def _is_finite_sum(numbers: Sequence[Any]) -> bool:
    # Millions of numbers: a sum is the cheapest way to see that all of them are some.
    try:
        return math.isfinite(sum(numbers))
    except (TypeError, OverflowError):
        return False


def _check_numbers(numbers: Sequence[Any], path: str) -> None:
    for position, number in enumerate(numbers):
        try:
            good = type(number) in {int, float} and math.isfinite(number)
        except OverflowError:
            good = False
        if not good:
            raise wrong(f"{path}[{position}]", "a finite number")
