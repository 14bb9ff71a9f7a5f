"""The vectors of many texts: lists, with what belongs to them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from databricks_serving._core.optional import optional
from databricks_serving.errors import InvalidRequestError, ServingError
from databricks_serving.usage import UsageTotals
from databricks_serving_api._mixins.vectors import are_normalized, array_of, normalized

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

RowT = TypeVar("RowT", bound=list[float] | None)


class _Rows(list[RowT]):
    """A list with a row for each text.

    Attributes:
        model: The model, as the server names it; None if it did not, or was not asked.
        usage: Tokens that the calls used, those counted for texts that were tried twice included.
        failures: The errors of the texts that have no vector, by row.
    """

    def __init__(
        self,
        rows: Sequence[RowT] = (),
        *,
        model: str | None = None,
        usage: UsageTotals | None = None,
        failures: Mapping[int, ServingError] | None = None,
    ) -> None:
        super().__init__(rows)
        self.model = model
        self.usage: UsageTotals = usage or UsageTotals()
        self.failures: dict[int, ServingError] = dict(failures or {})

    @property
    def dimensions(self) -> int:
        """Length of the vectors; 0 if there is none."""
        return next((len(vector) for vector in self if vector is not None), 0)


class Vectors(_Rows[list[float]]):
    """The vectors of texts, in their order: a list of lists of numbers, and more.

    Attributes:
        model: The model, as the server names it; None if it did not, or was not asked.
        usage: Tokens that the calls used.
        failures: Empty, as every text has its vector; see `PartialVectors`.
    """

    def __repr__(self) -> str:
        # A list would write out all numbers.
        return f"Vectors({len(self)} x {self.dimensions}, model={self.model!r})"

    def as_array(self) -> "npt.NDArray[np.float32]":
        """Return the vectors as an array of float32, with a row for each text.

        Raises:
            ConfigError: When numpy is not installed, with the extra that brings it.
        """
        optional("numpy", "as_array()")
        return array_of(self)

    def is_normalized(self, tol: float = 1e-3) -> bool:
        """Tell whether all vectors have length 1, so that their dot products are cosines.

        Args:
            tol: How far a length may be off.
        """
        return are_normalized(self, tol)

    def normalized(self) -> "Vectors":
        """Return these vectors brought to length 1; this list stays as it is.

        Raises:
            InvalidRequestError: Naming the row of a vector that is zero.
        """
        try:
            rows = normalized(self, "vectors")
        except ValueError as error:
            raise InvalidRequestError(str(error)) from None
        return Vectors(rows, model=self.model, usage=self.usage)


class PartialVectors(_Rows[list[float] | None]):
    """The vectors of texts, in their order, with None where a text has none.

    Attributes:
        model: The model, as the server names it; None if it did not, or was not asked.
        usage: Tokens that the calls used.
        failures: The errors of the texts that have no vector, by row.
    """

    def __repr__(self) -> str:
        return (
            f"PartialVectors({len(self)} x {self.dimensions}, model={self.model!r}, "
            f"failures={len(self.failures)})"
        )

    @property
    def rows(self) -> list[int]:
        """The rows of the texts that have a vector."""
        return [row for row, vector in enumerate(self) if vector is not None]

    @property
    def vectors(self) -> Vectors:
        """The vectors of these rows, without gaps."""
        present = [vector for vector in self if vector is not None]
        return Vectors(present, model=self.model, usage=self.usage)

    def complete(self) -> Vectors:
        """Return the vectors of all texts.

        Raises:
            ServingError: The failure of the first text that has none.
        """
        if self.failures:
            raise self.failures[min(self.failures)]
        return self.vectors
