"""Predictions by rule: the sum of the numbers of a row, times the parameter `scale`.

A row with a `prompt` is answered with a text, as models with the legacy completion contract do.
"""

import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from databricks_serving.local.backends.deterministic import legacy
from databricks_serving.local.errors import RefusedError
from databricks_serving.local.jsontypes import Json, is_list, is_object
from databricks_serving.local.rows import FORMS


def reply(request: Json) -> Json:
    """A number for each row, by name where the rows are named."""
    scale = _scale(request)
    rows = _rows(request)
    if is_object(rows):
        return {"predictions": {name: _sums(value, scale) for name, value in rows.items()}}
    return {"predictions": _sums(rows, scale)}


def events(request: Json) -> Iterator[Json]:
    """One event for each row, or for each name."""
    predictions = reply(request)["predictions"]
    if is_object(predictions):
        return ({"name": name, "prediction": value} for name, value in predictions.items())
    return ({"row": row, "prediction": value} for row, value in enumerate(predictions))


def _rows(request: Json) -> Any:
    form = next(name for name in FORMS if name in request)
    rows = request[form]
    return rows["data"] if form == "dataframe_split" else rows


def _scale(request: Json) -> float:
    scale = request.get("params", {}).get("scale", 1)
    if isinstance(scale, bool) or not isinstance(scale, int | float):
        raise RefusedError(
            HTTPStatus.BAD_REQUEST, "INVALID_PARAMETER_VALUE", "params.scale must be a number."
        )
    return scale


def _sums(rows: Any, scale: float) -> list[float | str | None]:
    return [_answer(row, scale) for row in (rows if is_list(rows) else [rows])]


def _answer(row: Any, scale: float) -> float | str | None:
    if is_object(row) and legacy.has_prompt(row):
        return legacy.answer(row)
    return _scaled(_numbers(row), scale)


def _scaled(numbers: Iterator[float], scale: float) -> float | None:
    try:
        total = sum(numbers) * scale
        return total if math.isfinite(total) else None
    except OverflowError:
        return None


def _numbers(value: Any) -> Iterator[float]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if is_list(one) or is_object(one):
            waiting += reversed(list(one.values() if is_object(one) else one))
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield one
