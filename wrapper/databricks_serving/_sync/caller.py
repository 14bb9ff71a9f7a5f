"""Calls over a blocking transport."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

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
from databricks_serving._http.exchange import Exchange
from databricks_serving._http.sender import Sender
from databricks_serving._shell.caller import BaseCaller
from databricks_serving._sync.credentials import Credentials
from databricks_serving._sync.reader import Reader
from databricks_serving._sync.repeat import repeat
from databricks_serving._sync.stream import ChunkStream


class Caller(BaseCaller[Sender, Credentials]):
    """Makes calls: builds, sends, waits, and has the core interpret and decide."""

    def reply(
        self, operation: Operation[ReplyT], endpoint: str, arguments: Mapping[str, Any]
    ) -> ReplyT:
        """Make a call and return its typed reply."""
        request = self._build(operation, endpoint, arguments)

        def attempt(call: Call) -> ReplyT:
            response = self._respond(self._signed(call), call.phases())
            return whole_reply(operation, response, call.request.reading)

        reply = self._repeat(request, attempt)
        count = self.meter_of(request)
        if count is not None:
            count(reply)
        return reply

    def raw(
        self, operation: Operation[ReplyT], endpoint: str, arguments: Mapping[str, Any]
    ) -> RawResponse[ReplyT]:
        """Make a call and return its HTTP response."""
        request = self._build(operation, endpoint, arguments)

        def attempt(call: Call) -> RawResponse[ReplyT]:
            response = self._respond(self._signed(call), call.phases())
            return RawResponse(operation, response, call.request.reading)

        return self._repeat(request, attempt)

    def stream(
        self,
        operation: StreamingOperation[TextReplyT, ChunkT, EventT],
        endpoint: str,
        arguments: Mapping[str, Any],
    ) -> ChunkStream[TextReplyT, ChunkT, EventT]:
        """Start a streamed call; it is begun when its first chunk is there."""
        request = self._build(operation, endpoint, arguments, stream=True)
        count = self.meter_of(request)

        def attempt(call: Call) -> ChunkStream[TextReplyT, ChunkT, EventT]:
            signed = self._signed(call)
            phases = call.phases()
            exchange = self._open(signed, phases)
            session = StreamSession(operation, exchange.meta, signed.reading)
            reader = Reader(exchange, session, phases, call.interrupted, count)
            reader.begin()
            return ChunkStream(reader)

        return self._repeat(request, attempt)

    def explain(
        self,
        operation: Operation[Any],
        endpoint: str,
        arguments: Mapping[str, Any],
        *,
        stream: bool,
    ) -> Explanation:
        """Return what a call would send."""
        request = self._build(operation, endpoint, arguments, stream=stream)
        family = self.settings.adaptation.family_of(endpoint)
        return explanation_of(request, None if family is None else family.name)

    def _build(
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
            resolved = self.credentials.resolved(until)
        known = operation, self.settings, resolved.place, endpoint, arguments
        request = request_of(*known, call_id=str(uuid4()), stream=stream)
        log_changes(request)
        if self.settings.log_bodies:
            log_body("request", request.content.reveal())
        return request

    def _signed(self, call: Call) -> Request:
        return call.signed(self.credentials.take(call.until))

    def _respond(self, request: Request, phases: Phases) -> Response:
        exchange = self._open(request, phases)
        response = exchange.read()
        if self.settings.log_bodies:
            log_body("response", response.body, request.reading.secrets)
        return response

    def _open(self, request: Request, phases: Phases) -> Exchange:
        exchange = self.sender.send(request, phases)
        if exchange.is_error:
            raise status_error(exchange.read(), datetime.now(UTC))
        return exchange

    def _repeat(self, request: Request, attempt: Callable[[Call], AnswerT]) -> AnswerT:
        clocks = self.credentials.clocks
        world = World(clocks.monotonic, clocks.rand, log_try)
        call = Call(request, self.settings.retry, self.shared, world)
        return repeat(call, clocks.sleep, attempt)
