"""Typed dictionaries for requests: what the parameters of calls hold, as plain JSON.

Wherever a call takes one of these, it takes the model of the same name (without `Dict`) as well.
"""

from databricks_serving._core.arguments import (
    ChatArguments,
    CompletionArguments,
    DocumentsArguments,
    EmbeddingArguments,
    PredictionArguments,
    QueryArguments,
)
from databricks_serving._core.rows.forms import FrameLike
from databricks_serving.options import CallOptions
from databricks_serving_api.params import (
    AssistantMessageDict,
    AudioUrlPartDict,
    CacheControlDict,
    ChatParams,
    CompletionParams,
    ContentPartDict,
    DeveloperMessageDict,
    EmbeddingParams,
    FilePartDict,
    FunctionDefinitionDict,
    ImagePartDict,
    InputAudioPartDict,
    MessageDict,
    PredictionParams,
    ResponseFormatDict,
    SystemMessageDict,
    TextPartDict,
    ToolCallDict,
    ToolChoiceDict,
    ToolDict,
    ToolMessageDict,
    UserMessageDict,
    VideoUrlPartDict,
)

__all__ = [
    "AssistantMessageDict",
    "AudioUrlPartDict",
    "CacheControlDict",
    "CallOptions",
    "ChatArguments",
    "ChatParams",
    "CompletionArguments",
    "CompletionParams",
    "ContentPartDict",
    "DeveloperMessageDict",
    "DocumentsArguments",
    "EmbeddingArguments",
    "EmbeddingParams",
    "FilePartDict",
    "FrameLike",
    "FunctionDefinitionDict",
    "ImagePartDict",
    "InputAudioPartDict",
    "MessageDict",
    "PredictionArguments",
    "PredictionParams",
    "QueryArguments",
    "ResponseFormatDict",
    "SystemMessageDict",
    "TextPartDict",
    "ToolCallDict",
    "ToolChoiceDict",
    "ToolDict",
    "ToolMessageDict",
    "UserMessageDict",
    "VideoUrlPartDict",
]
