"""Answers of a server, as exact bytes."""

import json
import socket
from http import HTTPStatus
from typing import Any

import wire
from raw_server import Handler, chunked, give, response

FIRST = wire.sse(wire.chunk("The "))
REST = wire.sse(wire.chunk("Po.", "stop"), "[DONE]")
HELLO = FIRST + REST
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def reply(data: Any = None, status: int = 200, *headers: str, length: int | None = None) -> bytes:
    """Return a JSON response; bytes and texts are the body as they stand.

    Args:
        data: The body; a short chat reply unless given.
        status: The HTTP status.
        headers: More header lines.
        length: A length that is not the true one.
    """
    if data is None:
        data = wire.chat("Hi") if status < HTTPStatus.BAD_REQUEST else {"message": "no"}
    body = data if isinstance(data, bytes) else data.encode() if isinstance(data, str) else None
    content = json.dumps(data).encode() if body is None else body
    kind = () if _names(headers, "content-type") else ("Content-Type: application/json",)
    return response(content, *kind, *headers, status=_line(status), length=length)


def bare(body: bytes = b"", status: int = 200, *headers: str) -> bytes:
    """Return a response without a content type."""
    return response(body, *headers, status=_line(status))


def stream(*events: Any, ends: bool = True) -> bytes:
    """Return a streamed response: each event (see `wire.sse`) is a chunk of its own."""
    return chunked(*(wire.sse(event) for event in events if event), ends=ends)


def chunk_of(data: bytes) -> bytes:
    """Return one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Odd"


def _names(headers: tuple[str, ...], name: str) -> bool:
    return any(header.lower().startswith(f"{name}:") for header in headers)


class Script:
    """An answer that can be changed while the server runs: the good one unless told otherwise."""

    def __init__(self) -> None:
        self.next: list[bytes | Handler] = []
        self.always: bytes | Handler = reply()

    def __call__(self, connection: socket.socket) -> None:
        give(self.next.pop(0) if self.next else self.always, connection)
