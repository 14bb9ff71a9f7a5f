"""A server on loopback that answers with exactly the bytes it is given."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

Answer = bytes | Callable[[socket.socket], None]


class RawServer:
    """Gives each request the next answer; keeps connections open unless the answer closes them."""

    def __init__(self, listener: socket.socket, answers: tuple[Answer, ...]) -> None:
        self._listener = listener
        self._answers = iter(answers)
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.connections = 0

    @property
    def host(self) -> str:
        """Address for a client."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def run(self) -> None:
        """Accept until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while request := read_request(connection):
                self.requests.append(request)
                with self._lock:
                    answer = next(self._answers)
                if isinstance(answer, bytes):
                    connection.sendall(answer)
                else:
                    answer(connection)

    def close(self) -> None:
        """Close the listener and every connection."""
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
    while len(body) < int(fields.get(b"content-length", 0)):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


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


def silence(connection: socket.socket) -> None:
    """Answer nothing until the client goes."""
    connection.recv(1)


@contextlib.contextmanager
def raw_server(*answers: Answer) -> Iterator[RawServer]:
    """Run a server for a block."""
    server = RawServer(socket.create_server(("127.0.0.1", 0)), answers)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)
