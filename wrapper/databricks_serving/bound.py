"""Handles for one endpoint, as `client.endpoint` makes them: to name their types."""

from databricks_serving._async.resources.bound import (
    AsyncAgentEndpoint,
    AsyncCompletionEndpoint,
    AsyncInferredEndpoint,
    AsyncPredictionEndpoint,
    AsyncResponsesEndpoint,
    AsyncTextEndpoint,
)
from databricks_serving._async.resources.bound_chat import AsyncChatEndpoint
from databricks_serving._async.resources.bound_embeddings import AsyncEmbeddingEndpoint
from databricks_serving._core.binding import (
    EndpointOptions,
    HandleOptions,
    Task,
    TransformInput,
)
from databricks_serving._core.bound import AnyReply
from databricks_serving._sync.resources.bound import (
    AgentEndpoint,
    CompletionEndpoint,
    InferredEndpoint,
    PredictionEndpoint,
    ResponsesEndpoint,
    TextEndpoint,
)
from databricks_serving._sync.resources.bound_chat import ChatEndpoint
from databricks_serving._sync.resources.bound_embeddings import EmbeddingEndpoint

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
