"""What a model gets of a tool: its result as text, or what went wrong."""

from typing import Any, Final

from databricks_serving._core.json_codec import encode
from databricks_serving._core.structured.extras import has, need
from databricks_serving._core.structured.plain import to_plain
from databricks_serving_api.types import dump

_MOST_SHOWN: Final = 1000


def content_of(value: object) -> str:
    """Return a result as text: a str as it is, anything else as JSON.

    Raises:
        TypeError: When it has no JSON form.
    """
    if isinstance(value, str):
        return value
    return encode(_plain(dump(value))).decode("utf-8", "replace")


def error_text(error: Exception) -> str:
    """Say in a line what a tool raised."""
    return f"{type(error).__name__}: {error}"[:_MOST_SHOWN]


def _plain(value: Any) -> Any:
    if has("msgspec") or not has("pydantic"):
        return to_plain(value)
    try:
        return need("pydantic_core").to_jsonable_python(value)
    except ValueError as error:
        fault = str(error)
    raise TypeError(fault)
