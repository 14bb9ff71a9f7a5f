"""What the packages that `databricks-serving contract endpoint` makes call.

It is not meant to be called by hand.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, cast

from databricks_serving.errors import InvalidRequestError, InvalidResponseError
from databricks_serving_api.types import Model

if TYPE_CHECKING:
    from databricks_serving import Prediction
    from databricks_serving.params import FrameLike

Columns: TypeAlias = Sequence[tuple[str, bool, bool]]
"""For each column its name, whether it must be there, and whether it may be null."""
Shape: TypeAlias = Mapping[str, Any]
"""A small part of JSON Schema: `type`, `format`, `items`, `properties`, `required`, and `values`
and `nullable` besides."""

_TYPES: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "string": ((str,), "a text"),
    "array": ((list,), "a list"),
    "object": ((dict,), "an object"),
}
_NAMES: Final[Mapping[type, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number with a fraction",
    str: "a text",
    list: "a list",
    dict: "an object",
}


class ArrayLike(Protocol):
    """An array of numpy, or of what looks like one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions."""
        ...

    @property
    def dtype(self) -> Any:
        """Type of the values."""
        ...


def split(rows: "Sequence[Model] | FrameLike", row: type[Model], columns: Columns) -> Any:
    """Return rows as `dataframe_split` takes them, columns in the order of the signature.

    A column that may be absent is left out when no row has it: MLflow makes numbers with gaps out
    of a column of nulls, and refuses those where the signature says whole numbers.

    Args:
        rows: The rows, or a frame.
        row: Their class.
        columns: The columns.

    Raises:
        InvalidRequestError: When a row is none or lacks a value, or the columns of a frame are
            others.
    """
    if _is_frame(rows):
        return _ordered(rows, columns)
    cells = _records(rows, row, columns)
    named = [
        name for name, required, _ in columns if required or any(name in record for record in cells)
    ]
    return {"columns": named, "data": [[record.get(name) for name in named] for record in cells]}


def records(rows: "Sequence[Model] | FrameLike", row: type[Model], columns: Columns) -> Any:
    """Return rows as `dataframe_records` and `instances` take them; as `split`."""
    return _ordered(rows, columns) if _is_frame(rows) else _records(rows, row, columns)


def _is_frame(rows: object) -> bool:
    return hasattr(rows, "columns") and hasattr(rows, "shape") and not isinstance(rows, Model)


def _ordered(frame: Any, columns: Columns) -> Any:
    """Return the columns of a frame in the order of the signature."""
    found: list[object] = list(frame.columns)
    for name, required, _ in columns:
        if required and name not in found:
            raise InvalidRequestError(f"rows has no column {name!r}")
    ordered = [name for name, _, _ in columns if name in found]
    if unknown := [name for name in found if name not in ordered]:
        raise InvalidRequestError(f"rows has {unknown[0]!r}, which is no column of the model")
    return frame[ordered]


def _records(rows: object, row: type[Model], columns: Columns) -> list[dict[str, Any]]:
    known = {name for name, _, _ in columns}
    found: list[dict[str, Any]] = []
    for at, given in enumerate(listed(rows, row.__name__)):
        if not isinstance(given, row):
            raise InvalidRequestError(
                f"rows[{at}] must be of the class {row.__name__}, not {type(given).__name__}"
            )
        record = given.to_dict()
        for name, _, nullable in columns:
            if not nullable and record.get(name) is None:
                raise InvalidRequestError(f"rows[{at}] has no value for {name!r}")
        if unknown := record.keys() - known:
            raise InvalidRequestError(
                f"rows[{at}] has {min(unknown)!r}, which is no column of the model"
            )
        found.append(record)
    return found


def listed(rows: object, kind: str) -> list[Any]:
    """Return rows as a list.

    Raises:
        InvalidRequestError: When they are none, such as one text or one row alone.
    """
    if not isinstance(rows, Sequence) or isinstance(rows, str | bytes):
        raise InvalidRequestError(
            f"rows must be a list, an entry of {kind} for each row, not {type(rows).__name__}"
        )
    return list(cast("Sequence[object]", rows))


def tensor(value: Any, shape: tuple[int, ...], name: str) -> Any:
    """Return an array or nested lists as they are.

    Args:
        value: The array.
        shape: The sizes of its dimensions; -1 is any.
        name: What the argument is called.

    Raises:
        InvalidRequestError: When the sizes are others.
    """
    sizes = _sizes(value)
    if len(sizes) != len(shape) or any(
        size not in {-1, found} for size, found in zip(shape, sizes, strict=True)
    ):
        raise InvalidRequestError(
            f"{name} must have the shape {_shown(shape)}, and has {_shown(sizes)}"
        )
    return value


def _sizes(value: Any) -> tuple[int, ...]:
    known = getattr(value, "shape", None)
    if isinstance(known, tuple):
        return cast("tuple[int, ...]", known)
    sizes: list[int] = []
    while isinstance(value, list | tuple):
        items = cast("Sequence[Any]", value)
        sizes.append(len(items))
        value = items[0] if items else None
    return tuple(sizes)


def _shown(shape: tuple[int, ...]) -> str:
    return f"({', '.join('any' if size == -1 else str(size) for size in shape)})"


def tensors(values: object, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, dict[str, Any]]:
    """Return named arrays as `inputs` takes them, whatever their names are.

    Raises:
        InvalidRequestError: When one is missing, unknown, or of another shape.
    """
    if not isinstance(values, Mapping):
        raise InvalidRequestError(f"inputs must be a dict of arrays, not {type(values).__name__}")
    arrays = cast("Mapping[str, Any]", values)
    for name in [*arrays, *shapes]:
        if name not in shapes:
            raise InvalidRequestError(f"inputs has {name!r}, which the contract does not list")
        if name not in arrays:
            raise InvalidRequestError(f"inputs has no {name!r}")
    found = {
        name: tensor(arrays[name], shape, f"inputs[{name!r}]") for name, shape in shapes.items()
    }
    return {"inputs": found}


def given(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what is not None; None when nothing is left."""
    return {name: dump(value) for name, value in values.items() if value is not None} or None


