"""Agents of the older kind, as the asynchronous client offers them."""

from typing import Literal, TypeAlias, Unpack, overload

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._async.stream import AsyncChunkStream, AsyncEventStream
from databricks_serving._core.arguments import ChatArguments, public_method
from databricks_serving._core.operations import AGENT
from databricks_serving._core.raw import RawResponse
from databricks_serving.events import AgentEvent
from databricks_serving_api.models import AgentChunk, AgentReply

AsyncAgentChunks: TypeAlias = AsyncChunkStream[AgentReply, AgentChunk, AgentEvent]
AsyncAgentStream: TypeAlias = AsyncEventStream[AgentReply, AgentChunk, AgentEvent]


class AsyncAgents:
    """Agents with task `agent/v2/chat` (ChatAgent); those of the newer kind are in `responses`.

    Agents with task `agent/v1/chat` (ChatModel) answer as models do: see `chat.completions`.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "AsyncRawAgents":
        """The same methods, returning HTTP responses."""
        return AsyncRawAgents(self._caller)

    @overload
    async def create(
        self, *, model: str, stream: Literal[False] = False, **arguments: Unpack[ChatArguments]
    ) -> AgentReply: ...

    @overload
    async def create(
        self, *, model: str, stream: Literal[True], **arguments: Unpack[ChatArguments]
    ) -> AsyncAgentChunks: ...

    @overload
    async def create(
        self, *, model: str, stream: bool, **arguments: Unpack[ChatArguments]
    ) -> AgentReply | AsyncAgentChunks: ...

    @public_method(ChatArguments)
    async def create(
        self, *, model: str, stream: bool = False, **arguments: Unpack[ChatArguments]
    ) -> AgentReply | AsyncAgentChunks:
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
            return await self._caller.stream(AGENT, model, arguments)
        return await self._caller.reply(AGENT, model, arguments)

    @public_method(ChatArguments)
    def stream(self, *, model: str, **arguments: Unpack[ChatArguments]) -> AsyncAgentStream:
        """Have an agent answer with typed events, in a context manager that sends on entry.

        Takes what `create` takes, and raises what it raises on entry. Reading the stream raises
        StreamInterruptedError or StreamServerError when it breaks.
        """
        return AsyncEventStream(lambda: self._caller.stream(AGENT, model, arguments))


class AsyncRawAgents:
    """Agents of the older kind, returning HTTP responses."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @public_method(ChatArguments)
    async def create(
        self, *, model: str, **arguments: Unpack[ChatArguments]
    ) -> RawResponse[AgentReply]:
        """Have an agent answer; takes and raises what `AsyncAgents.create` does."""
        return await self._caller.raw(AGENT, model, arguments)
