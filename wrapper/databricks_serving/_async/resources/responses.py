"""Agents, and models on the Responses routes, as the asynchronous client offers them."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, Unpack, overload

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._async.stream import AsyncChunkStream, AsyncEventStream
from databricks_serving._core.arguments import ResponsesArguments, public_method
from databricks_serving._core.operations import RESPONSES
from databricks_serving._core.raw import RawResponse
from databricks_serving._core.subjects import as_items
from databricks_serving.events import ResponsesStreamEvent
from databricks_serving_api.models import ResponsesEvent, ResponsesReply
from databricks_serving_api.params import ResponsesInputItemDict

AsyncResponsesChunks: TypeAlias = AsyncChunkStream[
    ResponsesReply, ResponsesEvent, ResponsesStreamEvent
]
AsyncResponsesStream: TypeAlias = AsyncEventStream[
    ResponsesReply, ResponsesEvent, ResponsesStreamEvent
]
Items: TypeAlias = str | Sequence[ResponsesInputItemDict]


class AsyncResponses:
    """Agents with task `agent/v1/responses`, and models on the Responses routes (`route=`)."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "AsyncRawResponses":
        """The same methods, returning HTTP responses."""
        return AsyncRawResponses(self._caller)

    @overload
    async def create(
        self,
        *,
        model: str,
        input: Items,
        stream: Literal[False] = False,
        **arguments: Unpack[ResponsesArguments],
    ) -> ResponsesReply: ...

    @overload
    async def create(
        self,
        *,
        model: str,
        input: Items,
        stream: Literal[True],
        **arguments: Unpack[ResponsesArguments],
    ) -> AsyncResponsesChunks: ...

    @overload
    async def create(
        self, *, model: str, input: Items, stream: bool, **arguments: Unpack[ResponsesArguments]
    ) -> ResponsesReply | AsyncResponsesChunks: ...

    @public_method(ResponsesArguments, explain=True)
    async def create(
        self,
        *,
        model: str,
        input: Items,
        stream: bool = False,
        **arguments: Unpack[ResponsesArguments],
    ) -> ResponsesReply | AsyncResponsesChunks:
        """Have an agent answer; raises what `AsyncChatCompletions.create` raises.

        An agent's tools may act, so think of `idempotent=False`: a call that may have run is then
        not tried again.

        Args:
            model: Name of the endpoint.
            input: What the user says, or the items of the conversation; `reply.to_input()` gives
                those of an answer.
            stream: Return the events as they come instead of the whole answer.
            **arguments: The parameters of a request, documented on `ResponsesParams`, and the
                options of every call, documented on `CallOptions`.
        """
        given = {**arguments, "input": as_items(input)}
        if stream:
            return await self._caller.stream(RESPONSES, model, given)
        return await self._caller.reply(RESPONSES, model, given)

    @public_method(ResponsesArguments)
    def stream(
        self, *, model: str, input: Items, **arguments: Unpack[ResponsesArguments]
    ) -> AsyncResponsesStream:
        """Have an agent answer with typed events, in a context manager that sends on entry.

        The text of an item that is done, which repeats what was streamed, comes once. Takes what
        `create` takes, and raises what it raises on entry. Reading the stream raises
        StreamInterruptedError, when it ends within an item, or StreamServerError.
        """
        given = {**arguments, "input": as_items(input)}
        return AsyncEventStream(lambda: self._caller.stream(RESPONSES, model, given))


class AsyncRawResponses:
    """Agents, returning HTTP responses."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @public_method(ResponsesArguments, explain=True)
    async def create(
        self, *, model: str, input: Items, **arguments: Unpack[ResponsesArguments]
    ) -> RawResponse[ResponsesReply]:
        """Have an agent answer; takes and raises what `AsyncResponses.create` does."""
        return await self._caller.raw(RESPONSES, model, {**arguments, "input": as_items(input)})
