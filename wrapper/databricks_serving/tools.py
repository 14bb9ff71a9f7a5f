"""Functions that models may call, and what a run of them gives.

from databricks_serving import ServingClient, tool


@tool
def tide(port: str) -> str:
    '''The tide at a port.'''
    return "low"


run = ServingClient().chat.completions.run_tools(model=..., messages=..., tools=[tide])
print(run.text)
"""

from databricks_serving._core.tools.arguments import AnyTool, ToolErrorHandler
from databricks_serving._core.tools.function_tool import FunctionTool, tool
from databricks_serving._core.tools.functions import Arguments
from databricks_serving._tool_runs import ToolResult, ToolRun, ToolStep

__all__ = [
    "AnyTool",
    "Arguments",
    "FunctionTool",
    "ToolErrorHandler",
    "ToolResult",
    "ToolRun",
    "ToolStep",
    "tool",
]
