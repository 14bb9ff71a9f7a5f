"""What nothing in Python undercuts by much: a socket, orjson, and not all the rules of HTTP."""

import asyncio
import re
import socket
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from serving_bench.clients.common import HEADERS, body, chat_url, vectors_url
from serving_bench.clients.raw import array_of, count_of, text_of, texts

_LENGTH: Final = re.compile(rb"content-length: (\d+)")
_READ: Final = 256 * 1024


class Request:
    """The bytes of requests to one address."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        headers = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
        head = f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\n{headers}content-length: "
        self._head = head.encode()

    def of(self, content: bytes) -> bytes:
        """Return a request with a body."""
        return b"%s%d\r\n\r\n%s" % (self._head, len(content), content)


class Blocking:
    """One socket."""

    def __init__(self, host: str) -> None:
        parts = urlsplit(host)
        self._socket = socket.create_connection((parts.hostname, parts.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._chat, self._vectors = Request(chat_url(host)), Request(vectors_url(host))

    def _post(self, request: bytes) -> bytes:
        self._socket.sendall(request)
        data = self._socket.recv(_READ)
        end = data.index(b"\r\n\r\n") + 4
        found = _LENGTH.search(data, 0, end)
        missing = end + int(found[1]) - len(data) if found else 0
        pieces = [data[end:]]
        while missing:
            pieces.append(self._socket.recv(_READ))
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def chat(self, model: str) -> str:
        """Make a small call and read its text."""
        return text_of(self._post(self._chat.of(orjson.dumps(body(model)))))

    def stream(self, model: str) -> int:
        """Read a stream as dictionaries; return how many came."""
        self._socket.sendall(self._chat.of(orjson.dumps(body(model, stream=True))))
        return sum(1 for _ in self._chunks())

    text = stream

    def _chunks(self) -> Iterator[Any]:
        rest, ended = b"", False
        while not ended:
            data = rest + self._socket.recv(_READ)
            ended = data.endswith(b"\r\n0\r\n\r\n")
            *events, rest = data.split(b"\n\n")
            yield from chunks_in(events)

    def embed(self, model: str) -> int:
        """Have texts embedded as lists; return how many vectors came."""
        return count_of(self._post(self._vectors.of(texts(model, "float"))))

    def embed_packed(self, model: str) -> int:
        """Have texts embedded as one array; return how many vectors came."""
        return len(array_of(self._post(self._vectors.of(texts(model, "base64")))))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def chunks_in(events: list[bytes]) -> Iterator[Any]:
    """Yield the chunks of events, around each of which stands one chunk of HTTP."""
    for event in events:
        start = event.find(b"data: ")
        if start < 0:
            continue
        data = event[start + 6 :]
        if data != b"[DONE]":
            yield orjson.loads(data)


class _Answers(asyncio.Protocol):
    """One connection: hands each piece of an answer on."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand a piece on."""
        self.pieces.put_nowait(data)


class Async:
    """As many sockets of asyncio as calls at once."""

    def __init__(self, host: str) -> None:
        parts = urlsplit(host)
        self._address = parts.hostname, parts.port
        self._idle: list[_Answers] = []
        self._chat, self._vectors = Request(chat_url(host)), Request(vectors_url(host))

    async def _connection(self) -> _Answers:
        if self._idle:
            return self._idle.pop()
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(_Answers, *self._address))[1]

    async def _post(self, request: bytes) -> bytes:
        connection = await self._connection()
        connection.transport.write(request)
        data = await connection.pieces.get()
        end = data.index(b"\r\n\r\n") + 4
        found = _LENGTH.search(data, 0, end)
        missing = end + int(found[1]) - len(data) if found else 0
        pieces = [data[end:]]
        while missing:
            pieces.append(await connection.pieces.get())
            missing -= len(pieces[-1])
        self._idle.append(connection)
        return b"".join(pieces)

    async def chat(self, model: str) -> str:
        """Make a small call and read its text."""
        return text_of(await self._post(self._chat.of(orjson.dumps(body(model)))))

    async def stream(self, model: str) -> int:
        """Read a stream as dictionaries; return how many came."""
        connection = await self._connection()
        connection.transport.write(self._chat.of(orjson.dumps(body(model, stream=True))))
        rest, ended, count = b"", False, 0
        while not ended:
            data = rest + await connection.pieces.get()
            ended = data.endswith(b"\r\n0\r\n\r\n")
            *events, rest = data.split(b"\n\n")
            count += sum(1 for _ in chunks_in(events))
        self._idle.append(connection)
        return count

    text = stream

    async def embed(self, model: str) -> int:
        """Have texts embedded as lists; return how many vectors came."""
        return count_of(await self._post(self._vectors.of(texts(model, "float"))))

    async def embed_packed(self, model: str) -> int:
        """Have texts embedded as one array; return how many vectors came."""
        return len(array_of(await self._post(self._vectors.of(texts(model, "base64")))))

    async def close(self) -> None:
        """Close the sockets."""
        for connection in self._idle:
            connection.transport.close()
