"""Server-sent events out of bytes, by the rules of the WHATWG HTML standard, section 9.2.6.

Libraries for this split lines at U+2028 or lose the first event after a byte order mark, so the
decoder is our own. It works on whole lines and never on single characters, keeps only what it
still needs, and takes linear time however the bytes are cut.
"""

from typing import Any, Final, NamedTuple, cast, final

DEFAULT_MAX_EVENT_BYTES: Final = 16 * 1024 * 1024

_BOM: Final = b"\xef\xbb\xbf"
# As numbers they are found ten times faster than as texts.
_LF, _CR = b"\n\r"


class SSELimitError(ValueError):
    """A line, or the data of one event, is larger than the decoder keeps."""


class ServerSentEvent(NamedTuple):
    """One event.

    Attributes:
        event: The name of the event; `message` where the server gave none.
        raw: The data as bytes; several `data` lines are joined by newlines.
        id: The last id that the stream gave, in this event or before; empty without one.
    """

    event: str
    raw: bytes
    id: str

    @property
    def data(self) -> str:
        """The data; bytes that are no UTF-8 are replaced."""
        return self.raw.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.event}, {len(self.raw)} bytes>"


# Makes an event without the call that a named tuple puts before it: a stream is made of them.
_event: Any = cast("Any", tuple).__new__


@final
class SSEDecoder:
    """Turns the bytes of one stream into events, in pieces of any size.

    Args:
        max_event_bytes: The largest line, and the largest data of one event, in bytes.
    """

    __slots__ = (
        "_after_cr",
        "_data",
        "_event",
        "_failure",
        "_id",
        "_idle",
        "_limit",
        "_line",
        "_started",
    )

    def __init__(self, *, max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES) -> None:
        self._limit = max_event_bytes
        self._line = bytearray()
        self._data: bytearray | None = None
        self._event = ""
        self._id = ""
        self._started = False
        self._after_cr = False
        # Whether the next byte begins an event.
        self._idle = False
        self._failure: SSELimitError | None = None

    @property
    def pending(self) -> bool:
        """Whether an event has begun and not ended; at the end of a stream it is lost."""
        return bool(self._line or self._event) or self._data is not None

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take in the next bytes and return the events that they complete.

        Raises:
            SSELimitError: A line or an event is too large. Events that precede it in the same
                chunk are returned first; then the next call raises.
        """
        # Nearly every piece is one event of one line of data.
        if (
            self._idle
            and chunk[:6] == b"data: "
            and chunk.find(b"\n") == len(chunk) - 2
            and chunk[-1] == _LF
            and _CR not in chunk
            and len(chunk) <= self._limit
        ):
            return [_event(ServerSentEvent, ("message", chunk[6:-2], self._id))]
        self.flush()
        self._idle = False
        events: list[ServerSentEvent] = []
        try:
            self._take(chunk, events)
        except SSELimitError as error:
            self._failure = error
            if not events:
                raise
        self._idle = self._started and not (self.pending or self._after_cr or self._failure)
        return events

    def flush(self) -> None:
        """End the stream; what is still pending is no event.

        Raises:
            SSELimitError: A line or an event was too large.
        """
        if self._failure is not None:
            raise self._failure

    def _take(self, chunk: bytes, events: list[ServerSentEvent]) -> None:
        if not self._started:
            chunk = self._without_bom(chunk)
        if not chunk:
            return
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if _CR in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if _LF not in chunk:
            self._keep(chunk)
            return
        if self._line:
            chunk = b"".join((self._line, chunk))
            self._line.clear()
        rest = self._decode(chunk, events)
        if rest:
            self._keep(rest)

    def _keep(self, piece: bytes) -> None:
        self._line += piece
        if len(self._line) > self._limit:
            raise self._too_large("a line")

    def _without_bom(self, chunk: bytes) -> bytes:
        head = bytes(self._line) + chunk
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._line[:] = head
            return b""
        self._started = True
        self._line.clear()
        return head.removeprefix(_BOM)

    def _decode(self, block: bytes, events: list[ServerSentEvent]) -> bytes:
        """Decode the lines that end in a line feed; return the rest."""
        groups = block.split(b"\n\n")
        rest = groups.pop()
        small = len(block) <= self._limit
        simple = small and self._data is None and not self._event
        for group in groups:
            if simple and group[:6] == b"data: " and _LF not in group:
                events.append(_event(ServerSentEvent, ("message", group[6:], self._id)))
                continue
            self._lines(group, events)
            self._dispatch(events)
            simple = small
        lines, newline, rest = rest.rpartition(b"\n")
        if newline:
            self._lines(lines, events)
        return rest

    def _lines(self, block: bytes, events: list[ServerSentEvent]) -> None:
        for line in block.split(b"\n"):
            if len(line) > self._limit:
                raise self._too_large("a line")
            if not line:
                self._dispatch(events)
                continue
            field, _, value = line.partition(b":")
            self._field(field, value.removeprefix(b" "))

    def _field(self, field: bytes, value: bytes) -> None:
        if field == b"data":
            self._append(value)
        elif field == b"event":
            self._event = value.decode("utf-8", "replace")
        elif field == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")

    def _append(self, value: bytes) -> None:
        if self._data is None:
            self._data = bytearray(value)
        else:
            self._data += b"\n"
            self._data += value
        if len(self._data) > self._limit:
            raise self._too_large("an event")

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        if self._data is not None:
            data = bytes(self._data)
            events.append(ServerSentEvent(self._event or "message", data, self._id))
        self._data = None
        self._event = ""

    def _too_large(self, what: str) -> SSELimitError:
        return SSELimitError(
            f"the stream sent {what} of more than the {self._limit} bytes of "
            "Limits(event_bytes=...)"
        )
