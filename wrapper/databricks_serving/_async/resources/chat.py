"""Chat, as the asynchronous client offers it."""

from typing import Literal, TypeAlias, Unpack, overload

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._async.stream import AsyncChunkStream, AsyncEventStream
from databricks_serving._core.arguments import ChatArguments, public_method
from databricks_serving._core.explanation import Explanation
from databricks_serving._core.operations import CHAT
from databricks_serving._core.raw import RawResponse
from databricks_serving.events import ChatEvent
from databricks_serving_api.models import ChatCompletion, ChatCompletionChunk

AsyncChatChunks: TypeAlias = AsyncChunkStream[ChatCompletion, ChatCompletionChunk, ChatEvent]
AsyncChatStream: TypeAlias = AsyncEventStream[ChatCompletion, ChatCompletionChunk, ChatEvent]


class AsyncChatCompletions:
    """Chat: endpoints with task `llm/v1/chat`."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "AsyncRawChatCompletions":
        """The same methods, returning HTTP responses."""
        return AsyncRawChatCompletions(self._caller)

    @overload
    async def create(
        self, *, model: str, stream: Literal[False] = False, **arguments: Unpack[ChatArguments]
    ) -> ChatCompletion: ...

    @overload
    async def create(
        self, *, model: str, stream: Literal[True], **arguments: Unpack[ChatArguments]
    ) -> AsyncChatChunks: ...

    @overload
    async def create(
        self, *, model: str, stream: bool, **arguments: Unpack[ChatArguments]
    ) -> ChatCompletion | AsyncChatChunks: ...

    @public_method(ChatArguments)
    async def create(
        self, *, model: str, stream: bool = False, **arguments: Unpack[ChatArguments]
    ) -> ChatCompletion | AsyncChatChunks:
        """Answer a conversation.

        A parameter that is not given, or None, is not sent.

        Args:
            model: Name of the endpoint.
            stream: Return the chunks as they come instead of the whole answer.
            **arguments: The parameters of a chat request, documented on `ChatParams`, and the
                options of every call, documented on `CallOptions`.

        Raises:
            InvalidRequestError: Before anything is sent, naming the argument.
            APIConnectionError: When no answer came.
            APIStatusError: When the server answered with an error.
            InvalidResponseError: When the answer is not what the contract says.
        """
        if stream:
            return await self._caller.stream(CHAT, model, arguments)
        return await self._caller.reply(CHAT, model, arguments)

    @public_method(ChatArguments)
    def stream(self, *, model: str, **arguments: Unpack[ChatArguments]) -> AsyncChatStream:
        """Answer a conversation with typed events, in a context manager that sends on entry.

        Takes what `create` takes, and raises what it raises on entry. Reading the stream raises
        StreamInterruptedError or StreamServerError when it breaks.
        """
        return AsyncEventStream(lambda: self._caller.stream(CHAT, model, arguments))

    @public_method(ChatArguments)
    async def explain(
        self, *, model: str, stream: bool = False, **arguments: Unpack[ChatArguments]
    ) -> Explanation:
        """Tell what `create` would send, and send nothing.

        Shows what was changed in the copy of the request to suit the model's family, and why.
        Takes what `create` takes, and refuses what it refuses.
        """
        return await self._caller.explain(CHAT, model, arguments, stream=stream)


class AsyncRawChatCompletions:
    """Chat, returning HTTP responses."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @public_method(ChatArguments)
    async def create(
        self, *, model: str, **arguments: Unpack[ChatArguments]
    ) -> RawResponse[ChatCompletion]:
        """Answer a conversation; takes and raises what `AsyncChatCompletions.create` does."""
        return await self._caller.raw(CHAT, model, arguments)


class AsyncChat:
    """Holds `completions`, where users of other clients look for it."""

    def __init__(self, caller: AsyncCaller) -> None:
        self.completions: AsyncChatCompletions = AsyncChatCompletions(caller)
