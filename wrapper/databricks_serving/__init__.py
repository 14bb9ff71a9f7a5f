"""Typed client for Databricks model-serving endpoints (unofficial).

from databricks_serving import ServingClient

with ServingClient() as client:
    reply = client.chat.completions.create(
        model="databricks-meta-llama-3-3-70b-instruct",
        messages=[{"role": "user", "content": "What is a lakehouse?"}],
    )
    print(reply.text)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from databricks_serving._version import __version__

if TYPE_CHECKING:
    from databricks_serving import (
        auth,
        bound,
        errors,
        events,
        families,
        models,
        params,
        parts,
        tools,
    )
    from databricks_serving._async.client import AsyncServingClient
    from databricks_serving._async.resources.parsing import AsyncParsedStream
    from databricks_serving._async.resources.predictions import AsyncPredictionStream
    from databricks_serving._async.resources.tool_runs import AsyncToolStream
    from databricks_serving._async.stream import AsyncChunkStream, AsyncEventStream
    from databricks_serving._core.explanation import Explanation
    from databricks_serving._core.prediction import Prediction
    from databricks_serving._core.raw import RawResponse
    from databricks_serving._core.structured.answer import ParsedCompletion
    from databricks_serving._core.tools.function_tool import FunctionTool, tool
    from databricks_serving._core.vector_lists import PartialVectors, Vectors
    from databricks_serving._sync.client import ServingClient
    from databricks_serving._sync.resources.parsing import ParsedStream
    from databricks_serving._sync.resources.predictions import PredictionStream
    from databricks_serving._sync.resources.tool_runs import ToolStream
    from databricks_serving._sync.stream import ChunkStream, EventStream
    from databricks_serving._tool_runs import ToolRun
    from databricks_serving.errors import ServingError
    from databricks_serving.options import CallOptions, ColdStart, Limits, RetryPolicy, Timeouts
    from databricks_serving.usage import UsageMeter, UsageTotals
else:
    # The types and errors alone must not cost the import of an HTTP stack.
    _HOMES = {
        "AsyncChunkStream": "_async.stream",
        "AsyncEventStream": "_async.stream",
        "AsyncParsedStream": "_async.resources.parsing",
        "AsyncPredictionStream": "_async.resources.predictions",
        "AsyncServingClient": "_async.client",
        "AsyncToolStream": "_async.resources.tool_runs",
        "CallOptions": "options",
        "ChunkStream": "_sync.stream",
        "ColdStart": "options",
        "EventStream": "_sync.stream",
        "Explanation": "_core.explanation",
        "FunctionTool": "_core.tools.function_tool",
        "Limits": "options",
        "ParsedCompletion": "_core.structured.answer",
        "ParsedStream": "_sync.resources.parsing",
        "PartialVectors": "_core.vector_lists",
        "Prediction": "_core.prediction",
        "PredictionStream": "_sync.resources.predictions",
        "RawResponse": "_core.raw",
        "RetryPolicy": "options",
        "ServingClient": "_sync.client",
        "ServingError": "errors",
        "Timeouts": "options",
        "ToolRun": "_tool_runs",
        "ToolStream": "_sync.resources.tool_runs",
        "UsageMeter": "usage",
        "UsageTotals": "usage",
        "Vectors": "_core.vector_lists",
        "auth": None,
        "bound": None,
        "errors": None,
        "events": None,
        "families": None,
        "models": None,
        "params": None,
        "parts": None,
        "tool": "_core.tools.function_tool",
        "tools": None,
    }

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first asked for."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = _HOMES[name]
        if home is None:
            return import_module(f"{__name__}.{name}")
        value = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """List the public names, imported or not."""
        return sorted({*globals(), *__all__})


__all__ = [
    "AsyncChunkStream",
    "AsyncEventStream",
    "AsyncParsedStream",
    "AsyncPredictionStream",
    "AsyncServingClient",
    "AsyncToolStream",
    "CallOptions",
    "ChunkStream",
    "ColdStart",
    "EventStream",
    "Explanation",
    "FunctionTool",
    "Limits",
    "ParsedCompletion",
    "ParsedStream",
    "PartialVectors",
    "Prediction",
    "PredictionStream",
    "RawResponse",
    "RetryPolicy",
    "ServingClient",
    "ServingError",
    "Timeouts",
    "ToolRun",
    "ToolStream",
    "UsageMeter",
    "UsageTotals",
    "Vectors",
    "__version__",
    "auth",
    "bound",
    "errors",
    "events",
    "families",
    "models",
    "params",
    "parts",
    "tool",
    "tools",
]
