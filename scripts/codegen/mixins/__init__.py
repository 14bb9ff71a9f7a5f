"""Conveniences of generated models; a copy of this package is part of the generated one.

`x-sdk-mixin: true` on a schema puts `<Schema>Mixin` among the bases of its class. A mixin has no
slots of its own and declares the fields that it reads for type checkers only, which report it when
the contract moves away from it.
"""

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
    "ServingEndpointListMixin",
    "ServingEndpointMixin",
    "UsageMixin",
]
