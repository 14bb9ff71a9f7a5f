"""The four forms of rows, each written as JSON text."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from databricks_serving._core import json_codec
from databricks_serving._core.json_codec import Written, is_mapping, is_sequence, kind_of
from databricks_serving._core.rows.arrays import is_array
from databricks_serving._core.rows.cells import (
    AS_FRAME,
    cell,
    is_frame,
    is_polars,
)
from databricks_serving._core.rows.table import Table, check_names, refusal
from databricks_serving._core.rows.unfit import UnfitError
from databricks_serving.errors import InvalidRequestError
from databricks_serving_api.types import Model

_PARTS: Final = ("index", "columns", "data")


class FrameLike(Protocol):
    """A frame of pandas or polars; other libraries' frames are refused."""

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        ...

    @property
    def columns(self) -> Any:
        """Names of the columns."""
        ...


class Rows(NamedTuple):
    """Rows as they are sent, and what their reply is given back of the frame that they were."""

    data: Written
    index: Any = None


def write_rows(form: str, value: Any) -> Rows:
    """Write rows in one of the four forms.

    Args:
        form: The name of the form.
        value: What the user gave for it.

    Raises:
        InvalidRequestError: Naming the form, the column and the row.
    """
    if not is_frame(value):
        return Rows(_WRITERS[form](form, value))
    if form not in {"dataframe_split", "dataframe_records"}:
        raise refusal(form, f"this is a {type(value).__name__}: {AS_FRAME}")
    split = form == "dataframe_split"
    table = _table(form, value, numbers=split)
    rows = table.split() if split else table.records()
    return Rows(_written(form, rows), table.index)


def _table(form: str, frame: Any, *, numbers: bool) -> Table:
    # Each imports its library.
    if is_polars(frame):
        from databricks_serving._core.rows.polars_frames import polars_table  # noqa: PLC0415

        return polars_table(frame, form)
    from databricks_serving._core.rows.pandas_frames import pandas_table  # noqa: PLC0415

    return pandas_table(frame, form, numbers=numbers)


def _write_split(form: str, value: Any) -> Written:
    split = value.to_dict() if isinstance(value, Model) else value
    if not is_mapping(split):
        raise refusal(
            form, f"must be a frame, or a dict of columns and data, not {type(value).__name__}"
        )
    unknown = next((key for key in split if key not in _PARTS), None)
    if unknown is not None:
        raise refusal(form, f"may have index, columns and data, not {unknown!r}")
    data, columns = split.get("data"), split.get("columns")
    if not (is_sequence(data) or is_array(data)):
        raise refusal(form, f"its data must be a list of rows, not {kind_of(data)}")
    if is_sequence(columns):
        check_names(columns, form, numbers=True)
        _check_widths(form, data, len(columns))
    return _write(form, {key: item for key, item in split.items() if item is not None}, gaps=True)


def _check_widths(form: str, data: Any, width: int) -> None:
    for row, values in enumerate(data):
        if is_sequence(values) and len(values) != width:
            raise refusal(form, f"row {row} has {len(values)} cells, for {width} columns")


def _write_records(form: str, value: Any) -> Written:
    if not is_sequence(value):
        raise refusal(form, f"must be a frame, or a list of dicts, not {type(value).__name__}")
    for row, record in enumerate(value):
        if not isinstance(record, Mapping | Model):
            raise refusal(form, f"row {row} must be a dict, not {kind_of(record)}")
    return _write(form, value, gaps=True)


def _write_instances(form: str, value: Any) -> Written:
    if not (is_sequence(value) or is_array(value)):
        raise refusal(form, f"must be a list or an array, not {kind_of(value)}")
    return _write(form, value, gaps=False)


def _write_inputs(form: str, value: Any) -> Written:
    return _write(form, value, gaps=False)


def _write(form: str, value: Any, *, gaps: bool) -> Written:
    data = json_codec.encode_plain(value)
    if data is not None:
        return Written(data)
    try:
        return _written(form, cell(value, gaps=gaps))
    except UnfitError as error:
        fault = f"{error.place} {error.fault}"
    except RecursionError:
        fault = " is nested too deep, or contains itself"
    raise InvalidRequestError(f"{form}{fault}")


def _written(form: str, rows: Any) -> Written:
    try:
        return json_codec.written(rows, clean=True)
    except json_codec.JSONEncodeError as error:
        raise refusal(form, f"it cannot be written as JSON: {error}") from None


_WRITERS: Final[Mapping[str, Callable[[str, Any], Written]]] = {
    "dataframe_split": _write_split,
    "dataframe_records": _write_records,
    "instances": _write_instances,
    "inputs": _write_inputs,
}
