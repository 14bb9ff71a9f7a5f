"""Embeddings, as the asynchronous client offers them."""

from collections.abc import Iterable
from functools import partial
from typing import Literal, Unpack, overload

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._async.gather import gather
from databricks_serving._core.arguments import (
    DocumentsArguments,
    EmbeddingArguments,
    QueryArguments,
    public_method,
)
from databricks_serving._core.documents import Documents
from databricks_serving._core.embedding import Plan, query_call
from databricks_serving._core.operations import EMBEDDING
from databricks_serving._core.raw import RawResponse
from databricks_serving._core.vector_lists import PartialVectors, Vectors
from databricks_serving.errors import ServingError
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

    @public_method(QueryArguments, explain=True)
    async def embed_query(
        self, text: str, *, model: str, **arguments: Unpack[QueryArguments]
    ) -> list[float]:
        """Embed one text that is searched with; raises what `create` raises.

        Args:
            text: The text.
            model: Name of the endpoint.
            **arguments: `instruction` and the rest, documented on `QueryArguments`, and the options
                of every call, documented on `CallOptions`.
        """
        reply = await self._caller.reply(EMBEDDING, model, query_call(text, arguments))
        return reply.vectors[0]

    @overload
    async def embed_documents(
        self,
        texts: Iterable[str],
        *,
        model: str,
        fail_on_error: Literal[True] = True,
        **arguments: Unpack[DocumentsArguments],
    ) -> Vectors: ...

    @overload
    async def embed_documents(
        self,
        texts: Iterable[str],
        *,
        model: str,
        fail_on_error: Literal[False],
        **arguments: Unpack[DocumentsArguments],
    ) -> PartialVectors: ...

    @overload
    async def embed_documents(
        self,
        texts: Iterable[str],
        *,
        model: str,
        fail_on_error: bool,
        **arguments: Unpack[DocumentsArguments],
    ) -> Vectors | PartialVectors: ...

    @public_method(DocumentsArguments, explain=True)
    async def embed_documents(
        self,
        texts: Iterable[str],
        *,
        model: str,
        fail_on_error: bool = True,
        **arguments: Unpack[DocumentsArguments],
    ) -> Vectors | PartialVectors:
        """Embed any number of texts, in batches of which several are under way at once.

        A batch that the endpoint refuses as too large is sent again in halves. No text is cut.

        Args:
            texts: The texts; none at all are embedded without a call.
            model: Name of the endpoint.
            fail_on_error: Whether the first error is raised. If not, all texts are tried, those
                that fail have None for a vector, and `failures` has their errors by row. An error
                that concerns all texts, such as a missing permission, ends the calls.
            **arguments: `batch_size` and the rest, documented on `DocumentsArguments`, and the
                options of every call, documented on `CallOptions`. A deadline, also the client's,
                is for all batches together; retries are for each.

        Raises:
            InvalidRequestError: Before anything is sent, naming the argument or the row.
            ServingError: What `create` raises; a text that is too long is named in it.
        """
        plan = Plan.of(arguments, fail_on_error=fail_on_error)
        documents = Documents(texts, arguments, plan, self._caller.settings, self._now())
        jobs = [partial(self._embed, model, documents, batch) for batch in documents.batches]
        await gather(jobs, plan.concurrency)
        return documents.result()

    async def _embed(self, model: str, documents: Documents, batch: range) -> None:
        pending = [batch]
        while pending := documents.due(pending):
            first, *pending = pending
            try:
                arguments = documents.arguments(first, self._now())
                reply = await self._caller.reply(EMBEDDING, model, arguments)
            except ServingError as error:
                pending = [*documents.after(first, error), *pending]
            else:
                documents.keep(first, reply)

    def _now(self) -> float:
        return self._caller.credentials.clocks.monotonic()


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
