"""Requests and replies of HTTP, without the sockets."""

import json
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from email.message import Message
from typing import Final

from databricks_serving.local.errors import RefusedError
from databricks_serving.local.jsontypes import Json

_DONE: Final = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it was sent; `headers` finds names in any letter case."""

    method: str
    target: str
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A reply; its body is sent piece by piece if it is a generator.

    Pieces are chunks unless `length` says how many bytes they are to have together.
    """

    status: int
    content_type: str
    body: bytes | Generator[bytes, None, None]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    length: int | None = None


def json_reply(status: int, value: Json, headers: Mapping[str, str]) -> HttpReply:
    """A reply in one piece."""
    return HttpReply(status, "application/json", _encode(value), headers)


def event_reply(
    events: Generator[Json, None, None], headers: Mapping[str, str], *, marked: bool = True
) -> HttpReply:
    """A reply as server-sent events, with or without a mark at the end."""
    return HttpReply(200, "text/event-stream", _stream(events, _DONE if marked else b""), headers)


def _stream(events: Generator[Json, None, None], end: bytes) -> Generator[bytes, None, None]:
    """Frame events; one that breaks off tells why, and lacks the end mark."""
    with closing(events):
        try:
            for event in events:
                yield b"data: " + _encode(event) + b"\n\n"
        except RefusedError as refused:
            yield b"data: " + _encode({**refused.body}) + b"\n\n"
        else:
            if end:
                yield end


def _encode(value: Json) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")
