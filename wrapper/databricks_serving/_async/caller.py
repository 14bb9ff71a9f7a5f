"""Calls over an asynchronous transport."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from databricks_serving._async.credentials import AsyncCredentials
from databricks_serving._async.reader import AsyncReader
from databricks_serving._async.repeat import repeat
from databricks_serving._async.stream import AsyncChunkStream
from databricks_serving._core.call import AnswerT, Call, World
from databricks_serving._core.explanation import Explanation, explanation_of
from databricks_serving._core.logs import log_body, log_changes, log_try
from databricks_serving._core.management import request_of
from databricks_serving._core.operations import (
    ChunkT,
    EventT,
    Operation,
    ReplyT,
    StreamingOperation,
    TextReplyT,
)
from databricks_serving._core.phases import Phases
from databricks_serving._core.raw import RawResponse
from databricks_serving._core.replies import Response, status_error
from databricks_serving._core.requests import Request, until_of
from databricks_serving._core.streaming import StreamSession
from databricks_serving._core.whole import whole_reply
from databricks_serving._http.async_exchange import AsyncExchange
from databricks_serving._http.async_sender import AsyncSender
from databricks_serving._shell.caller import BaseCaller


class AsyncCaller(BaseCaller[AsyncSender, AsyncCredentials]):
    """Makes calls: builds, sends, waits, and has the core interpret and decide."""

    async def reply(
        self, operation: Operation[ReplyT], endpoint: str, arguments: Mapping[str, Any]
    ) -> ReplyT:
        """Make a call and return its typed reply."""
        request = await self._build(operation, endpoint, arguments)

        async def attempt(call: Call) -> ReplyT:
            response = await self._respond(await self._signed(call), call.phases())
            return whole_reply(operation, response, call.request.reading)

        reply = await self._repeat(request, attempt)
        count = self.meter_of(request)
        if count is not None:
            count(reply)
        return reply

    async def raw(
        self, operation: Operation[ReplyT], endpoint: str, arguments: Mapping[str, Any]
    ) -> RawResponse[ReplyT]:
        """Make a call and return its HTTP response."""
        request = await self._build(operation, endpoint, arguments)

        async def attempt(call: Call) -> RawResponse[ReplyT]:
            response = await self._respond(await self._signed(call), call.phases())
            return RawResponse(operation, response, call.request.reading)

        return await self._repeat(request, attempt)

    async def stream(
        self,
        operation: StreamingOperation[TextReplyT, ChunkT, EventT],
        endpoint: str,
        arguments: Mapping[str, Any],
    ) -> AsyncChunkStream[TextReplyT, ChunkT, EventT]:
        """Start a streamed call; it is begun when its first chunk is there."""
        request = await self._build(operation, endpoint, arguments, stream=True)
        count = self.meter_of(request)

        async def attempt(call: Call) -> AsyncChunkStream[TextReplyT, ChunkT, EventT]:
            signed = await self._signed(call)
            phases = call.phases()
            exchange = await self._open(signed, phases)
            session = StreamSession(operation, exchange.meta, signed.reading)
            reader = AsyncReader(exchange, session, phases, call.interrupted, count)
            await reader.begin()
            return AsyncChunkStream(reader)

        return await self._repeat(request, attempt)

    async def explain(
        self,
        operation: Operation[Any],
        endpoint: str,
        arguments: Mapping[str, Any],
        *,
        stream: bool,
    ) -> Explanation:
        """Return what a call would send."""
        request = await self._build(operation, endpoint, arguments, stream=stream)
        family = self.settings.adaptation.family_of(endpoint)
        return explanation_of(request, None if family is None else family.name)

    async def _build(
        self,
        operation: Operation[Any],
        endpoint: str,
        arguments: Mapping[str, Any],
        *,
        stream: bool = False,
    ) -> Request:
        resolved = self.credentials.access.resolved
        if resolved is None:
            until = until_of(arguments, self.settings, self.credentials.clocks.monotonic())
            resolved = await self.credentials.resolved(until)
        known = operation, self.settings, resolved.place, endpoint, arguments
        request = request_of(*known, call_id=str(uuid4()), stream=stream)
        log_changes(request)
        if self.settings.log_bodies:
            log_body("request", request.content.reveal())
        return request

    async def _signed(self, call: Call) -> Request:
        return call.signed(await self.credentials.take(call.until))

    async def _respond(self, request: Request, phases: Phases) -> Response:
        exchange = await self._open(request, phases)
        response = await exchange.read()
        if self.settings.log_bodies:
            log_body("response", response.body, request.reading.secrets)
        return response

    async def _open(self, request: Request, phases: Phases) -> AsyncExchange:
        exchange = await self.sender.send(request, phases)
        if exchange.is_error:
            raise status_error(await exchange.read(), datetime.now(UTC))
        return exchange

    async def _repeat(
        self, request: Request, attempt: Callable[[Call], Awaitable[AnswerT]]
    ) -> AnswerT:
        clocks = self.credentials.clocks
        world = World(clocks.monotonic, clocks.rand, log_try)
        call = Call(request, self.settings.retry, self.shared, world)
        return await repeat(call, clocks.sleep, attempt)
