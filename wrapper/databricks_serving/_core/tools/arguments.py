"""Keyword arguments of runs of tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Required, TypeAlias

from databricks_serving._core.arguments import ChatCommonArguments, names_of, refuse_unknown
from databricks_serving._core.callbacks import check_callback
from databricks_serving._tool_runs import ToolStep
from databricks_serving.errors import InvalidRequestError
from databricks_serving_api.models import Tool, ToolCall
from databricks_serving_api.params import ResponseFormatDict, ToolDict

ToolErrorHandler: TypeAlias = Callable[[ToolCall, Exception], str]
AnyTool: TypeAlias = Tool | ToolDict | Callable[..., Any]


class ToolRunArguments(ChatCommonArguments, total=False):
    """Keyword arguments of a run of tools: those of a chat call, and these."""

    tools: Required[Sequence[AnyTool]]
    """Functions, `FunctionTool`s, and tools as dicts or models. The latter have no function: a
    call of one ends the run, and stands in `pending`."""
    max_turns: int | None
    """Most calls of the model, 10 if it is not given."""
    parallel: bool | None
    """Make the calls of one turn at once, up to 16 of them: plain functions in threads, `async`
    ones as tasks. False makes one after the other."""
    on_step: Callable[[ToolStep], object] | None
    """Called with each turn when its calls are done."""
    on_tool_error: ToolErrorHandler | Literal["raise"] | None
    """Called with a call and its error, returns what to tell the model; "raise" raises what a tool
    raised. If it is not given, the model is told type and message."""
    response_format: ResponseFormatDict | None
    """As for `create`; some families refuse it beside tools."""


def check_run(arguments: Mapping[str, Any]) -> None:
    """Refuse unknown keywords, and options of a run that cannot work.

    Raises:
        InvalidRequestError: Naming the argument.
    """
    refuse_unknown(arguments, names_of(ToolRunArguments))
    turns = arguments.get("max_turns")
    if turns is not None and (type(turns) is not int or turns < 1):
        raise InvalidRequestError("max_turns must be a whole number of at least 1")
    if not isinstance(arguments.get("parallel"), bool | None):
        raise InvalidRequestError("parallel must be true or false")
    if arguments.get("n") not in {None, 1}:
        raise InvalidRequestError("n must be 1 in a run of tools")
    for name, word in (("on_step", None), ("on_tool_error", "raise")):
        check_callback(name, arguments.get(name), word)
