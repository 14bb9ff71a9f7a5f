"""A server that answers from memory: one thread, no parsing beyond what tells requests apart.

The name of the endpoint, in the path or in the body, says what the answer is: `bench-chat`,
`bench-events-1000`, `bench-blocks-1000`, `bench-paced-250`, `bench-floats-64`, `bench-packed-64`.
"""

import os
import re
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Final

from serving_bench import payloads

PACE: Final = 250e-6
_NAME: Final = re.compile(rb"bench-([a-z]+)(?:-(\d+))?")
_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_READ: Final = 256 * 1024
_NOTHING: Final = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}"

MAKERS: Final[dict[str, Callable[[int], bytes]]] = {
    "chat": lambda _: payloads.chat(),
    "floats": payloads.vectors,
    "packed": lambda count: payloads.vectors(count, packed=True),
    "events": lambda count: b"".join(payloads.chunked(payloads.events(count))),
    "blocks": lambda count: b"".join(payloads.in_blocks(count)),
}


@cache
def answer(kind: str, count: int) -> bytes:
    """Return an answer, made at the first request for it."""
    return MAKERS[kind](count)


@cache
def paced(count: int) -> list[bytes]:
    """Return the writes of a stream that comes event by event."""
    return payloads.chunked(payloads.events(count))


class Server:
    """Answers on loopback until the process ends."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, b"")
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Answer requests."""
        while True:
            for key, _ in self._selector.select():
                sock = key.fileobj
                assert isinstance(sock, socket.socket)  # noqa: S101 - nothing else was registered
                if sock is self._listener:
                    self._accept()
                else:
                    self._hear(sock, key.data)

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(sock, selectors.EVENT_READ, b"")

    def _hear(self, sock: socket.socket, before: bytes) -> None:
        try:
            data = sock.recv(_READ)
        except ConnectionError:
            data = b""
        if not data:
            self._selector.unregister(sock)
            sock.close()
            return
        data = before + data
        if not is_whole(data):
            self._selector.modify(sock, selectors.EVENT_READ, data)
            return
        if before:
            self._selector.modify(sock, selectors.EVENT_READ, b"")
        self._answer(sock, data)

    def _answer(self, sock: socket.socket, data: bytes) -> None:
        found = _NAME.search(data)
        if found is None:
            sock.sendall(_NOTHING)
            return
        kind, count = found[1].decode(), int(found[2] or 0)
        if kind == "paced":
            threading.Thread(target=_send_paced, args=(sock, paced(count)), daemon=True).start()
        else:
            sock.sendall(answer(kind, count))


def is_whole(data: bytes) -> bool:
    """Tell whether a request has come in full."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = _LENGTH.search(data, 0, end)
    return length is None or len(data) - end - 4 >= int(length[1])


def _send_paced(sock: socket.socket, writes: list[bytes]) -> None:
    due = time.perf_counter()
    # Whoever has had enough of the stream goes away.
    with suppress(OSError):
        for write in writes:
            due += PACE
            time.sleep(max(due - time.perf_counter(), 0.0))
            sock.sendall(write)


def pin(core: int) -> None:
    """Keep this process on one core, where that can be asked for."""
    if hasattr(os, "sched_setaffinity"):
        available = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {available[core % len(available)]})


def main() -> None:
    """Serve on the second core, and print the port."""
    pin(1)
    server = Server()
    print(server.port, flush=True)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server.serve()


def _end_with_parent() -> None:
    """End when the process that started this one closes its end of the pipe."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
