"""What a model predicted, as columns."""

from collections.abc import Callable, Sequence
from typing import Any

from databricks_serving._core.json_codec import is_list, is_object


def columns_of(
    value: Any, name: str, numbered: Callable[[int], Any] = int
) -> dict[Any, Sequence[Any]] | None:
    """Return the columns of a table; None for what is no table.

    Args:
        value: Decoded JSON: a list with an entry for each row (an object, a list, anything else),
            or an object of columns of the same length, or of one row.
        name: What a column without a name is called.
        numbered: Names the columns of rows that are lists.
    """
    if is_object(value):
        return _of_object(value)
    rows = value if is_list(value) else [value]
    if rows and all(map(is_object, rows)):
        names = dict.fromkeys(key for row in rows for key in row)
        return {key: [row.get(key) for row in rows] for key in names}
    if rows and all(map(is_list, rows)) and len({len(row) for row in rows}) == 1:
        columns = zip(*rows, strict=True)
        return {numbered(position): column for position, column in enumerate(columns)}
    return {name: rows}


def _of_object(value: dict[str, Any]) -> dict[Any, Sequence[Any]] | None:
    columns = list(filter(is_list, value.values()))
    if not columns:
        return {key: [item] for key, item in value.items()}
    same = len(columns) == len(value) and len({len(column) for column in columns}) == 1
    return dict(value) if same else None
