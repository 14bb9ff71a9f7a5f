"""A fast server on loopback whose behaviour is named by the endpoint that is called.

`python -m soak_lib.server` prints its port, serves until its input ends, and answers `GET /count`
with the number of requests per endpoint.
"""

import asyncio
import json
import sys
from collections import Counter
from typing import ClassVar, cast

CHUNKS = 50
INTERVAL = 0.1

_CHUNK = json.dumps(
    {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}],
    }
).encode()
_LAST = _CHUNK.replace(b"null", b'"stop"')
_REPLY = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Words of an answer. " * 10},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 40, "total_tokens": 50},
    }
).encode()
_STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


def _framed(data: bytes) -> bytes:
    block = b"data: %b\n\n" % data
    return b"%x\r\n%b\r\n" % (len(block), block)


def _whole(status: bytes, body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"content-type: application/json", b"", body])


_LONG = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n"
# Streams by their number of chunks.
_PACED = {"brief": 1, "stream": CHUNKS, "endless": sys.maxsize}
# Answers that never end: what comes at once, and what comes every 20 ms.
_DRIPS = {
    "silent": (b"", b""),
    "dripping-head": (b"HTTP/1.1 200 OK\r\nx-long: ", b"x"),
    "dripping-body": (_LONG, b" "),
    "comments": (_STREAM + _framed(_CHUNK), b"8\r\n: ping\n\n\r\n"),
    "dripping-event": (_STREAM + _framed(_CHUNK), b"1\r\nx\r\n"),
    "endless-events": (_STREAM, _framed(_CHUNK)),
}


class Connection(asyncio.Protocol):
    """One connection, kept alive."""

    counts: ClassVar[Counter[str]] = Counter()
    sick: ClassVar[bool] = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)
        self.buffer = b""
        self.task: asyncio.Task[None] | None = None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's interface
        """End what is being sent."""
        if self.task:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        lower = head.lower()
        length = 0
        if b"content-length:" in lower:
            length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self.buffer = body[length:]
        self.answer(head.split(b" ", 2)[1].decode())

    def answer(self, path: str) -> None:
        """Send the answer that the path names."""
        if path == "/count":
            self.transport.write(_whole(b"200 OK", json.dumps(self.counts).encode()))
            return
        if path == "/heal":
            Connection.sick = False
            self.transport.write(_whole(b"200 OK", b"{}"))
            return
        name = path.split("/")[2]
        self.counts[name] += 1
        if name == "burst" or name in _PACED:
            self.task = asyncio.ensure_future(self.stream(name))
        elif name in _DRIPS:
            self.task = asyncio.ensure_future(self.drip(*_DRIPS[name]))
        elif name == "busy":
            self.transport.write(_whole(b"503 Busy", b"{}", b"retry-after-ms: 200"))
        elif name == "sick" and self.sick:
            self.transport.write(_whole(b"503 Busy", b'{"message": "sick"}'))
        else:
            self.transport.write(_whole(b"200 OK", _REPLY))

    async def drip(self, head: bytes, piece: bytes) -> None:
        """Send a head at once, and then a piece again and again."""
        self.transport.write(head)
        while piece:
            await asyncio.sleep(0.02)
            self.transport.write(piece)

    async def stream(self, name: str) -> None:
        """Send a stream: paced, at once, or without end."""
        self.transport.write(_STREAM)
        if name == "burst":
            self.transport.write(_framed(_CHUNK) * 1000)
        for number in range(_PACED.get(name, 0)):
            self.transport.write(_framed(_CHUNK))
            await asyncio.sleep(INTERVAL if name == "stream" or number else 0.01)
        self.transport.write(_framed(_LAST) + _framed(b"[DONE]") + b"0\r\n\r\n")


async def main() -> None:
    """Serve until the input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
