"""Handles for one endpoint, as `client.endpoint` makes them: to name their types."""

from databricks_serving._async.resources.bound import (
    AsyncAgentEndpoint,
    AsyncChatEndpoint,
    AsyncCompletionEndpoint,
    AsyncEmbeddingEndpoint,
    AsyncInferredEndpoint,
    AsyncPredictionEndpoint,
    AsyncResponsesEndpoint,
    AsyncTextEndpoint,
)
from databricks_serving._core.binding import (
    EndpointOptions,
    HandleOptions,
    Task,
    TransformInput,
)
from databricks_serving._core.bound import AnyReply
from databricks_serving._sync.resources.bound import (
    AgentEndpoint,
    ChatEndpoint,
    CompletionEndpoint,
    EmbeddingEndpoint,
    InferredEndpoint,
    PredictionEndpoint,
    ResponsesEndpoint,
    TextEndpoint,
)

__all__ = [
    "AgentEndpoint",
    "AnyReply",
    "AsyncAgentEndpoint",
    "AsyncChatEndpoint",
    "AsyncCompletionEndpoint",
    "AsyncEmbeddingEndpoint",
    "AsyncInferredEndpoint",
    "AsyncPredictionEndpoint",
    "AsyncResponsesEndpoint",
    "AsyncTextEndpoint",
    "ChatEndpoint",
    "CompletionEndpoint",
    "EmbeddingEndpoint",
    "EndpointOptions",
    "HandleOptions",
    "InferredEndpoint",
    "PredictionEndpoint",
    "ResponsesEndpoint",
    "Task",
    "TextEndpoint",
    "TransformInput",
]