def beside(options: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a call with further keys of its body.

    Raises:
        InvalidRequestError: When `extra_body` is no mapping.
    """
    extra: object = options.get("extra_body") or {}
    if not isinstance(extra, Mapping):
        raise InvalidRequestError(f"extra_body must be a dict, not {type(extra).__name__}")
    body = {**(given(values) or {}), **cast("Mapping[str, Any]", extra)}
    return {**options, "extra_body": body} if body else dict(options)


def read(prediction: "Prediction", shape: Shape) -> Any:
    """Return the predictions, once they have the shape that the contract says.

    Raises:
        InvalidResponseError: Naming the place of what does not fit.
    """
    value = prediction.value
    try:
        _check(value, shape, "predictions" if "predictions" in prediction else "outputs")
    except InvalidResponseError as error:
        error.request_id = prediction.request_id
        raise
    return value


def _check(value: Any, shape: Shape, place: str) -> None:
    kind = shape.get("type")
    if kind is None or (value is None and shape.get("nullable")):
        return
    types, wanted = _TYPES[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "boolean"):
        raise _unfit(place, wanted, value)
    if shape.get("format") == "date-time" and not isinstance(as_datetime(value), datetime):
        raise InvalidResponseError(f"{place} must be a date and time in ISO 8601")
    if kind == "array":
        for at, item in enumerate(cast("Sequence[Any]", value)):
            _check(item, shape["items"], f"{place}[{at}]")
    elif kind == "object":
        _check_object(cast("Mapping[str, Any]", value), shape, place)


def _check_object(value: Mapping[str, Any], shape: Shape, place: str) -> None:
    for name in shape.get("required", ()):
        if name not in value:
            raise InvalidResponseError(f"{place} has no {name!r}, which the contract lists")
    properties: Mapping[str, Shape] = shape.get("properties", {})
    values: Shape = shape.get("values", {})
    for name, item in value.items():
        _check(item, properties.get(name, values), f"{place}.{name}")


def _unfit(place: str, wanted: str, value: Any) -> InvalidResponseError:
    found = (
        "null"
        if value is None
        else next(
            (name for kind, name in _NAMES.items() if isinstance(value, kind)), "something else"
        )
    )
    return InvalidResponseError(f"{place} must be {wanted}, not {found}")


def as_datetime(value: Any) -> Any:
    """Read a point in time; what is none stays as it came."""
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value


def dump(value: Any) -> Any:
    """Turn models and points in time into plain JSON, at any depth."""
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: dump(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [dump(item) for item in cast("Sequence[Any]", value)]
    return value
