"""A table between a frame and its JSON."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from databricks_serving._core.rows.unfit import UnfitError
from databricks_serving.errors import InvalidRequestError

SourceT = TypeVar("SourceT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns as lists of JSON values.

    Attributes:
        names: Names of the columns.
        columns: The values of each.
        length: Number of rows.
        labels: Labels of the rows; None where they are numbers from 0.
        index: The index of the frame itself, to be put back on the reply; None if it has none.
    """

    names: list[Any]
    columns: list[list[Any]]
    length: int
    labels: list[Any] | None = None
    index: Any = None

    def split(self) -> dict[str, Any]:
        """Return the table by its parts."""
        labels = {} if self.labels is None else {"index": self.labels}
        return {**labels, "columns": self.names, "data": self._rows(tuple)}

    def records(self) -> list[dict[str, Any]]:
        """Return the table as one object for each row."""
        return self._rows(lambda row: dict(zip(self.names, row, strict=True)))

    def _rows(self, make: Callable[[Iterable[Any]], Any]) -> list[Any]:
        if not self.columns:
            return [make(()) for _ in range(self.length)]
        return [make(row) for row in zip(*self.columns, strict=True)]


def check_names(names: Iterable[Any], argument: str, *, numbers: bool) -> None:
    """Refuse columns without names of their own.

    Args:
        names: The names of the columns.
        argument: What errors call the table.
        numbers: Whether a column may be named by a whole number.

    Raises:
        InvalidRequestError: Naming the column.
    """
    seen: set[Any] = set()
    for position, name in enumerate(names):
        number = isinstance(name, int) and not isinstance(name, bool)
        if not (isinstance(name, str) or (numbers and number)):
            found = f"the number {name}" if number else f"a {type(name).__name__}"
            wanted = "a text or a whole number" if numbers else "a text"
            raise refusal(argument, f"the name of column {position} must be {wanted}, not {found}")
        if name in seen:
            raise refusal(argument, f"two columns have the name {name!r}")
        seen.add(name)


def values_of(
    argument: str, column: str, read: Callable[[SourceT], list[Any]], source: SourceT
) -> list[Any]:
    """Return the values of a column.

    Raises:
        InvalidRequestError: Naming the argument, the column and the row.
    """
    try:
        return read(source)
    except UnfitError as error:
        row, _, inner = error.place.removeprefix("[").partition("]")
        where = f"{column}, row {row}{inner and f' at {inner}'}" if error.place else column
        fault = f"{where} {error.fault}"
    except RecursionError:
        fault = f"{column} is nested too deep, or contains itself"
    raise refusal(argument, fault)


def refusal(argument: str, fault: str) -> InvalidRequestError:
    """Return the error for an argument that cannot be sent."""
    return InvalidRequestError(f"{argument}: {fault}")
