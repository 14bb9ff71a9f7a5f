# Written by scripts/unasync from _async/resources/chat.py: do not edit.
"""Chat, as the blocking client offers it."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, TypeAlias, TypeVar, Unpack, overload

from databricks_serving._core.arguments import ChatArguments, public_method
from databricks_serving._core.explanation import Explanation
from databricks_serving._core.operations import CHAT
from databricks_serving._core.raw import RawResponse
from databricks_serving._core.structured.answer import ParsedCompletion
from databricks_serving._core.structured.asking import ParseArguments, ParsedStreamArguments
from databricks_serving._core.tools.arguments import ToolRunArguments
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.resources.parsing import ParsedStream, ask
from databricks_serving._sync.resources.tool_runs import ToolRunner, ToolStream
from databricks_serving._sync.stream import ChunkStream, EventStream
from databricks_serving._tool_runs import ToolRun
from databricks_serving.events import ChatEvent
from databricks_serving_api.models import ChatCompletion, ChatCompletionChunk

ChatChunks: TypeAlias = ChunkStream[ChatCompletion, ChatCompletionChunk, ChatEvent]
ChatStream: TypeAlias = EventStream[ChatCompletion, ChatCompletionChunk, ChatEvent]

T = TypeVar("T")


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

    @overload
    def parse(
        self, *, model: str, response_format: type[T], **arguments: Unpack[ParseArguments]
    ) -> ParsedCompletion[T]: ...

    @overload
    def parse(
        self,
        *,
        model: str,
        response_format: Mapping[str, Any],
        **arguments: Unpack[ParseArguments],
    ) -> ParsedCompletion[dict[str, Any]]: ...

    @overload
    def parse(
        self, *, model: str, response_format: UnionType, **arguments: Unpack[ParseArguments]
    ) -> ParsedCompletion[Any]: ...

    @public_method(ParseArguments, explain=True)
    def parse(
        self, *, model: str, response_format: Any, **arguments: Unpack[ParseArguments]
    ) -> ParsedCompletion[Any]:
        """Answer a conversation with an object of a type.

        Args:
            model: Name of the endpoint.
            response_format: The type: a dataclass, an attrs class, a TypedDict, a pydantic model,
                `list[...]` of one and the like; or a JSON Schema as a dict.
            **arguments: What `create` takes, and the options documented on `ParseArguments`.
                `deadline` is for all calls together.

        Raises:
            InvalidRequestError: Before anything is sent, naming the argument or the field.
            StructuredOutputError: When the answer has no object of the type: `ParseError`,
                `LengthFinishReasonError`, `ContentFilterFinishReasonError` or `RefusalError`, each
                with the answer.
            ServingError: As `create` does.
        """
        return ask(self._caller, model, response_format, arguments)

    @overload
    def parse_stream(
        self, *, model: str, response_format: type[T], **arguments: Unpack[ParsedStreamArguments]
    ) -> ParsedStream[T]: ...

    @overload
    def parse_stream(
        self,
        *,
        model: str,
        response_format: Mapping[str, Any],
        **arguments: Unpack[ParsedStreamArguments],
    ) -> ParsedStream[dict[str, Any]]: ...

    @overload
    def parse_stream(
        self, *, model: str, response_format: UnionType, **arguments: Unpack[ParsedStreamArguments]
    ) -> ParsedStream[Any]: ...

    @public_method(ParsedStreamArguments, explain=True)
    def parse_stream(
        self, *, model: str, response_format: Any, **arguments: Unpack[ParsedStreamArguments]
    ) -> ParsedStream[Any]:
        """Answer with an object whose parts are there as they come, in a context manager.

        Takes what `parse` takes but for `max_reasks`, and raises what `stream` raises. Its
        `get_final_parsed` raises what `parse` raises.
        """
        return ParsedStream(self._caller, model, response_format, arguments)

    @public_method(ToolRunArguments)
    def run_tools(self, *, model: str, **arguments: Unpack[ToolRunArguments]) -> ToolRun:
        """Answer a conversation, calling the tools that the model calls until it has answered.

        An error of a tool, and a call that does not fit one, is told to the model. After the first
        turn a forcing `tool_choice` becomes `auto`. The list of messages is not changed.

        Args:
            model: Name of the endpoint.
            **arguments: What `create` takes, and the options of a run, documented on
                `ToolRunArguments`. `deadline` is for the whole run, all turns and tools; a tool
                that runs is not broken off by it.

        Raises:
            InvalidRequestError: Before anything is sent, naming the argument.
            ToolLoopError: When the model still calls tools after `max_turns` turns.
            ServingError: As `create` does. `run` of each of these has what was done.
        """
        return ToolRunner.of(self._caller, model, arguments).run()

    @public_method(ToolRunArguments)
    def stream_tools(self, *, model: str, **arguments: Unpack[ToolRunArguments]) -> ToolStream:
        """Make a run of tools with typed events, in a context manager that sends on entry.

        Takes what `run_tools` takes. Reading it raises what `run_tools` raises, and what reading a
        stream raises.
        """
        return ToolStream(ToolRunner.of(self._caller, model, arguments))


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
