"""The tools of a run, as they are sent."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, cast

from databricks_serving._core.json_codec import is_object
from databricks_serving._core.tools.function_tool import FunctionTool
from databricks_serving.errors import InvalidRequestError
from databricks_serving_api.models import Tool
from databricks_serving_api.params import ToolDict
from databricks_serving_api.types import dump


def toolbox(tools: Any, *, awaits: bool) -> list[Tool | ToolDict]:
    """Return tools as they are sent, plain functions among them made tools.

    Raises:
        InvalidRequestError: Naming what is no tool, has another's name, or cannot be called here.
    """
    if not isinstance(tools, list | tuple) or not tools:
        raise InvalidRequestError("tools must be a list of at least one function or tool")
    found: list[Tool | ToolDict] = []
    for position, one in enumerate(cast("Sequence[Any]", tools)):
        made = _made(one, f"tools[{position}]")
        if is_function(made) and made.is_async and not awaits:
            raise InvalidRequestError(
                f"tools[{position}]: {made.name} is async; AsyncServingClient can call it"
            )
        if name_of(made) in map(name_of, found):
            raise InvalidRequestError(f"tools[{position}]: {name_of(made)} is there twice")
        found.append(made)
    return found


def is_function(tool: object) -> TypeGuard[FunctionTool[..., Any]]:
    """Tell whether a tool can be called."""
    return isinstance(tool, FunctionTool)


def _made(one: Any, place: str) -> Tool | ToolDict:
    if isinstance(one, Tool):
        return one
    if isinstance(one, Mapping):
        if not isinstance(name_of(cast("ToolDict", one)), str):
            raise InvalidRequestError(f"{place} has no function with a name")
        return cast("ToolDict", one)
    if not callable(one):
        raise InvalidRequestError(f"{place} must be a function or a tool, not {type(one).__name__}")
    return FunctionTool(one)


def name_of(tool: Tool | ToolDict) -> Any:
    """Return the name of a tool as it is sent; None if it has none."""
    function = dump(tool).get("function")
    return function.get("name") if is_object(function) else None
