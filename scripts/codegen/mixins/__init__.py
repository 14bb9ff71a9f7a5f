"""Conveniences of generated models; a copy of this package is part of the generated one.

`x-sdk-mixin: true` on a schema puts `<Schema>Mixin` among the bases of its class. A mixin has no
slots of its own and declares the fields that it reads for type checkers only, which report it when
the contract moves away from it.
"""

from databricks_serving_api._mixins.agents import (
    AgentChunkMixin,
    AgentMessageMixin,
    AgentReplyMixin,
    ResponsesEventMixin,
    ResponsesMessageMixin,
    ResponsesReplyMixin,
    ResponsesUsageMixin,
)
from databricks_serving_api._mixins.endpoints import (
    EndpointOpenApiMixin,
    ServingEndpointListMixin,
    ServingEndpointMixin,
)
from databricks_serving_api._mixins.tasks import (
    ChatCompletionChunkMixin,
    ChatCompletionMixin,
    ChatDeltaMixin,
    CompletionChunkMixin,
    CompletionMixin,
    PredictionResponseMixin,
    ResponseMessageMixin,
    UsageMixin,
)
from databricks_serving_api._mixins.vectors import EmbeddingMixin, EmbeddingResponseMixin

__all__ = [
    "AgentChunkMixin",
    "AgentMessageMixin",
    "AgentReplyMixin",
    "ChatCompletionChunkMixin",
    "ChatCompletionMixin",
    "ChatDeltaMixin",
    "CompletionChunkMixin",
    "CompletionMixin",
    "EmbeddingMixin",
    "EmbeddingResponseMixin",
    "EndpointOpenApiMixin",
    "PredictionResponseMixin",
    "ResponseMessageMixin",
    "ResponsesEventMixin",
    "ResponsesMessageMixin",
    "ResponsesReplyMixin",
    "ResponsesUsageMixin",
    "ServingEndpointListMixin",
    "ServingEndpointMixin",
    "UsageMixin",
]
