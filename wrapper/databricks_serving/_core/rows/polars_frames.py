"""Frames of polars, column by column."""

from typing import TYPE_CHECKING, Any, Final

from databricks_serving._core.rows.cells import cells
from databricks_serving._core.rows.table import Table, values_of
from databricks_serving._core.rows.unfit import INFINITE, UnfitError

if TYPE_CHECKING:
    import polars as pl

_MOMENT: Final = "%Y-%m-%dT%H:%M:%S%.f"


def polars_table(frame: "pl.DataFrame", argument: str) -> Table:
    """Return the columns of a frame as lists; as `pandas_table`."""
    return Table(
        names=list(frame.columns),
        columns=[
            values_of(argument, f"column {series.name!r}", _values, series)
            for series in frame.get_columns()
        ],
        length=frame.height,
    )


def _values(series: "pl.Series") -> list[Any]:
    import polars as pl  # noqa: PLC0415 - optional, and loaded where there is a frame

    dtype = series.dtype
    if dtype.is_float():
        infinite = series.is_infinite().arg_true()
        if len(infinite):
            raise UnfitError(INFINITE, f"[{infinite[0]}]")
        return series.fill_nan(None).to_list()
    if isinstance(dtype, pl.Datetime):
        # Python's own datetime has no nanoseconds.
        return series.dt.to_string(_MOMENT + ("%:z" if dtype.time_zone else "")).to_list()
    if dtype.is_nested() and "time_unit='ns'" in str(dtype):
        raise UnfitError("has nanoseconds inside lists or structs (cast them to microseconds)")
    values = series.to_list()
    if isinstance(dtype, pl.Struct) and series.null_count():
        # The first versions give a struct of nulls for a missing one.
        missing = series.is_null().to_list()
        values = [None if gone else value for value, gone in zip(values, missing, strict=True)]
    return cells(values)
