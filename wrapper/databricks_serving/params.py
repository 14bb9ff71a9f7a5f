"""Typed dictionaries for requests: what the parameters of calls hold, as plain JSON.

Wherever a call takes one of these, it takes the model of the same name (without `Dict`) as well.
"""

from databricks_serving._core.arguments import (
    ChatArguments,
    CompletionArguments,
    EmbeddingArguments,
    PredictionArguments,
    ResponsesArguments,
)
from databricks_serving._core.rows.forms import FrameLike
from databricks_serving.options import CallOptions
from databricks_serving_api.params import (
    AssistantMessageDict,
    ChatParams,
    CompletionParams,
    ContentPartDict,
    DeveloperMessageDict,
    EmbeddingParams,
    FunctionDefinitionDict,
    ImagePartDict,
    MessageDict,
    PredictionParams,
    ResponseFormatDict,
    ResponsesInputItemDict,
    ResponsesParams,
    SystemMessageDict,
    TextPartDict,
    ToolCallDict,
    ToolChoiceDict,
    ToolDict,
    ToolMessageDict,
    UserMessageDict,
)

__all__ = [
    "AssistantMessageDict",
    "CallOptions",
    "ChatArguments",
    "ChatParams",
    "CompletionArguments",
    "CompletionParams",
    "ContentPartDict",
    "DeveloperMessageDict",
    "EmbeddingArguments",
    "EmbeddingParams",
    "FrameLike",
    "FunctionDefinitionDict",
    "ImagePartDict",
    "MessageDict",
    "PredictionArguments",
    "PredictionParams",
    "ResponseFormatDict",
    "ResponsesArguments",
    "ResponsesInputItemDict",
    "ResponsesParams",
    "SystemMessageDict",
    "TextPartDict",
    "ToolCallDict",
    "ToolChoiceDict",
    "ToolDict",
    "ToolMessageDict",
    "UserMessageDict",
]
