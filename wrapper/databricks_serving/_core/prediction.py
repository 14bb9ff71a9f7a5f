"""The reply of a custom model."""

from collections.abc import Iterator, KeysView, Sequence
from typing import TYPE_CHECKING, Any

from databricks_serving._core.columns import columns_of
from databricks_serving._core.optional import optional
from databricks_serving.errors import InvalidResponseError
from databricks_serving_api.models import DatabricksOutput, PredictionResponse
from databricks_serving_api.types import ReplyMeta

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


class Prediction:
    """What a custom model predicted.

    The whole reply is a mapping to read: `reply["predictions"]`, `"trace" in reply`, `to_dict()`.
    Numbers that JSON does not have, which some models send, are `nan` and `inf`.
    """

    __slots__ = ("_data", "_index", "_response")

    def __init__(self, response: PredictionResponse, index: Any = None) -> None:
        self._response = response
        self._data = response.to_dict()
        self._index = index

    def __repr__(self) -> str:
        keys = ", ".join(self._data)
        return f"{type(self).__name__}(keys=[{keys}], request_id={self.request_id!r})"

    def __getitem__(self, key: str) -> Any:
        """Return what the reply has under a key."""
        return self._data[key]

    def __contains__(self, key: object) -> bool:
        return key in self._data

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def keys(self) -> KeysView[str]:
        """Return the keys of the reply, so that `dict(reply)` is the whole of it."""
        return self._data.keys()

    def get(self, key: str, default: Any = None) -> Any:
        """Return what the reply has under a key, or the default."""
        return self._data.get(key, default)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole reply as it came."""
        return dict(self._data)

    @property
    def predictions(self) -> Any:
        """What the model returned, normally one entry for each row; None if the key is missing."""
        return self._data.get("predictions")

    @property
    def outputs(self) -> Any:
        """What an endpoint that serves features returned; None if the key is missing."""
        return self._data.get("outputs")

    @property
    def value(self) -> Any:
        """The predictions, or else the outputs.

        Raises:
            InvalidResponseError: When the reply has neither, as that of a chat model.
        """
        return self._named()[1]

    @property
    def databricks_output(self) -> DatabricksOutput | None:
        """What the platform added, such as a trace."""
        return self._response.databricks_output

    @property
    def meta(self) -> ReplyMeta | None:
        """Status and headers of the response."""
        return self._response.meta

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, if it gave one."""
        return self._response.request_id

    @property
    def served_model_name(self) -> str | None:
        """The served model that answered, if the server said."""
        return self._response.served_model_name

    def to_frame(self) -> "pd.DataFrame":
        """Return the predictions as a frame of pandas.

        Objects give columns of their keys, lists numbered columns, anything else one column
        `predictions`. The index is that of the frame that was sent, if the rows are as many.

        Raises:
            ConfigError: When pandas is not installed.
            InvalidResponseError: When the predictions are no table.
        """
        return self._frame("to_frame()")

    def to_series(self) -> "pd.Series[Any]":
        """Return predictions of one column as a series of pandas, with the index of `to_frame`.

        Raises:
            ConfigError: When pandas is not installed.
            InvalidResponseError: When the predictions have another number of columns.
        """
        frame = self._frame("to_series()")
        if len(frame.columns) != 1:
            raise InvalidResponseError(
                f"the predictions have {len(frame.columns)} columns: use to_frame()"
            )
        return frame.iloc[:, 0]

    def to_polars(self) -> "pl.DataFrame":
        """Return the predictions as a frame of polars, its columns as in `to_frame`.

        Columns without names are `column_0` and so on.

        Raises:
            ConfigError: When polars is not installed.
            InvalidResponseError: When the predictions are no table, or a column mixes types.
        """
        polars = optional("polars", "to_polars()")
        columns = self._columns("column_{}".format, "to_polars()")
        made = {name: _as_polars(polars, name, column) for name, column in columns.items()}
        return polars.DataFrame(made)  # type: ignore[no-any-return]  # an optional import is Any

    def _frame(self, method: str) -> "pd.DataFrame":
        pandas = optional("pandas", method)
        columns = {
            name: _as_pandas(pandas, column) for name, column in self._columns(int, method).items()
        }
        frame: pd.DataFrame = pandas.DataFrame(columns)
        if self._index is not None and len(frame) == len(self._index):
            frame.index = self._index
        return frame

    def _named(self) -> tuple[str, Any]:
        for name in ("predictions", "outputs"):
            if name in self._data:
                return name, self._data[name]
        keys = ", ".join(self._data) or "nothing"
        raise InvalidResponseError(
            f"the reply has neither predictions nor outputs, but {keys}: see to_dict()"
        )

    def _columns(self, numbered: Any, method: str) -> dict[Any, Sequence[Any]]:
        name, value = self._named()
        columns = columns_of(value, name, numbered)
        if columns is None:
            raise InvalidResponseError(
                f"{method} takes rows, or columns of the same length; the {name} are neither"
            )
        return columns


def _as_pandas(pandas: Any, column: Sequence[Any]) -> Any:
    # A missing value would turn whole numbers into floats, and lose digits of the large ones.
    kinds = set(map(type, column))
    if kinds != {int, type(None)}:
        return list(column)
    try:
        return pandas.array(column, dtype="Int64")
    except (OverflowError, TypeError):
        # More than 64 bits.
        return pandas.Series(column, dtype=object)


def _as_polars(polars: Any, name: str, column: Sequence[Any]) -> Any:
    values = list(column)
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int, float}:
        values = [float(value) if type(value) is int else value for value in values]
    try:
        if kinds == {int, float} or len(kinds) <= 1:
            return polars.Series(name, values)
    except (OverflowError, TypeError, ValueError, polars.exceptions.PolarsError):
        pass
    raise InvalidResponseError(f"column {name!r} mixes types, which polars does not take")
