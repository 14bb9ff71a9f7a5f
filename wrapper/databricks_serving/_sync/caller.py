"""Calls over a blocking transport."""

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Self
from uuid import uuid4

from databricks_serving._core.call import AnswerT, Call, Shared, World
from databricks_serving._core.logs import log_body, log_try
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
from databricks_serving._core.requests import Request, build_request
from databricks_serving._core.settings import Settings
from databricks_serving._core.streaming import StreamSession
from databricks_serving._core.whole import whole_reply
from databricks_serving._http import Exchange, Sender
from databricks_serving._sync.reader import Reader
from databricks_serving._sync.stream import ChunkStream
from databricks_serving.errors import ServingError


class Caller:
    """Makes calls: builds, sends, waits, and has the core interpret and decide."""

    def __init__(self, settings: Settings, sender: Sender, shared: Shared) -> None:
        self.settings = settings
        self.sender = sender
        self.shared = shared
        self.monotonic: Callable[[], float] = time.monotonic
        self.sleep: Callable[[float], None] = time.sleep
        self.rand: Callable[[], float] = random.random

    def with_settings(self, settings: Settings) -> Self:
        """Return a caller with other settings over the same transport, quota and clock."""
        caller = type(self)(settings, self.sender, self.shared)
        caller.monotonic, caller.sleep, caller.rand = self.monotonic, self.sleep, self.rand
        return caller

    def reply(
        self, operation: Operation[ReplyT], endpoint: str, arguments: Mapping[str, Any]
    ) -> ReplyT:
        """Make a call and return its typed reply."""
        request = self._build(operation, endpoint, arguments)

        def attempt(call: Call) -> ReplyT:
            response = self._respond(request, call.phases())
            return whole_reply(operation, response, request.reading)

        return self._repeat(request, attempt)

    def raw(
        self, operation: Operation[ReplyT], endpoint: str, arguments: Mapping[str, Any]
    ) -> RawResponse[ReplyT]:
        """Make a call and return its HTTP response."""
        request = self._build(operation, endpoint, arguments)

        def attempt(call: Call) -> RawResponse[ReplyT]:
            response = self._respond(request, call.phases())
            return RawResponse(operation, response, request.reading)

        return self._repeat(request, attempt)

    def stream(
        self,
        operation: StreamingOperation[TextReplyT, ChunkT, EventT],
        endpoint: str,
        arguments: Mapping[str, Any],
    ) -> ChunkStream[TextReplyT, ChunkT, EventT]:
        """Start a streamed call; it is begun when its first chunk is there."""
        request = self._build(operation, endpoint, arguments, stream=True)

        def attempt(call: Call) -> ChunkStream[TextReplyT, ChunkT, EventT]:
            phases = call.phases()
            exchange = self._open(request, phases)
            session = StreamSession(operation, exchange.meta, request.reading)
            reader = Reader(exchange, session, phases, call.interrupted)
            reader.begin()
            return ChunkStream(reader)

        return self._repeat(request, attempt)

    def _build(
        self,
        operation: Operation[Any],
        endpoint: str,
        arguments: Mapping[str, Any],
        *,
        stream: bool = False,
    ) -> Request:
        request = build_request(
            operation, self.settings, endpoint, arguments, call_id=str(uuid4()), stream=stream
        )
        if self.settings.log_bodies:
            log_body("request", request.content.reveal(), request.reading.token)
        return request

    def _respond(self, request: Request, phases: Phases) -> Response:
        exchange = self._open(request, phases)
        response = exchange.read()
        if self.settings.log_bodies:
            log_body("response", response.body, request.reading.token)
        return response

    def _open(self, request: Request, phases: Phases) -> Exchange:
        exchange = self.sender.send(request, phases)
        if exchange.is_error:
            raise status_error(exchange.read(), datetime.now(UTC))
        return exchange

    def _repeat(self, request: Request, attempt: Callable[[Call], AnswerT]) -> AnswerT:
        world = World(self.monotonic, self.rand, log_try)
        call = Call(request, self.settings.retry, self.shared, world)
        try:
            while True:
                while (pause := call.pause()) > 0:
                    self.sleep(pause)
                try:
                    answer = attempt(call)
                except ServingError as error:
                    if not call.again(error):
                        raise
                else:
                    call.succeeded(answer.meta)
                    return answer
        finally:
            call.leave()
