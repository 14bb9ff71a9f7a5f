"""A loopback server that answers each endpoint with its recording."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from recordings import Recording

# These describe a connection that is not this one, or an encoding that the body is not in.
_DROPPED = {
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "server",
    "transfer-encoding",
}


class ReplayServer(ThreadingHTTPServer):
    """Answers `POST /serving-endpoints/<endpoint>/invocations` from a table."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.recordings: dict[str, Recording] = {}
        self.received: dict[str, Any] = {}

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a client hang up: it does not read what follows an error event."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def host(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, recording: Recording) -> str:
        """Serve a recording; returns the name of its endpoint."""
        endpoint = recording.name.replace("/", "-")
        self.recordings[endpoint] = recording
        return endpoint


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ReplayServer

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        endpoint = urlsplit(self.path).path.split("/")[2]
        self.server.received[endpoint] = json.loads(self.rfile.read(length))
        recording = self.server.recordings[endpoint]
        self.send_response(recording.status)
        for name, value in recording.headers.items():
            if name.lower() not in _DROPPED:
                self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in _pieces(recording.content):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Stay quiet."""


def _pieces(content: bytes) -> Iterator[bytes]:
    # An uneven size, so that pieces end inside events and inside characters.
    for start in range(0, len(content), 1021):
        yield content[start : start + 1021]


@contextmanager
def replaying() -> Iterator[ReplayServer]:
    """Run a server for the time of a `with` block."""
    server = ReplayServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
