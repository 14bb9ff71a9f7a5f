"""The vectors of an embeddings reply: one for each text, of numbers, all of the same length."""

import math
from collections.abc import Sequence
from operator import itemgetter
from sys import byteorder
from typing import Any

from databricks_serving._core.checks import misfit, wrong
from databricks_serving._core.json_codec import is_list
from databricks_serving_api._mixins.vectors import Packed, decoded

# Where a float32 has its sign and the upper bits of its exponent.
_TOP = 3 if byteorder == "little" else 0
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
        vector = item.get("embedding")
        if isinstance(vector, str):
            vector = item["embedding"] = _packed(vector, path)
            length = len(vector.numbers)
        else:
            length = _checked_length(vector, path)
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


def _packed(text: str, path: str) -> Packed:
    """Return base64 with the numbers that it stands for."""
    packed = Packed(text)
    try:
        packed.numbers = decoded(text)
    except ValueError:
        raise wrong(path, _VECTOR) from None
    if not packed.numbers:
        raise misfit(f"{path} is empty")
    if _may_be_infinite(packed.numbers.tobytes()):
        _check_numbers(packed.numbers.tolist(), path)
    return packed


def _may_be_infinite(data: bytes) -> bool:
    """Tell whether some float32 in some bytes may be none that is finite, at a glance.

    The upper bits of an exponent stand in one byte, where infinities, NaN and finite numbers from
    1.7e38 on have ones.
    """
    tops = data[_TOP::4]
    return b"\x7f" in tops or b"\xff" in tops


def _checked_length(numbers: Any, path: str) -> int:
    if not is_list(numbers):
        raise wrong(path, _VECTOR)
    if not numbers:
        raise misfit(f"{path} is empty")
    if not _is_finite_sum(numbers):
        _check_numbers(numbers, path)
    return len(numbers)


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
