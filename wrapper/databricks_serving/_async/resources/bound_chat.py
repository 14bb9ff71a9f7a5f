"""A handle for one chat endpoint, as the asynchronous client makes it."""

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, TypeVar, Unpack, overload

from databricks_serving._async.resources.bound_base import AsyncBoundEndpoint
from databricks_serving._async.resources.chat import AsyncChatCompletions, AsyncChatStream
from databricks_serving._async.resources.parsing import AsyncParsedStream
from databricks_serving._async.resources.tool_runs import AsyncToolStream
from databricks_serving._core.arguments import BoundChatArguments, public_method
from databricks_serving._core.structured.answer import ParsedCompletion
from databricks_serving._core.structured.asking import ParseArguments, ParsedStreamArguments
from databricks_serving._core.subjects import as_items
from databricks_serving._core.tools.arguments import ToolRunArguments
from databricks_serving._tool_runs import ToolRun
from databricks_serving_api.params import MessageDict

ResultT = TypeVar("ResultT")
T = TypeVar("T")


class AsyncChatEndpoint(AsyncBoundEndpoint[ResultT]):
    """A handle for one chat endpoint."""

    __slots__ = ()

    @public_method(BoundChatArguments)
    async def invoke(
        self, messages: str | Sequence[MessageDict], **arguments: Unpack[BoundChatArguments]
    ) -> ResultT:
        """Answer a conversation; raises what `chat.completions.create` raises.

        Args:
            messages: The conversation, or what the user says.
            **arguments: The parameters of a chat request, documented on `ChatSettings`, and the
                options of every call, documented on `CallOptions`; they go before the defaults.
        """
        return await self._invoke({"messages": as_items(messages)}, arguments)

    @public_method(BoundChatArguments)
    def stream(
        self, messages: str | Sequence[MessageDict], **arguments: Unpack[BoundChatArguments]
    ) -> AsyncChatStream:
        """Answer a conversation with typed events, as `chat.completions.stream` does.

        Takes what `invoke` takes. `transform_output` does not apply.
        """
        return self._stream({"messages": as_items(messages)}, arguments)

    @overload
    async def parse(
        self, *, response_format: type[T], **arguments: Unpack[ParseArguments]
    ) -> ParsedCompletion[T]: ...

    @overload
    async def parse(
        self, *, response_format: Mapping[str, Any], **arguments: Unpack[ParseArguments]
    ) -> ParsedCompletion[dict[str, Any]]: ...

    @overload
    async def parse(
        self, *, response_format: UnionType, **arguments: Unpack[ParseArguments]
    ) -> ParsedCompletion[Any]: ...

    @public_method(ParseArguments, explain=True)
    async def parse(
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
        parsed: ParsedCompletion[Any] = await parse(
            model=self.name, response_format=response_format, **given
        )
        return parsed

    @overload
    def parse_stream(
        self, *, response_format: type[T], **arguments: Unpack[ParsedStreamArguments]
    ) -> AsyncParsedStream[T]: ...

    @overload
    def parse_stream(
        self, *, response_format: Mapping[str, Any], **arguments: Unpack[ParsedStreamArguments]
    ) -> AsyncParsedStream[dict[str, Any]]: ...

    @overload
    def parse_stream(
        self, *, response_format: UnionType, **arguments: Unpack[ParsedStreamArguments]
    ) -> AsyncParsedStream[Any]: ...

    @public_method(ParsedStreamArguments, explain=True)
    def parse_stream(
        self, *, response_format: Any, **arguments: Unpack[ParsedStreamArguments]
    ) -> AsyncParsedStream[Any]:
        """Answer with an object that is there part by part, as `chat.completions.parse_stream`.

        Takes what `parse` takes but for `max_reasks`.
        """
        given = self._binding.before_defaults(arguments, ParsedStreamArguments)
        return self._chat.parse_stream(model=self.name, response_format=response_format, **given)

    @public_method(ToolRunArguments)
    async def run_tools(self, **arguments: Unpack[ToolRunArguments]) -> ToolRun:
        """Answer a conversation, calling tools, as `chat.completions.run_tools` does.

        Args:
            **arguments: What `chat.completions.run_tools` takes; it goes before the defaults.

        Raises:
            InvalidRequestError: Also when the handle has transforms: they are for `invoke`.
        """
        given = self._binding.before_defaults(arguments, ToolRunArguments)
        return await self._chat.run_tools(model=self.name, **given)

    @public_method(ToolRunArguments)
    def stream_tools(self, **arguments: Unpack[ToolRunArguments]) -> AsyncToolStream:
        """Make a run of tools with typed events, as `chat.completions.stream_tools` does.

        Takes what `run_tools` takes.
        """
        given = self._binding.before_defaults(arguments, ToolRunArguments)
        return self._chat.stream_tools(model=self.name, **given)

    @property
    def _chat(self) -> AsyncChatCompletions:
        return AsyncChatCompletions(self._caller)
