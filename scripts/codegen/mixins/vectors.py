"""Conveniences of embeddings, and what can be done with vectors wherever they come from."""

from __future__ import annotations

import math
from array import array
from binascii import a2b_base64
from functools import cache
from sys import byteorder
from typing import TYPE_CHECKING

from databricks_serving_api._mixins.display import Shown, as_table, with_footer
from databricks_serving_api._mixins.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt

    from databricks_serving_api.models import Embedding, Usage


class EmbeddingResponseMixin(Shown, Reply):
    """The vectors without their envelope."""

    __slots__ = ()

    if TYPE_CHECKING:
        data: list[Embedding]
        usage: Usage | None

    def _repr_markdown_(self) -> str:
        shown = [(item.index, len(item.vector), _start(item.vector)) for item in self.data[:5]]
        table = as_table(("text", "numbers", "vector"), shown)
        total = self.usage.total_tokens if self.usage else None
        return with_footer(table, total, f"{len(self.data)} vectors", self.served_model_name)

    @property
    def vectors(self) -> list[list[float]]:
        """The vectors in the order of the request's texts, decoded where sent as base64."""
        return [item.vector for item in self._in_order()]

    def as_array(self) -> npt.NDArray[np.float32]:
        """Return the vectors as an array of float32, with a row for each text.

        Raises:
            ImportError: When numpy is not installed, with the extra that brings it.
        """
        return array_of([item.embedding for item in self._in_order()])

    def is_normalized(self, tol: float = 1e-3) -> bool:
        """Tell whether all vectors have length 1.

        Args:
            tol: How far a length may be off.
        """
        return are_normalized(self.vectors, tol)

    def normalized(self) -> list[list[float]]:
        """Return the vectors brought to length 1.

        Raises:
            ValueError: Naming the row of a vector that is zero.
        """
        return normalized(self.vectors, "vectors")

    def _in_order(self) -> list[Embedding]:
        return sorted(self.data, key=lambda item: item.index)


class EmbeddingMixin:
    """One vector as numbers."""

    __slots__ = ()

    if TYPE_CHECKING:
        embedding: list[float] | str

    @property
    def vector(self) -> list[float]:
        """The vector as numbers, decoded where it was sent as base64."""
        if isinstance(self.embedding, str):
            return decoded(self.embedding).tolist()
        return self.embedding


class Packed(str):  # noqa: SLOT000 - a text cannot have slots for more
    """Base64 of numbers that were looked at, which need not be decoded again."""

    numbers: array[float]


def decoded(text: str) -> array[float]:
    """Return the numbers that base64 of little-endian float32 stands for; not to be changed.

    Raises:
        ValueError: When the text is no base64, or not of whole numbers.
    """
    if isinstance(text, Packed):
        return text.numbers
    numbers = array("f", _base64_decoder()(text))
    if byteorder == "big":
        numbers.byteswap()
    return numbers


@cache
def _base64_decoder() -> Callable[[str], bytes]:
    # Decoding is most of what such an answer costs, and pybase64 takes a fifth of the time.
    try:
        from pybase64 import b64decode  # noqa: PLC0415 - only who has it, for who asks for base64
    except ImportError:
        return lambda text: a2b_base64(text, strict_mode=True)
    return lambda text: b64decode(text, validate=True)


def array_of(vectors: Sequence[Sequence[float] | str]) -> npt.NDArray[np.float32]:
    """Return vectors, or base64 of them, as one array of float32 with a row for each.

    Raises:
        ImportError: When numpy is not installed.
    """
    try:
        import numpy as np  # noqa: PLC0415 - only who asks for an array needs it
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise ImportError("as_array needs numpy: pip install 'databricks-serving[numpy]'") from None
    rows = [decoded(vector) if isinstance(vector, str) else vector for vector in vectors]
    filled = np.empty((len(rows), len(rows[0]) if rows else 0), np.float32)
    for position, row in enumerate(rows):
        filled[position] = row
    return filled


def are_normalized(vectors: Sequence[Sequence[float]], tol: float) -> bool:
    """Tell whether each vector's length is 1, or off by no more than `tol`."""
    return all(abs(math.hypot(*vector) - 1) <= tol for vector in vectors)


def normalized(vectors: Sequence[Sequence[float]], place: str) -> list[list[float]]:
    """Return vectors of the same directions and of length 1.

    Args:
        vectors: The vectors.
        place: What to call a list of them in an error.

    Raises:
        ValueError: Naming the row of a vector that is zero.
    """
    made: list[list[float]] = []
    for row, vector in enumerate(vectors):
        length = math.hypot(*vector)
        if not length:
            raise ValueError(f"{place}[{row}] is zero and has no direction")
        made.append([number / length for number in vector])
    return made


def _start(vector: list[float]) -> str:
    shown = ", ".join(f"{number:.4g}" for number in vector[:4])
    return f"{shown}, ..." if len(vector) > 4 else shown  # noqa: PLR2004 - as many as shown
