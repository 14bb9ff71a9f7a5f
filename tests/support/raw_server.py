"""A server on loopback that answers with exactly the bytes it is given."""

import contextlib
import itertools
import json
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Handler = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Echo:
    """An answer that depends on the request."""

    answer: Callable[[bytes], bytes]


Answer = bytes | Handler | Echo


class RawServer:
    """Gives each request the next answer; keeps connections open unless the answer closes them.

    Args:
        listener: A listening socket.
        answers: One for each request, in the order of their arrival.
        then: The answer to every request after those.
        instead: What to do with the first connections instead of reading requests from them.
    """

    def __init__(
        self,
        listener: socket.socket,
        answers: tuple[Answer, ...],
        then: Answer | None = None,
        instead: tuple[Handler, ...] = (),
    ) -> None:
        self._listener = listener
        self._then: Iterator[Answer] = iter(()) if then is None else itertools.repeat(then)
        self._answers = itertools.chain(answers, self._then)
        self._instead = iter(instead)
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.connections = 0

    @property
    def host(self) -> str:
        """Address for a client."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def port(self) -> int:
        """Port of the address."""
        return self._listener.getsockname()[1]

    def run(self) -> None:
        """Accept until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                handler = next(self._instead, self._serve)
                threading.Thread(target=_handle, args=[handler, connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            with self._lock:
                self.requests.append(request)
                answer = next(self._answers)
            if isinstance(answer, Echo):
                answer = answer.answer(request)
            give(answer, connection)

    def skip(self, then: Answer | None = None) -> None:
        """Give no more of the answers that are left: go on with what follows them, or with this."""
        if then is not None:
            self._then = itertools.repeat(then)
        self._answers = self._then

    def close(self) -> None:
        """Close the listener and every connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def read_request(connection: socket.socket) -> bytes:
    """Read one request; empty at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
    pieces, missing = [body], int(fields.get(b"content-length", 0)) - len(body)
    while missing > 0:
        piece = connection.recv(65536)
        if not piece:
            return b""
        pieces.append(piece)
        missing -= len(piece)
    return head + b"\r\n\r\n" + b"".join(pieces)


def path_of(request: bytes) -> str:
    """Return the target of a request as it came."""
    return request.partition(b"\r\n")[0].decode("latin-1").split(" ")[1]


def headers_of(request: bytes) -> dict[str, str]:
    """Return the headers of a request, names in lower case."""
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def body_of(request: bytes) -> Any:
    """Return the JSON body of a request."""
    return json.loads(request.partition(b"\r\n\r\n")[2])


def response(
    body: bytes, *headers: str, status: str = "200 OK", length: int | None = None
) -> bytes:
    """Return a response with a length, the true one unless given."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(*pieces: bytes, ends: bool = True) -> bytes:
    """Return a streamed response in chunks."""
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return head + body + (b"0\r\n\r\n" if ends else b"")


def then_close(data: bytes) -> Callable[[socket.socket], None]:
    """Answer and close the connection."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def reset(connection: socket.socket) -> None:
    """Break the connection off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def then_reset(data: bytes) -> Handler:
    """Answer and break the connection off."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(data)
        reset(connection)

    return answer


def silence(connection: socket.socket) -> None:
    """Answer nothing until the client goes."""
    connection.recv(1)


def then_silence(data: bytes) -> Handler:
    """Answer and say nothing more until the client goes."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(data)
        silence(connection)

    return answer


def drip(data: bytes, seconds: float = 0.0, size: int = 1) -> Handler:
    """Answer in writes of one byte (or `size`), with a pause after each, while the client listens.

    Args:
        data: The whole answer.
        seconds: The pause.
        size: Bytes of a write.
    """

    def answer(connection: socket.socket) -> None:
        for start in range(0, len(data), size):
            connection.sendall(data[start : start + size])
            if seconds and select.select([connection], [], [], seconds)[0]:
                return

    return answer


def wait_for(event: threading.Event, answer: bytes | Handler) -> Handler:
    """Answer once an event has come."""

    def late(connection: socket.socket) -> None:
        event.wait(10)
        give(answer, connection)

    return late


def linger(connection: socket.socket) -> None:
    """Keep a connection open, without reading, until the client goes."""
    poller = select.poll()
    poller.register(connection, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    poller.poll(10_000)


def deaf(connection: socket.socket) -> None:
    """Read nothing until the client goes: its own buffers fill up."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    linger(connection)
    reset(connection)


def give(answer: bytes | Handler, connection: socket.socket) -> None:
    """Give one answer."""
    if isinstance(answer, bytes):
        connection.sendall(answer)
    else:
        answer(connection)


def _handle(handler: Handler, connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        handler(connection)


@contextlib.contextmanager
def raw_server(
    *answers: Answer,
    then: Answer | None = None,
    instead: tuple[Handler, ...] = (),
    port: int = 0,
) -> Iterator[RawServer]:
    """Run a server for a block; see `RawServer`."""
    server = RawServer(socket.create_server(("127.0.0.1", port)), answers, then, instead)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)
