"""Answers as steps, with what goes wrong on the way."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from databricks_serving._core import json_codec
from databricks_serving._core.script import Break, Head, Step, Wait
from databricks_serving.testing._options import BREAKAGES, ENDS

DONE: Final = b"data: [DONE]\n\n"
_KEEP_ALIVE: Final = b": keep-alive\n\n"
_SECONDS: Final = 5.0
_PIECE: Final = 64
_GARBAGE: Final = '{"choices": [{'
_ERROR: Final = {"error_code": "INTERNAL_ERROR", "message": "The model failed."}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it would be if nothing went wrong.

    Attributes:
        head: Status and headers.
        pieces: Events, or the one piece of a body that comes whole.
        streamed: Whether the pieces are events.
        marked: Whether the end mark belongs to the stream.
    """

    head: Head
    pieces: Sequence[bytes]
    streamed: bool = False
    marked: bool = False

    @property
    def units(self) -> int:
        """How many events or bytes there are."""
        return len(self.pieces) if self.streamed else len(b"".join(self.pieces))


def event(data: object) -> bytes:
    """Return a value as an event of a stream; a text stands as it is."""
    text = data.encode() if isinstance(data, str) else json_codec.encode(data)
    return b"data: " + text.replace(b"\n", b"\ndata: ") + b"\n\n"


def steps_of(answer: Answer, faults: Mapping[str, Any]) -> Iterator[Step]:
    """Yield the steps of an answer.

    Args:
        answer: The answer.
        faults: The options of the reply, as `StreamOptions` has them.
    """
    if faults.get("delay"):
        yield Wait(faults["delay"])
    yield answer.head
    if answer.streamed and faults.get("first_event_after"):
        yield from _silence(faults["first_event_after"], faults.get("keep_alive", _SECONDS))
    kept, last = _ended(answer, faults)
    drip = faults.get("drip", 0.0)
    for position, piece in enumerate(_split(kept, answer, faults)):
        if position and drip:
            yield Wait(drip)
        yield piece
    yield from last


def _silence(seconds: float, interval: float) -> Iterator[Step]:
    yield _KEEP_ALIVE
    while seconds > 0:
        yield Wait(min(seconds, interval))
        seconds -= interval
        if seconds > 0:
            yield _KEEP_ALIVE


def _ended(answer: Answer, faults: Mapping[str, Any]) -> tuple[list[bytes], Iterable[Step]]:
    """Return the pieces that come, and how it ends after them."""
    pieces = list(answer.pieces)
    if answer.streamed and faults.get("done", answer.marked):
        pieces.append(DONE)
    line_end = faults.get("line_end", "\n").encode()
    end = next((name for name in ENDS if name in faults), None)
    if end is None:
        return _lined(pieces, line_end), ()
    count = faults[end]
    if end == "cut_at_byte" or not answer.streamed:
        kept = [b"".join(_lined(pieces, line_end))[:count]]
    else:
        kept = _lined([*pieces[:count], *_instead(end, pieces[count:], faults)], line_end)
    last = [Break(BREAKAGES[end])] if end in BREAKAGES else []
    return kept, [Wait(inf)] if end == "stall_after" else last


def _instead(end: str, rest: list[bytes], faults: Mapping[str, Any]) -> list[bytes]:
    """Return the events that come instead of the rest."""
    if end == "error_after":
        return [event(faults.get("error", _ERROR))]
    return [event(_GARBAGE), *rest] if end == "garbage_after" else []


def _lined(pieces: list[bytes], line_end: bytes) -> list[bytes]:
    return pieces if line_end == b"\n" else [one.replace(b"\n", line_end) for one in pieces]


def _split(pieces: list[bytes], answer: Answer, faults: Mapping[str, Any]) -> Iterable[bytes]:
    size = faults.get("split")
    if size is None and (answer.streamed or "drip" not in faults):
        return [piece for piece in pieces if piece]
    size = size or _PIECE
    content = b"".join(pieces)
    return [content[start : start + size] for start in range(0, len(content), size)]
