# Written by scripts/unasync from _async/resources/chat.py: do not edit.
"""Chat, as the blocking client offers it."""

from typing import Literal, TypeAlias, Unpack, overload

from databricks_serving._core.arguments import ChatArguments, public_method
from databricks_serving._core.explanation import Explanation
from databricks_serving._core.operations import CHAT
from databricks_serving._core.raw import RawResponse
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.stream import ChunkStream, EventStream
from databricks_serving.events import ChatEvent
from databricks_serving_api.models import ChatCompletion, ChatCompletionChunk

ChatChunks: TypeAlias = ChunkStream[ChatCompletion, ChatCompletionChunk, ChatEvent]
ChatStream: TypeAlias = EventStream[ChatCompletion, ChatCompletionChunk, ChatEvent]


class ChatCompletions:
    """Chat: endpoints with task `llm/v1/chat`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "RawChatCompletions":
        """The same methods, returning HTTP responses."""
        return RawChatCompletions(self._caller)

    @overload
    def create(
        self, *, model: str, stream: Literal[False] = False, **arguments: Unpack[ChatArguments]
    ) -> ChatCompletion: ...

    @overload
    def create(
        self, *, model: str, stream: Literal[True], **arguments: Unpack[ChatArguments]
    ) -> ChatChunks: ...

    @overload
    def create(
        self, *, model: str, stream: bool, **arguments: Unpack[ChatArguments]
    ) -> ChatCompletion | ChatChunks: ...

    @public_method(ChatArguments)
    def create(
        self, *, model: str, stream: bool = False, **arguments: Unpack[ChatArguments]
    ) -> ChatCompletion | ChatChunks:
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
            return self._caller.stream(CHAT, model, arguments)
        return self._caller.reply(CHAT, model, arguments)

    @public_method(ChatArguments)
    def stream(self, *, model: str, **arguments: Unpack[ChatArguments]) -> ChatStream:
        """Answer a conversation with typed events, in a context manager that sends on entry.

        Takes what `create` takes, and raises what it raises on entry. Reading the stream raises
        StreamInterruptedError or StreamServerError when it breaks.
        """
        return EventStream(lambda: self._caller.stream(CHAT, model, arguments))

    @public_method(ChatArguments)
    def explain(
        self, *, model: str, stream: bool = False, **arguments: Unpack[ChatArguments]
    ) -> Explanation:
        """Tell what `create` would send, and send nothing.

        Shows what was changed in the copy of the request to suit the model's family, and why.
        Takes what `create` takes, and refuses what it refuses.
        """
        return self._caller.explain(CHAT, model, arguments, stream=stream)


class RawChatCompletions:
    """Chat, returning HTTP responses."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @public_method(ChatArguments)
    def create(
        self, *, model: str, **arguments: Unpack[ChatArguments]
    ) -> RawResponse[ChatCompletion]:
        """Answer a conversation; takes and raises what `ChatCompletions.create` does."""
        return self._caller.raw(CHAT, model, arguments)


class Chat:
    """Holds `completions`, where users of other clients look for it."""

    def __init__(self, caller: Caller) -> None:
        self.completions: ChatCompletions = ChatCompletions(caller)
