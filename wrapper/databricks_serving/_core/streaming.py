"""What the bytes of a streamed response mean, event by event, and whether it ended well.

A stream has *ended* when its terminator came, or when every answer that was asked for or began has
finished. The stream of a custom model has no mark of its own: it has ended when the body is whole.
Anything else (a closed connection, a stall, an error event) is an error that keeps what had come.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any, Final, Generic, NoReturn, TypeGuard, TypeVar

from databricks_serving._core import json_codec
from databricks_serving._core.choices import Told
from databricks_serving._core.error_bodies import ErrorFacts, find_event_error, read_error_event
from databricks_serving._core.json_codec import is_object
from databricks_serving._core.operations import (
    ChunkT,
    EventT,
    StreamingOperation,
    TextReplyT,
)
from databricks_serving._core.reading import Reading
from databricks_serving._core.replies import Response, checked_object, media_type, reported_error
from databricks_serving._core.sse import (
    ServerSentEvent,
    SSEDecoder,
    SSELimitError,
)
from databricks_serving.errors import (
    APITimeoutError,
    ClientClosedError,
    InvalidResponseError,
    ResponseTooLargeError,
    ServingError,
    StreamError,
    StreamInterruptedError,
    StreamServerError,
    StreamTimeoutError,
)
from databricks_serving.events import TextDeltaEvent
from databricks_serving_api.types import ReplyMeta

_CUT = "the stream ended without a finish reason and without a terminator"
_DONE = "[DONE]"
STREAM_TYPE = "text/event-stream"
_JSON_TYPES = ("application/json", "text/json")
_SNIFFED = 64
# What stands for an event without data of ours, and for no event; null is data.
_NOTHING: Final = object()

# More than this after the terminator is not worth keeping the connection for.
MAX_DRAINED = 64 * 1024
DRAIN_SECONDS = 0.5
OPENED = "the stream was opened before: a second answer needs a second call"
NOT_OPEN = "the stream is not open: use it as a context manager (`with ... as stream:`)"
READ_TWICE = "the stream was iterated before: an answer can be read once"
BUSY = "the stream is being read by another thread or task"

StreamErrorT = TypeVar("StreamErrorT", bound=StreamError)


class StreamSession(Generic[TextReplyT, ChunkT, EventT]):
    """One streamed response, fed with bytes and asked for event after event.

    What somebody wants of an event, the typed chunk, typed events or the text alone, is made when
    it is asked for.

    Args:
        operation: The task.
        meta: Status and headers of the response.
        reading: What its request says of reading it.
    """

    def __init__(
        self,
        operation: StreamingOperation[TextReplyT, ChunkT, EventT],
        meta: ReplyMeta,
        reading: Reading,
    ) -> None:
        self.meta = meta
        self.terminated_cleanly: bool = False
        self._operation = operation
        self._accumulator = operation.accumulator()
        self._decoder = SSEDecoder(max_event_bytes=reading.event_bytes)
        self._limit = reading.event_bytes
        self._parts = reading.parts or 1
        self._pending: deque[ServerSentEvent] = deque()
        # The body so far, while it is not known to be a stream of events.
        self._body: bytearray | None = None if media_type(meta) == STREAM_TYPE else bytearray()
        # A whole answer that came instead, and the one event that stands for it.
        self._answer: TextReplyT | None = None
        self._answer_event: Any = _NOTHING
        # The last event: its JSON, what was new in it, and its chunk once somebody asked for it.
        self._data: Any = None
        self._told: Told = []
        self._chunk: ChunkT | None = None
        self._count = 0
        self._begun = False
        self._ended = False

    @property
    def finished(self) -> bool:
        """Whether nothing more will come: no more bytes need be fed."""
        return self._ended and not self._pending and self._answer_event is _NOTHING

    @property
    def begun(self) -> bool:
        """Whether an event has come."""
        return self._begun

    def snapshot(self) -> TextReplyT:
        """Return the reply so far."""
        reply = self._accumulator.snapshot() if self._answer is None else self._answer
        reply.meta = self.meta
        return reply

    def feed(self, data: bytes) -> None:
        """Take in the next bytes of the body."""
        if self._ended:
            return
        if self._body is not None:
            self._body += data
            if not self._looks_like_stream(self._body):
                self._check_size(self._body)
                return
            data, self._body = bytes(self._body), None
        try:
            self._pending.extend(self._decoder.feed(data))
        except SSELimitError as error:
            self._too_large(error)

    def end(self) -> None:
        """Take note that the body has ended."""
        if self._ended:
            return
        self._ended = True
        if self._body is not None:
            self._read_whole(Response(self.meta, bytes(self._body)))
        try:
            self._decoder.flush()
        except SSELimitError as error:
            self._too_large(error)

    def closed_early(self) -> StreamInterruptedError:
        """Return the error for reading on after the stream was closed."""
        return self._with_partial(StreamInterruptedError("the stream was closed before its end"))

    def broken(self, error: ServingError) -> ServingError:
        """Return what an error while the stream was read comes out as.

        Before the first event it is raised as it is; after it the error keeps what had come.
        """
        self._stop()
        error.request_id = self.meta.request_id
        if isinstance(error, ClientClosedError):
            error.partial = self._partial()
        if not self._begun or isinstance(error, ClientClosedError | StreamError):
            return error
        ours = self._with_partial(_interrupted(error))
        ours.__cause__ = error
        return ours

    def advance(self) -> bool:
        """Go on to the next event; False when more bytes are needed or the stream is over.

        Raises:
            StreamServerError: When the event reports an error.
            APIStatusError: When the first event does, and names its status.
            StreamInterruptedError: When the event cannot be read, or the body has ended too soon.
        """
        told = None if self._answer_event is _NOTHING else self._take_answer()
        while told is None and self._pending:
            told = self._read(self._pending.popleft())
        if told is not None:
            self._told = told
            self._chunk = None
            self._begun = True
            return True
        if self._ended and not self._complete:
            raise self._with_partial(StreamInterruptedError(_CUT))
        return False

    def chunk(self) -> ChunkT:
        """Return the last event as a typed chunk."""
        if self._chunk is None:
            self._chunk = self._operation.parse_event(self._data)
        return self._chunk

    def told(self) -> Told:
        """Return what was new in the last event, text of the first choice as a bare `str`."""
        return self._told

    @property
    def news(self) -> Iterable[EventT]:
        """The typed events of the last event."""
        return self._operation.events(self.chunk(), self._told) if self._begun else ()

    @property
    def _complete(self) -> bool:
        answered = self.terminated_cleanly or self._answer is not None
        unmarked = self._operation.free_form
        return answered or unmarked or self._accumulator.finished >= self._parts

    def _take_answer(self) -> Told:
        self._data, self._answer_event = self._answer_event, _NOTHING
        return self._accumulator.add(self._data)

    def _read(self, event: ServerSentEvent) -> Told | None:
        """Take in an event and return what is new in it; None for one that is none of ours."""
        self._count += 1
        name, raw, _ = event
        try:
            data = json_codec.decode_replacing(raw)
        except json_codec.JSONDecodeError:
            data = _NOTHING
        known = is_object(data)
        if not known and _is_done(event.data):
            self.terminated_cleanly = True
            self._stop()
            return None
        if name == "error":
            self._report(*read_error_event(event.data))
        if not (known and name == "message") and not self._is_ours(name, data):
            return None
        told = self._accumulator.add_plain(data) if known else None
        if told is None:
            self._check(data)
            told = self._accumulator.add(data)
        self._data = data
        return told

    def _check(self, data: Any) -> None:
        facts = find_event_error(data) if is_object(data) else None
        if facts is not None:
            self._report(facts, data)
        try:
            self._operation.check_event(data)
        except InvalidResponseError as error:
            self._invalid(f"event {self._count} cannot be read: {error}")

    def _is_ours(self, name: str, data: Any) -> bool:
        """Tell whether JSON is an event of the answer."""
        free = self._operation.free_form
        if is_object(data):
            named = self._operation.named_events and "type" in data
            return name == "message" or free or named or "choices" in data
        if name == "message" and not (free and data is not _NOTHING):
            kind = "JSON" if free else "a JSON object"
            self._invalid(f"event {self._count} is not {kind}")
        return free and data is not _NOTHING

    def _too_large(self, error: SSELimitError) -> NoReturn:
        self._raise(ResponseTooLargeError(str(error)))

    def _check_size(self, body: bytearray) -> None:
        if len(body) > self._limit:
            text = f"the answer has more than the {self._limit} bytes of Limits(event_bytes=...)"
            self._raise(ResponseTooLargeError(text))

    def _report(self, facts: ErrorFacts, body: object) -> NoReturn:
        if facts.status and not self._begun:
            self._raise(reported_error(self.meta, facts, body))
        error = StreamServerError(
            facts.message, status_code=facts.status, error_code=facts.code, body=body
        )
        raise self._with_partial(error)

    def _invalid(self, reason: str) -> NoReturn:
        self._raise(InvalidResponseError(reason, garbled=True))

    def _raise(self, error: ServingError) -> NoReturn:
        error = self.broken(error)
        raise error from error.__cause__

    def _with_partial(self, error: StreamErrorT) -> StreamErrorT:
        self._stop()
        error.request_id = self.meta.request_id
        error.partial = self._partial()
        return error

    def _partial(self) -> TextReplyT | None:
        return self.snapshot() if self._begun else None

    def _stop(self) -> None:
        self._ended = True
        self._pending.clear()

    def _looks_like_stream(self, body: bytearray) -> bool:
        """Decide by the first bytes, where the content type does not."""
        if media_type(self.meta) in _JSON_TYPES:
            return False
        head = bytes(body[:_SNIFFED]).lstrip(b"\xef\xbb\xbf \t\r\n")
        return bool(head) and head[:1] not in b"{[<"

    def _read_whole(self, response: Response) -> None:
        """Take a whole answer as the one event of a stream."""
        data = checked_object(self._operation, response)
        self._answer_event = self._operation.as_event(data)
        self._answer = self._operation.parse(data)


def _is_done(data: str) -> bool:
    # Some gateways quote the terminator as if it were JSON.
    return data.strip().strip('"') == _DONE


def _interrupted(error: ServingError) -> StreamInterruptedError:
    reason = f"the stream broke off: {error}"
    if isinstance(error, APITimeoutError):
        return StreamTimeoutError(reason, phase=error.phase)
    return StreamInterruptedError(reason)


def is_first_text(event: object) -> TypeGuard[TextDeltaEvent]:
    """Tell whether an event is new text of the first choice."""
    return isinstance(event, TextDeltaEvent) and event.choice == 0
