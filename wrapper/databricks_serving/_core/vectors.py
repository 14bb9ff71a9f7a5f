"""The vectors of an embeddings reply: one for each text, of numbers, all of the same length."""

import math
from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from sys import byteorder
from typing import Any

from databricks_serving._core.checks import misfit, wrong
from databricks_serving._core.json_codec import is_list
from databricks_serving_api._mixins.vectors import Packed, decoded

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
    if not _are_finite(packed.numbers.tobytes()):
        _check_numbers(packed.numbers.tolist(), path)
    return packed


def _are_finite(data: bytes) -> bool:
    """Tell whether all float32 in some bytes are finite; all at once, as one large integer."""
    exponents, ones, tops = _lanes(len(data))
    # An exponent of ones alone, which infinities and NaN have, carries into the place of the sign.
    return not (((int.from_bytes(data, byteorder) & exponents) + ones) & tops)


@lru_cache(maxsize=8)
def _lanes(size: int) -> tuple[int, int, int]:
    """Return, for numbers of this size in bytes, all exponents, their lowest bits, all signs."""
    patterns = (0x7F800000, 0x00800000, 0x80000000)
    exponents, ones, tops = (
        int.from_bytes(pattern.to_bytes(4, byteorder) * (size // 4), byteorder)
        for pattern in patterns
    )
    return exponents, ones, tops


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
