"""Text completion, as the asynchronous client offers it."""

from typing import Literal, TypeAlias, Unpack, overload

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._async.stream import AsyncChunkStream, AsyncEventStream
from databricks_serving._core.arguments import CompletionArguments, public_method
from databricks_serving._core.operations import COMPLETION
from databricks_serving._core.raw import RawResponse
from databricks_serving.events import CompletionEvent
from databricks_serving_api.models import Completion, CompletionChunk

AsyncCompletionChunks: TypeAlias = AsyncChunkStream[Completion, CompletionChunk, CompletionEvent]
AsyncCompletionStream: TypeAlias = AsyncEventStream[Completion, CompletionChunk, CompletionEvent]


class AsyncCompletions:
    """Text completion: endpoints with task `llm/v1/completions`."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "AsyncRawCompletions":
        """The same methods, returning HTTP responses."""
        return AsyncRawCompletions(self._caller)

    @overload
    async def create(
        self,
        *,
        model: str,
        stream: Literal[False] = False,
        **arguments: Unpack[CompletionArguments],
    ) -> Completion: ...

    @overload
    async def create(
        self, *, model: str, stream: Literal[True], **arguments: Unpack[CompletionArguments]
    ) -> AsyncCompletionChunks: ...

    @overload
    async def create(
        self, *, model: str, stream: bool, **arguments: Unpack[CompletionArguments]
    ) -> Completion | AsyncCompletionChunks: ...

    @public_method(CompletionArguments)
    async def create(
        self, *, model: str, stream: bool = False, **arguments: Unpack[CompletionArguments]
    ) -> Completion | AsyncCompletionChunks:
        """Continue a prompt; raises what `AsyncChatCompletions.create` raises.

        A parameter that is not given, or None, is not sent.

        Args:
            model: Name of the endpoint.
            stream: Return the chunks as they come instead of the whole completion.
            **arguments: The parameters of a completion request, documented on `CompletionParams`,
                and the options of every call, documented on `CallOptions`.
        """
        if stream:
            return await self._caller.stream(COMPLETION, model, arguments)
        return await self._caller.reply(COMPLETION, model, arguments)

    @public_method(CompletionArguments)
    def stream(
        self, *, model: str, **arguments: Unpack[CompletionArguments]
    ) -> AsyncCompletionStream:
        """Continue a prompt with typed events; as `AsyncChatCompletions.stream`."""
        return AsyncEventStream(lambda: self._caller.stream(COMPLETION, model, arguments))


class AsyncRawCompletions:
    """Text completion, returning HTTP responses."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @public_method(CompletionArguments)
    async def create(
        self, *, model: str, **arguments: Unpack[CompletionArguments]
    ) -> RawResponse[Completion]:
        """Continue a prompt; takes and raises what `AsyncCompletions.create` does."""
        return await self._caller.raw(COMPLETION, model, arguments)
