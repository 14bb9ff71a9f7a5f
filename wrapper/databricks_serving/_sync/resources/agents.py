# Written by scripts/unasync from _async/resources/agents.py: do not edit.
"""Agents of the older kind, as the blocking client offers them."""

from typing import Literal, TypeAlias, Unpack, overload

from databricks_serving._core.arguments import ChatArguments, public_method
from databricks_serving._core.operations import AGENT
from databricks_serving._core.raw import RawResponse
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.stream import ChunkStream, EventStream
from databricks_serving.events import AgentEvent
from databricks_serving_api.models import AgentChunk, AgentReply

AgentChunks: TypeAlias = ChunkStream[AgentReply, AgentChunk, AgentEvent]
AgentStream: TypeAlias = EventStream[AgentReply, AgentChunk, AgentEvent]


class Agents:
    """Agents with task `agent/v2/chat` (ChatAgent); those of the newer kind are in `responses`.

    Agents with task `agent/v1/chat` (ChatModel) answer as models do: see `chat.completions`.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "RawAgents":
        """The same methods, returning HTTP responses."""
        return RawAgents(self._caller)

    @overload
    def create(
        self, *, model: str, stream: Literal[False] = False, **arguments: Unpack[ChatArguments]
    ) -> AgentReply: ...

    @overload
    def create(
        self, *, model: str, stream: Literal[True], **arguments: Unpack[ChatArguments]
    ) -> AgentChunks: ...

    @overload
    def create(
        self, *, model: str, stream: bool, **arguments: Unpack[ChatArguments]
    ) -> AgentReply | AgentChunks: ...

    @public_method(ChatArguments)
    def create(
        self, *, model: str, stream: bool = False, **arguments: Unpack[ChatArguments]
    ) -> AgentReply | AgentChunks:
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
            return self._caller.stream(AGENT, model, arguments)
        return self._caller.reply(AGENT, model, arguments)

    @public_method(ChatArguments)
    def stream(self, *, model: str, **arguments: Unpack[ChatArguments]) -> AgentStream:
        """Have an agent answer with typed events, in a context manager that sends on entry.

        Takes what `create` takes, and raises what it raises on entry. Reading the stream raises
        StreamInterruptedError or StreamServerError when it breaks.
        """
        return EventStream(lambda: self._caller.stream(AGENT, model, arguments))


class RawAgents:
    """Agents of the older kind, returning HTTP responses."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @public_method(ChatArguments)
    def create(self, *, model: str, **arguments: Unpack[ChatArguments]) -> RawResponse[AgentReply]:
        """Have an agent answer; takes and raises what `Agents.create` does."""
        return self._caller.raw(AGENT, model, arguments)
