"""What a model gets of a tool: its result as text, or what went wrong."""

from types import TracebackType
from typing import Any, Final

from databricks_serving._core.json_codec import encode
from databricks_serving._core.optional import has
from databricks_serving._core.structured.extras import need
from databricks_serving._core.structured.plain import to_plain
from databricks_serving.errors import ServingError
from databricks_serving_api.types import dump

_MOST_SHOWN: Final = 1000
_CALLERS: Final = frozenset({"anyio", "databricks_serving"})


def content_of(value: object) -> str:
    """Return a result as text: a str as it is, anything else as JSON.

    Raises:
        TypeError: When it has no JSON form.
        Exception: Whatever a method of its own raises that should give one.
    """
    if isinstance(value, str):
        return value
    plain = dump(value)
    try:
        data = encode(plain)
    except TypeError:
        data = encode(_plain(plain))
    return data.decode("utf-8", "replace")


def error_text(error: Exception) -> str:
    """Say in a line what a tool raised."""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - a class that people wrote may fail at anything
        said = ""
    kind = type(error).__name__
    return f"{kind}: {said}"[:_MOST_SHOWN] if said else kind


def drop_callers(error: Exception) -> None:
    """Drop the frames from which a tool was called: they hold what the model wrote."""
    trace = error.__traceback__
    while trace is not None and _is_caller(trace):
        trace = trace.tb_next
    error.__traceback__ = None if isinstance(error, ServingError) else trace


def _is_caller(trace: TracebackType) -> bool:
    name: str = trace.tb_frame.f_globals.get("__name__", "")
    return name.partition(".")[0] in _CALLERS


def _plain(value: Any) -> Any:
    if has("msgspec") or not has("pydantic"):
        return to_plain(value)
    try:
        return need("pydantic_core").to_jsonable_python(value)
    except ValueError as error:
        fault = str(error)
    raise TypeError(fault)
