"""Frames of pandas, column by column."""

from typing import TYPE_CHECKING, Any, Final

from databricks_serving._core.rows.arrays import array_values
from databricks_serving._core.rows.cells import cells
from databricks_serving._core.rows.table import Table, check_names, refusal, values_of
from databricks_serving._core.rows.unfit import UnfitError

if TYPE_CHECKING:
    import pandas as pd

_REFUSED: Final = {
    "Interval": "has intervals (pass their ends as two columns)",
    "Period": "has periods (pass astype(str) of it, or to_timestamp())",
    "Sparse": "is sparse (pass it dense, by sparse.to_dense())",
}


def pandas_table(frame: "pd.DataFrame", argument: str, *, numbers: bool) -> Table:
    """Return the columns of a frame as lists.

    Args:
        frame: The frame, which stays as it is.
        argument: What errors call it.
        numbers: Whether columns may be named by whole numbers.

    Raises:
        InvalidRequestError: Naming column and row of what cannot be sent.
    """
    if frame.columns.nlevels > 1:
        raise refusal(argument, "its columns have several levels: give each one name")
    names = [_plain(name) for name in frame.columns]
    check_names(names, argument, numbers=numbers)
    index = frame.index
    return Table(
        names=names,
        columns=[
            values_of(argument, f"column {name!r}", _values, frame.iloc[:, position])
            for position, name in enumerate(names)
        ],
        length=len(frame),
        labels=None if _is_default(index) else _labels(index, argument),
        index=index,
    )


def _plain(name: Any) -> Any:
    if isinstance(name, str):
        return str(name)
    return name.item() if type(name).__module__ == "numpy" else name


def _is_default(index: "pd.Index[Any]") -> bool:
    import pandas as pd  # noqa: PLC0415 - optional, and loaded where there is a frame

    return isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1


def _labels(index: "pd.Index[Any]", argument: str) -> list[Any]:
    if index.nlevels > 1:
        raise refusal(argument, "its index has several levels: use reset_index()")
    return values_of(argument, "the index", _values, index.to_series())


def _values(series: Any) -> list[Any]:
    import numpy as np  # noqa: PLC0415 - pandas brings it
    import pandas as pd  # noqa: PLC0415 - optional, and loaded where there is a frame

    dtype: Any = series.dtype
    if isinstance(dtype, np.dtype):
        array = series.to_numpy()
        return cells(array) if dtype.kind == "O" else array_values(array, gaps=True)
    if isinstance(dtype, pd.CategoricalDtype):
        kinds = _values(dtype.categories.to_series())
        return [None if code < 0 else kinds[code] for code in series.cat.codes.to_numpy().tolist()]
    kind = type(dtype).__name__.removesuffix("Dtype")
    if kind in _REFUSED:
        raise UnfitError(_REFUSED[kind])
    if dtype.kind == "f":
        values: list[Any] = array_values(series.to_numpy("float64", na_value=np.nan), gaps=True)
        return values
    return cells(series.to_numpy(dtype=object, na_value=None))
