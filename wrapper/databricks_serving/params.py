"""Typed dictionaries for requests: what the parameters of calls hold, as plain JSON.

Wherever a call takes one of these, it takes the model of the same name (without `Dict`) as well.
"""

from databricks_serving._core.arguments import (
    ChatArguments,
    ChatCommonArguments,
    CompletionArguments,
    EmbeddingArguments,
)
from databricks_serving._core.structured.asking import ParseArguments, ParsedStreamArguments
from databricks_serving._core.tools.arguments import ToolRunArguments
from databricks_serving.options import CallOptions
from databricks_serving_api.params import (
    AssistantMessageDict,
    ChatCommonParams,
    ChatParams,
    CompletionParams,
    ContentPartDict,
    DeveloperMessageDict,
    EmbeddingParams,
    FunctionDefinitionDict,
    ImagePartDict,
    MessageDict,
    ResponseFormatDict,
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
    "ChatCommonArguments",
    "ChatCommonParams",
    "ChatParams",
    "CompletionArguments",
    "CompletionParams",
    "ContentPartDict",
    "DeveloperMessageDict",
    "EmbeddingArguments",
    "EmbeddingParams",
    "FunctionDefinitionDict",
    "ImagePartDict",
    "MessageDict",
    "ParseArguments",
    "ParsedStreamArguments",
    "ResponseFormatDict",
    "SystemMessageDict",
    "TextPartDict",
    "ToolCallDict",
    "ToolChoiceDict",
    "ToolDict",
    "ToolMessageDict",
    "ToolRunArguments",
    "UserMessageDict",
]
