"""Recorded streams: their events, lines that are lost, and ends that a client takes for a cut."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from databricks_serving._core.operations import (
    AGENT,
    CHAT,
    COMPLETION,
    RESPONSES,
    StreamingOperation,
)
from databricks_serving._core.reading import Reading
from databricks_serving._core.sse import SSEDecoder
from databricks_serving._core.streaming import StreamSession
from databricks_serving.errors import ServingError, StreamInterruptedError
from databricks_serving.testing._recording import Recording
from databricks_serving.testing._verify.unknown import nearest
from databricks_serving_api.types import ReplyMeta

DONE: Final = "[DONE]"
_OPERATIONS: Final[Mapping[str, StreamingOperation[Any, Any, Any]]] = {
    "agents": AGENT,
    "chat": CHAT,
    "completions": COMPLETION,
    "responses": RESPONSES,
}
_FIELDS: Final = ("data", "event", "id", "retry")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_WORD: Final = re.compile(r"\s*(\w+)")
_BOM: Final = b"\xef\xbb\xbf"


class RecordedStream:
    """What a recording holds, taken as events."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        # How much an event may have is for a client to say, and not for the contract.
        decoder = SSEDecoder(max_event_bytes=len(recording.content) + 1)
        self.events: list[str] = [one.data for one in decoder.feed(recording.content)]
        self.pending: bool = decoder.pending

    @cached_property
    def first(self) -> str:
        """The first event; empty without one."""
        return next(iter(self.events), "")

    def odd_lines(self) -> Iterator[tuple[int, str]]:
        """Yield the numbers of the lines that a client skips, and what was noticed of each."""
        lines = _LINE_END.split(self._recording.content.removeprefix(_BOM))
        # What follows the last end of a line may have been cut.
        for number, line in enumerate(lines[:-1], 1):
            field = line.partition(b":")[0].decode("utf-8", "replace")
            if field and field not in _FIELDS:
                yield number, _lost(field)

    def is_cut(self, tasks: Iterable[str]) -> bool:
        """Tell whether a client raises at its end, whichever of some tasks it is of."""
        found = [self._ending(_OPERATIONS[task]) for task in tasks if task in _OPERATIONS]
        return "cut" in found and "whole" not in found

    def _ending(self, operation: StreamingOperation[Any, Any, Any]) -> str:
        # That it is a stream is known, whatever the headers say.
        meta = ReplyMeta(self._recording.status, {"content-type": "text/event-stream"})
        reading = Reading(event_bytes=len(self._recording.content) + 1)
        session = StreamSession(operation, meta, reading)
        try:
            session.feed(self._recording.content)
            session.end()
            while session.advance():
                pass
        except StreamInterruptedError as error:
            return "broken" if error.__cause__ else "cut"
        except ServingError:
            return "broken"
        return "whole"


def _lost(field: str) -> str:
    """Say that a line is lost, without what it holds."""
    word = _WORD.match(field)
    near = nearest(word[1].lower(), _FIELDS) if word else None
    said = "this line is no field of an event, so clients pass over it"
    return f"{said}; did you mean '{near}:'?" if near else said
