"""What the bytes of a streamed response mean, event by event, and whether it ended well.

A stream has *ended* when its terminator came, or when every answer that began has finished.
Anything else (a closed connection, a stall, an error event) is an error that keeps what had come.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any, Generic, NoReturn, TypeGuard, TypeVar

from databricks_serving._core import json_codec
from databricks_serving._core.error_bodies import ErrorFacts, find_event_error
from databricks_serving._core.json_codec import is_object
from databricks_serving._core.operations import ChunkT, EventT, StreamingOperation, TextReplyT
from databricks_serving._core.replies import Response, decode_object, media_type
from databricks_serving._core.sse import ServerSentEvent, SSEDecoder, SSELimitError
from databricks_serving.errors import (
    APIStatusError,
    InvalidResponseError,
    ServingError,
    StreamError,
    StreamInterruptedError,
    StreamServerError,
)
from databricks_serving.events import TextDeltaEvent
from databricks_serving_api.types import ReplyMeta

_DONE = "[DONE]"
_STREAM_TYPE = "text/event-stream"
_JSON_TYPES = ("application/json", "text/json")
_SNIFFED = 64

# More than this after the terminator is not worth keeping the connection for.
MAX_DRAINED = 64 * 1024
NOT_OPEN = "the stream is not open: use it as a context manager (`with ... as stream:`)"

StreamErrorT = TypeVar("StreamErrorT", bound=StreamError)


class StreamSession(Generic[TextReplyT, ChunkT, EventT]):
    """One streamed response, fed with bytes and asked for chunks.

    Args:
        operation: The task.
        meta: Status and headers of the response.
    """

    def __init__(
        self, operation: StreamingOperation[TextReplyT, ChunkT, EventT], meta: ReplyMeta
    ) -> None:
        self.meta = meta
        self.terminated_cleanly = False
        self._operation = operation
        self._accumulator = operation.accumulator()
        self._decoder = SSEDecoder()
        self._pending: deque[ServerSentEvent] = deque()
        # The body so far, while it is not known to be a stream of events.
        self._whole: bytearray | None = None if media_type(meta) == _STREAM_TYPE else bytearray()
        self._count = 0
        self._ended = False
        self.news: Iterable[EventT] = ()

    @property
    def finished(self) -> bool:
        """Whether nothing more will come: no more bytes need be fed."""
        return self._ended and not self._pending

    def snapshot(self) -> TextReplyT:
        """Return the reply so far."""
        reply = self._accumulator.snapshot()
        reply.meta = self.meta
        return reply

    def feed(self, data: bytes) -> None:
        """Take in the next bytes of the body."""
        if self._ended:
            return
        if self._whole is not None:
            self._whole += data
            if not self._looks_like_stream():
                return
            data, self._whole = bytes(self._whole), None
        try:
            self._pending.extend(self._decoder.feed(data))
        except SSELimitError as error:
            self._interrupt(str(error))

    def end(self) -> None:
        """Take note that the body has ended."""
        if self._ended:
            return
        self._ended = True
        if self._whole is not None:
            self._read_whole(bytes(self._whole))

    def fail(self, error: ServingError) -> StreamInterruptedError:
        """Return the error for a connection that broke while the stream was read."""
        return self._with_partial(StreamInterruptedError(f"the stream broke off: {error}"))

    def pop(self) -> ChunkT | None:
        """Return the next chunk; None when more bytes are needed or the stream is over.

        Raises:
            StreamServerError: When the event reports an error.
            StreamInterruptedError: When the event cannot be read, or the body has ended too soon.
        """
        while self._pending:
            chunk = self._read(self._pending.popleft())
            if chunk is not None:
                self.news = self._accumulator.add(chunk)
                return chunk
        if self._ended and not (self.terminated_cleanly or self._accumulator.complete):
            self._interrupt("the stream ended without a finish reason and without a terminator")
        return None

    def _read(self, event: ServerSentEvent) -> ChunkT | None:
        self._count += 1
        if event.data.strip() == _DONE:
            self.terminated_cleanly = True
            self._ended = True
            self._pending.clear()
            return None
        data = self._decode(event)
        if data is None:
            return None
        facts = find_event_error(data)
        if facts is not None:
            self._report(facts, data)
        try:
            self._operation.check_event(data)
        except InvalidResponseError as error:
            self._interrupt(f"event {self._count} cannot be read: {error}")
        return self._operation.parse_event(data)

    def _decode(self, event: ServerSentEvent) -> dict[str, Any] | None:
        """Return the JSON of an event; None for an event that is none of ours."""
        try:
            data = json_codec.decode(event.data)
        except json_codec.JSONDecodeError:
            data = None
        if event.event == "error":
            body = data if is_object(data) else {"message": event.data}
            self._report(find_event_error(body) or _facts(body), body)
        if is_object(data):
            ours = event.event == "message" or "choices" in data
            return data if ours else None
        if event.event == "message":
            self._interrupt(f"event {self._count} is not a JSON object")
        return None

    def _report(self, facts: ErrorFacts, body: object) -> NoReturn:
        error = StreamServerError(
            facts.message, status_code=facts.status, error_code=facts.code, body=body
        )
        raise self._with_partial(error)

    def _interrupt(self, reason: str) -> NoReturn:
        raise self._with_partial(StreamInterruptedError(reason))

    def _with_partial(self, error: StreamErrorT) -> StreamErrorT:
        self._ended = True
        self._pending.clear()
        error.request_id = self.meta.request_id
        error.partial = self.snapshot() if self._count else None
        return error

    def _looks_like_stream(self) -> bool:
        """Decide by the first bytes, where the content type does not."""
        if media_type(self.meta) in _JSON_TYPES or self._whole is None:
            return False
        head = bytes(self._whole[:_SNIFFED]).lstrip(b"\xef\xbb\xbf \t\r\n")
        return bool(head) and head[:1] not in b"{[<"

    def _read_whole(self, body: bytes) -> None:
        """Turn a whole answer into the one event of a stream."""
        response = Response(self.meta, body)
        try:
            data = decode_object(response)
            self._operation.check(data)
        except APIStatusError as error:
            self._report(ErrorFacts(error.message, error.error_code), error.body)
        event = self._operation.as_event(data)
        self._pending.append(ServerSentEvent("message", json_codec.encode(event).decode(), ""))
        self._pending.append(ServerSentEvent("message", _DONE, ""))


def is_first_text(event: object) -> TypeGuard[TextDeltaEvent]:
    """Tell whether an event is new text of the first choice."""
    return isinstance(event, TextDeltaEvent) and event.choice == 0


def _facts(body: dict[str, Any]) -> ErrorFacts:
    return ErrorFacts(str(body.get("message") or "the server reported an error"))
