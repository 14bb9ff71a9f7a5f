"""Calls over a blocking transport."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self, TypeVar

from databricks_serving._core.attempts import Attempts
from databricks_serving._core.operations import (
    ChunkT,
    EventT,
    Operation,
    ReplyT,
    StreamingOperation,
    TextReplyT,
)
from databricks_serving._core.raw import RawResponse
from databricks_serving._core.replies import Response, read_reply, status_error
from databricks_serving._core.requests import Request, build_request
from databricks_serving._core.settings import Settings
from databricks_serving._core.streaming import StreamSession
from databricks_serving._http import Exchange, Sender
from databricks_serving._sync.stream import ChunkStream
from databricks_serving.errors import ServingError

ResultT = TypeVar("ResultT")


class Caller:
    """Makes calls: builds, sends, waits, and has the core interpret."""

    def __init__(self, settings: Settings, sender: Sender) -> None:
        self.settings = settings
        self.sender = sender
        self.monotonic: Callable[[], float] = time.monotonic
        self.sleep: Callable[[float], None] = time.sleep

    def with_settings(self, settings: Settings) -> Self:
        """Return a caller with other settings over the same transport and clock."""
        caller = type(self)(settings, self.sender)
        caller.monotonic, caller.sleep = self.monotonic, self.sleep
        return caller

    def reply(
        self, operation: Operation[ReplyT], endpoint: str, arguments: Mapping[str, Any]
    ) -> ReplyT:
        """Make a call and return its typed reply."""
        request = build_request(operation, self.settings, endpoint, arguments)

        def attempt(_: Attempts) -> ReplyT:
            return read_reply(operation, self._respond(request))

        return self._repeat(endpoint, attempt)

    def raw(
        self, operation: Operation[ReplyT], endpoint: str, arguments: Mapping[str, Any]
    ) -> RawResponse[ReplyT]:
        """Make a call and return its HTTP response."""
        request = build_request(operation, self.settings, endpoint, arguments)

        def attempt(_: Attempts) -> RawResponse[ReplyT]:
            return RawResponse(operation, self._respond(request))

        return self._repeat(endpoint, attempt)

    def stream(
        self,
        operation: StreamingOperation[TextReplyT, ChunkT, EventT],
        endpoint: str,
        arguments: Mapping[str, Any],
    ) -> ChunkStream[TextReplyT, ChunkT, EventT]:
        """Start a streamed call."""
        request = build_request(operation, self.settings, endpoint, arguments, stream=True)

        def attempt(attempts: Attempts) -> ChunkStream[TextReplyT, ChunkT, EventT]:
            exchange = self._open(request)
            session = StreamSession(operation, exchange.meta)
            return ChunkStream(exchange, session, partial(self._describe, attempts))

        return self._repeat(endpoint, attempt)

    def _respond(self, request: Request) -> Response:
        exchange = self._open(request)
        return exchange.read()

    def _open(self, request: Request) -> Exchange:
        exchange = self.sender.send(request)
        if exchange.is_error:
            token = self.settings.credentials.token
            raise status_error(exchange.read(), datetime.now(UTC), token)
        return exchange

    def _repeat(self, endpoint: str, attempt: Callable[[Attempts], ResultT]) -> ResultT:
        attempts = Attempts(self.settings.retry, endpoint, self.monotonic())
        while True:
            try:
                return attempt(attempts)
            except ServingError as error:
                delay = attempts.delay_after(error, self.monotonic())
                if delay is None:
                    raise
            self.sleep(delay)

    def _describe(self, attempts: Attempts, error: ServingError) -> None:
        attempts.describe(error, self.monotonic())
