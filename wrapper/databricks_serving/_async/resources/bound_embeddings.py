"""A handle for one embedding endpoint, as the asynchronous client makes it."""

from collections.abc import Iterable
from typing import Literal, TypeVar, Unpack, overload

from databricks_serving._async.resources.bound_base import AsyncBoundEndpoint
from databricks_serving._async.resources.embeddings import AsyncEmbeddings
from databricks_serving._core.arguments import (
    BoundEmbeddingArguments,
    DocumentsArguments,
    QueryArguments,
    public_method,
)
from databricks_serving._core.vector_lists import PartialVectors, Vectors

ResultT = TypeVar("ResultT")


class AsyncEmbeddingEndpoint(AsyncBoundEndpoint[ResultT]):
    """A handle for one embedding endpoint."""

    __slots__ = ()

    @public_method(BoundEmbeddingArguments)
    async def invoke(
        self,
        input: str | list[str] | tuple[str, ...],
        **arguments: Unpack[BoundEmbeddingArguments],
    ) -> ResultT:
        """Embed one text or several; raises what `embeddings.create` raises.

        Args:
            input: The text, or the texts.
            **arguments: The parameters of an embedding request, documented on
                `EmbeddingSettings`, and the options of every call, documented on `CallOptions`;
                they go before the defaults.
        """
        return await self._invoke({"input": input}, arguments)

    @public_method(QueryArguments)
    async def embed_query(self, text: str, **arguments: Unpack[QueryArguments]) -> list[float]:
        """Embed one text that is searched with, as `embeddings.embed_query` does.

        Args:
            text: The text.
            **arguments: `instruction` and the rest, documented on `QueryArguments`, and the options
                of every call, documented on `CallOptions`; they go before the defaults.

        Raises:
            InvalidRequestError: Also when the handle has transforms: they are for `invoke`.
        """
        given = self._binding.helped(arguments, QueryArguments, "query_params")
        return await self._embeddings.embed_query(text, model=self.name, **given)

    @overload
    async def embed_documents(
        self,
        texts: Iterable[str],
        *,
        fail_on_error: Literal[True] = True,
        **arguments: Unpack[DocumentsArguments],
    ) -> Vectors: ...

    @overload
    async def embed_documents(
        self,
        texts: Iterable[str],
        *,
        fail_on_error: Literal[False],
        **arguments: Unpack[DocumentsArguments],
    ) -> PartialVectors: ...

    @overload
    async def embed_documents(
        self, texts: Iterable[str], *, fail_on_error: bool, **arguments: Unpack[DocumentsArguments]
    ) -> Vectors | PartialVectors: ...

    @public_method(DocumentsArguments)
    async def embed_documents(
        self,
        texts: Iterable[str],
        *,
        fail_on_error: bool = True,
        **arguments: Unpack[DocumentsArguments],
    ) -> Vectors | PartialVectors:
        """Embed any number of texts in batches, as `embeddings.embed_documents` does.

        Args:
            texts: The texts.
            fail_on_error: Whether the first error is raised; if not, each is kept beside its text.
            **arguments: `batch_size` and the rest, documented on `DocumentsArguments`, and the
                options of every call, documented on `CallOptions`; they go before the defaults.

        Raises:
            InvalidRequestError: Also when the handle has transforms: they are for `invoke`.
        """
        given = self._binding.helped(arguments, DocumentsArguments, "documents_params")
        return await self._embeddings.embed_documents(
            texts, model=self.name, fail_on_error=fail_on_error, **given
        )

    @property
    def _embeddings(self) -> AsyncEmbeddings:
        return AsyncEmbeddings(self._caller)
