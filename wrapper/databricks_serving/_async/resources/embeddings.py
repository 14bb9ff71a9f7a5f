"""Embeddings, as the asynchronous client offers them."""

from typing import Unpack

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._core.arguments import EmbeddingArguments, public_method
from databricks_serving._core.operations import EMBEDDING
from databricks_serving._core.raw import RawResponse
from databricks_serving_api.models import EmbeddingResponse


class AsyncEmbeddings:
    """Embeddings: endpoints with task `llm/v1/embeddings`."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "AsyncRawEmbeddings":
        """The same methods, returning HTTP responses."""
        return AsyncRawEmbeddings(self._caller)

    @public_method(EmbeddingArguments)
    async def create(
        self, *, model: str, **arguments: Unpack[EmbeddingArguments]
    ) -> EmbeddingResponse:
        """Embed one text or several; raises what `AsyncChatCompletions.create` raises.

        A parameter that is not given, or None, is not sent.

        Args:
            model: Name of the endpoint.
            **arguments: The parameters of an embedding request, documented on `EmbeddingParams`,
                and the options of every call, documented on `CallOptions`.
        """
        return await self._caller.reply(EMBEDDING, model, arguments)


class AsyncRawEmbeddings:
    """Embeddings, returning HTTP responses."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @public_method(EmbeddingArguments)
    async def create(
        self, *, model: str, **arguments: Unpack[EmbeddingArguments]
    ) -> RawResponse[EmbeddingResponse]:
        """Embed one text or several; takes and raises what `AsyncEmbeddings.create` does."""
        return await self._caller.raw(EMBEDDING, model, arguments)
