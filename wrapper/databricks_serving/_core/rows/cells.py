"""Values of rows as JSON.

No value is changed but in form: a date becomes text, bytes become base64, and what is missing in a
table becomes null. What JSON cannot hold is refused.
"""

import base64
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from types import NoneType
from typing import Any, Final
from uuid import UUID

from databricks_serving._core.json_codec import INTEGERS, kind_of
from databricks_serving._core.rows.arrays import array_values, is_array
from databricks_serving._core.rows.unfit import COMPLEX, DURATION, INFINITE, MISSING, UnfitError
from databricks_serving_api.types import Model

AS_FRAME: Final = "pass a frame as dataframe_split= or dataframe_records="
_JSON: Final = frozenset({str, bool, NoneType})
# Of pandas; their classes are not public.
_MISSING: Final = frozenset({"NAType", "NaTType"})


def cells(values: Iterable[Any], *, gaps: bool = True) -> list[Any]:
    """Return values as JSON.

    Args:
        values: The values.
        gaps: Whether a value may be missing (NaN and the like), to become null.

    Raises:
        UnfitError: With the place of the value that JSON cannot hold.
    """
    items = list(values)
    if _JSON.issuperset(map(type, items)):
        return items
    found: list[Any] = []
    try:
        for item in items:
            found.append(cell(item, gaps=gaps))  # noqa: PERF401 - an error counts what was found
    except UnfitError as error:
        error.place = f"[{len(found)}]{error.place}"
        raise
    return found


def cell(value: Any, *, gaps: bool) -> Any:
    """Return one value as JSON, at any depth; as `cells`."""
    kind = type(value)  # pyright: ignore[reportUnknownVariableType] - of anything
    if kind in _JSON:
        return value
    if kind is float or kind is int:
        return _number(value, gaps=gaps)
    for types, convert in _CONVERTERS:
        if isinstance(value, types):
            return convert(value, gaps)
    if _is_of("decimal", "Decimal", value):
        return _decimal(value, gaps=gaps)
    if is_array(value):
        return _array(value, gaps=gaps)
    if kind.__name__ in _MISSING and kind.__module__.startswith("pandas."):
        return _gap(gaps=gaps)
    raise UnfitError(f"is of type {_named(value)}")


def _gap(*, gaps: bool) -> Any:
    if not gaps:
        raise UnfitError(MISSING)
    return None


def _number(value: float, *, gaps: bool) -> Any:
    if isinstance(value, int):
        if value not in INTEGERS:
            raise UnfitError("is an integer of more than 64 bits")
        return int(value)
    if math.isfinite(value):
        return float(value)
    if math.isinf(value):
        raise UnfitError(INFINITE)
    return _gap(gaps=gaps)


def _decimal(value: Any, *, gaps: bool) -> Any:
    if value.is_nan():
        return _gap(gaps=gaps)
    number = float(value)
    if math.isinf(number):
        raise UnfitError(INFINITE)
    # As many digits as a reader of JSON sees.
    if type(value)(repr(number)) != value:
        raise UnfitError(
            "is a Decimal of more digits than a float holds (pass a float or a text instead)"
        )
    return number


def _moment(value: date, gaps: bool) -> Any:
    # NaT alone is unlike itself.
    return value.isoformat() if value == value else _gap(gaps=gaps)  # noqa: PLR0124 - as said


def _mapping(value: Mapping[Any, Any], gaps: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise UnfitError(f"has a key of type {type(key).__name__}")
        try:
            found[str(key)] = cell(item, gaps=gaps)
        except UnfitError as error:
            error.place = f".{key}{error.place}"
            raise
    return found


def _array(value: Any, *, gaps: bool) -> Any:
    found = array_values(value, gaps=gaps)
    return cell(found, gaps=gaps) if value.dtype.kind == "O" else found


def _refused(fault: str) -> Callable[[Any, bool], Any]:
    def refuse(_value: Any, _gaps: bool) -> Any:
        raise UnfitError(fault)

    return refuse


def _named(value: object) -> str:
    return f"{type(value).__name__} ({AS_FRAME})" if is_frame(value) else kind_of(value)


def is_frame(value: object) -> bool:
    """Tell whether a value is a frame of pandas or polars, without importing either."""
    return _is_of("pandas", "DataFrame", value) or is_polars(value)


def is_polars(value: object) -> bool:
    """Tell whether a value is a frame of polars."""
    return _is_of("polars", "DataFrame", value)


def _is_of(module: str, name: str, value: object) -> bool:
    """Tell whether a value is of a class; where its module is not loaded nothing is."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


# The narrower type first: a boolean is an integer, an enum may be a text, a datetime is a date.
_CONVERTERS: Final[tuple[tuple[type | tuple[type, ...], Callable[[Any, bool], Any]], ...]] = (
    (Enum, lambda value, gaps: cell(value.value, gaps=gaps)),
    ((str, UUID), lambda value, _: str(value)),
    ((int, float), lambda value, gaps: _number(value, gaps=gaps)),
    ((list, tuple), lambda value, gaps: cells(value, gaps=gaps)),
    (Mapping, _mapping),
    (Model, lambda value, gaps: cell(value.to_dict(), gaps=gaps)),
    ((datetime, date), _moment),
    ((bytes, bytearray, memoryview), lambda value, _: base64.b64encode(value).decode("ascii")),
    (timedelta, _refused(DURATION)),
    (time, _refused("is a time of day (pass its isoformat() instead)")),
    (complex, _refused(COMPLEX)),
)
