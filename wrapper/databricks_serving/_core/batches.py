"""How texts are shared out among requests."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from databricks_serving._core import json_codec
from databricks_serving._core.json_codec import kind_of
from databricks_serving.errors import InvalidRequestError

_COMMA: Final = 1


def list_of_texts(texts: Any) -> list[str]:
    """Return texts as a list of its own, which the user's code does not change any more.

    Raises:
        InvalidRequestError: Naming the row that is not a text.
    """
    expected = "texts must be a list of str, or another iterable of them in a fixed order"
    if isinstance(texts, str | bytes | bytearray):
        raise InvalidRequestError(f"{expected}, not one {type(texts).__name__}; see embed_query")
    if not _is_ordered(texts):
        raise InvalidRequestError(f"{expected}, not {type(texts).__name__}")
    rows: list[Any] = list(texts)
    for row, text in enumerate(rows):
        if not isinstance(text, str):
            raise InvalidRequestError(f"{expected}; texts[{row}] is {kind_of(text)}")
    return rows


def sizes_of(texts: Sequence[str]) -> list[int]:
    """Return how many bytes each text takes in a request."""
    return [len(json_codec.encode(text)) + _COMMA for text in texts]


def batches_of(sizes: Sequence[int], most: int, most_bytes: int) -> list[range]:
    """Return the rows of each batch.

    Args:
        sizes: The bytes of each text.
        most: The largest number of texts in a batch.
        most_bytes: The largest size of a batch; a text that is larger has one to itself.
    """
    batches: list[range] = []
    start = total = 0
    for row, size in enumerate(sizes):
        if row > start and (row - start == most or total + size > most_bytes):
            batches.append(range(start, row))
            start, total = row, 0
        total += size
    return [*batches, range(start, len(sizes))] if sizes else []


def halves(batch: range) -> list[range]:
    """Return the halves of a batch of two or more."""
    middle = len(batch) // 2
    return [batch[:middle], batch[middle:]]


def cut(batch: range, most: int) -> list[range]:
    """Return a batch in pieces of no more than `most` texts."""
    return [batch[start : start + most] for start in range(0, len(batch), most)]


def name_of(batch: range) -> str:
    """Name the texts of a batch."""
    first = f"texts[{batch[0]}]"
    return first if len(batch) == 1 else f"{first} to texts[{batch[-1]}]"


def _is_ordered(value: object) -> bool:
    # Neither keys of a mapping nor members of a set have an order that vectors could be in.
    return isinstance(value, Iterable) and not isinstance(value, Mapping | AbstractSet)
