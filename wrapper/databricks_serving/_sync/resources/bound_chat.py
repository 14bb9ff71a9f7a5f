# Written by scripts/unasync from _async/resources/bound_chat.py: do not edit.
"""A handle for one chat endpoint, as the blocking client makes it."""

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, TypeVar, Unpack, overload

from databricks_serving._core.arguments import BoundChatArguments, public_method
from databricks_serving._core.structured.answer import ParsedCompletion
from databricks_serving._core.structured.asking import ParseArguments, ParsedStreamArguments
from databricks_serving._core.subjects import as_items
from databricks_serving._core.tools.arguments import ToolRunArguments
from databricks_serving._sync.resources.bound_base import BoundEndpoint
from databricks_serving._sync.resources.chat import ChatCompletions, ChatStream
from databricks_serving._sync.resources.parsing import ParsedStream
from databricks_serving._sync.resources.tool_runs import ToolStream
from databricks_serving._tool_runs import ToolRun
from databricks_serving_api.params import MessageDict

ResultT = TypeVar("ResultT")
T = TypeVar("T")


class ChatEndpoint(BoundEndpoint[ResultT]):
    """A handle for one chat endpoint."""

    __slots__ = ()

    @public_method(BoundChatArguments)
    def invoke(
        self, messages: str | Sequence[MessageDict], **arguments: Unpack[BoundChatArguments]
    ) -> ResultT:
        """Answer a conversation; raises what `chat.completions.create` raises.

        Args:
            messages: The conversation, or what the user says.
            **arguments: The parameters of a chat request, documented on `ChatSettings`, and the
                options of every call, documented on `CallOptions`; they go before the defaults.
        """
        return self._invoke({"messages": as_items(messages)}, arguments)

    @public_method(BoundChatArguments)
    def stream(
        self, messages: str | Sequence[MessageDict], **arguments: Unpack[BoundChatArguments]
    ) -> ChatStream:
        """Answer a conversation with typed events, as `chat.completions.stream` does.

        Takes what `invoke` takes. `transform_output` does not apply.
        """
        return self._stream({"messages": as_items(messages)}, arguments)

    @overload
    def parse(
        self, *, response_format: type[T], **arguments: Unpack[ParseArguments]
    ) -> ParsedCompletion[T]: ...

    @overload
    def parse(
        self, *, response_format: Mapping[str, Any], **arguments: Unpack[ParseArguments]
    ) -> ParsedCompletion[dict[str, Any]]: ...

    @overload
    def parse(
        self, *, response_format: UnionType, **arguments: Unpack[ParseArguments]
    ) -> ParsedCompletion[Any]: ...

    @public_method(ParseArguments, explain=True)
    def parse(
        self, *, response_format: Any, **arguments: Unpack[ParseArguments]
    ) -> ParsedCompletion[Any]:
        """Answer a conversation with an object of a type, as `chat.completions.parse` does.

        Args:
            response_format: The type, or a JSON Schema as a dict; instead of a default.
            **arguments: What `chat.completions.parse` takes; it goes before the defaults.

        Raises:
            InvalidRequestError: Also when the handle has transforms: they are for `invoke`.
        """
        given = self._binding.before_defaults(arguments, ParseArguments)
        parse = self._chat.parse
        parsed: ParsedCompletion[Any] = parse(
            model=self.name, response_format=response_format, **given
        )
        return parsed

    @overload
    def parse_stream(
        self, *, response_format: type[T], **arguments: Unpack[ParsedStreamArguments]
    ) -> ParsedStream[T]: ...

    @overload
    def parse_stream(
        self, *, response_format: Mapping[str, Any], **arguments: Unpack[ParsedStreamArguments]
    ) -> ParsedStream[dict[str, Any]]: ...

    @overload
    def parse_stream(
        self, *, response_format: UnionType, **arguments: Unpack[ParsedStreamArguments]
    ) -> ParsedStream[Any]: ...

    @public_method(ParsedStreamArguments, explain=True)
    def parse_stream(
        self, *, response_format: Any, **arguments: Unpack[ParsedStreamArguments]
    ) -> ParsedStream[Any]:
        """Answer with an object that is there part by part, as `chat.completions.parse_stream`.

        Takes what `parse` takes but for `max_reasks`.
        """
        given = self._binding.before_defaults(arguments, ParsedStreamArguments)
        return self._chat.parse_stream(model=self.name, response_format=response_format, **given)

    @public_method(ToolRunArguments)
    def run_tools(self, **arguments: Unpack[ToolRunArguments]) -> ToolRun:
        """Answer a conversation, calling tools, as `chat.completions.run_tools` does.

        Args:
            **arguments: What `chat.completions.run_tools` takes; it goes before the defaults.

        Raises:
            InvalidRequestError: Also when the handle has transforms: they are for `invoke`.
        """
        given = self._binding.before_defaults(arguments, ToolRunArguments)
        return self._chat.run_tools(model=self.name, **given)

    @public_method(ToolRunArguments)
    def stream_tools(self, **arguments: Unpack[ToolRunArguments]) -> ToolStream:
        """Make a run of tools with typed events, as `chat.completions.stream_tools` does.

        Takes what `run_tools` takes.
        """
        given = self._binding.before_defaults(arguments, ToolRunArguments)
        return self._chat.stream_tools(model=self.name, **given)

    @property
    def _chat(self) -> ChatCompletions:
        return ChatCompletions(self._caller)
