"""HTTP/1.1 over one connection, bounded in size and time."""

import re
import struct
import time
import uuid
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from email.errors import MissingHeaderBodySeparatorDefect
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BufferedReader, RawIOBase
from socket import SO_LINGER, SOL_SOCKET, socket
from typing import TYPE_CHECKING, Any, Final, NoReturn

from databricks_serving.local.errors import BrokenOffError, RefusedError
from databricks_serving.local.messages import HttpReply, HttpRequest
from databricks_serving.local.workspace import Workspace

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PIECE: Final = 65_536
_LONGEST_LENGTH: Final = 15
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may use.

    Attributes:
        body_bytes: Largest request body; foundation-model endpoints take 4 MB.
        discard_bytes: Largest body that is read only to answer that it is too large.
        idle_seconds: Longest wait for the next request.
        request_seconds: Longest time from the first byte of a request to its last.
        write_seconds: Longest wait for the client to take a piece of the reply.
    """

    body_bytes: int = 4 * 1024 * 1024
    discard_bytes: int = 64 * 1024 * 1024
    idle_seconds: float = 60.0
    request_seconds: float = 10.0
    write_seconds: float = 60.0


class Connection(BaseHTTPRequestHandler):
    """Reads requests, has the workspace answer them, and writes the replies."""

    protocol_version = "HTTP/1.1"
    # Also the answer to a line that is not HTTP gets a status line.
    default_request_version = "HTTP/1.0"
    disable_nagle_algorithm = True

    def __init__(
        self,
        request: socket,
        client_address: Any,
        server: Any,
        *,
        workspace: Workspace,
        limits: Limits,
        verbose: bool,
    ) -> None:
        self._workspace = workspace
        self._limits = limits
        self._verbose = verbose
        self._input = _TimedInput(request)
        self._is_read = False
        super().__init__(request, client_address, server)

    def setup(self) -> None:
        """Read through the clock."""
        super().setup()
        self.rfile.close()
        self.rfile = BufferedReader(self._input)

    def handle_one_request(self) -> None:
        """Start the clock of the next request."""
        self._input.await_request(self._limits.idle_seconds, self._limits.request_seconds)
        self._is_read = False
        super().handle_one_request()

    def _handle(self) -> None:
        try:
            self._check_head()
            self._is_read = True
            body = self._read_body()
        except RefusedError as refused:
            self._send(self._workspace.refusal(refused))
            return
        request = HttpRequest(self.command, self.path, self.headers, body)
        try:
            self._send(self._workspace.answer(request))
        except BrokenOffError as end:
            self._break_off(reset=end.reset)

    def _break_off(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            # Zero seconds to linger: the system resets what it would else end in order.
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def __getattr__(self, name: str) -> Any:
        """Give the base class what handles a method, whichever it is."""
        if name.startswith("do_"):
            return self._handle
        raise AttributeError(name)

    def _check_head(self) -> None:
        if any(map(_CONTROL.search, (self.path, *self.headers.values()))):
            self._refuse_head("has control characters")
        # What follows such a line would be taken for a part of the body, its length as well.
        if any(isinstance(one, MissingHeaderBodySeparatorDefect) for one in self.headers.defects):
            self._refuse_head("has a line that is no header")

    def _refuse_head(self, problem: str) -> NoReturn:
        self.close_connection = True
        text = f"The head of the request {problem}."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", text)

    def _read_body(self) -> bytes:
        length = self._body_length()
        if length <= self._limits.body_bytes:
            body = self.rfile.read(length)
            if len(body) < length:
                raise ConnectionAbortedError
            return body
        # Many clients read no answer before they have sent everything.
        if length > self._limits.discard_bytes:
            self.close_connection = True
        else:
            self._discard(length)
        raise RefusedError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "MAX_REQUEST_SIZE_EXCEEDED",
            f"The request body has {length} bytes, more than {self._limits.body_bytes}.",
        )

    def _body_length(self) -> int:
        lengths = set(self.headers.get_all("content-length", ["0"]))
        text = lengths.pop()
        if "transfer-encoding" in self.headers:
            self.close_connection = True
            raise RefusedError(
                HTTPStatus.LENGTH_REQUIRED, "BAD_REQUEST", "Send the body with a Content-Length."
            )
        if lengths or not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_LENGTH):
            self.close_connection = True
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, "BAD_REQUEST", "The Content-Length is not one number."
            )
        return int(text)

    def _discard(self, length: int) -> None:
        while length > 0:
            piece = self.rfile.read(min(length, _PIECE))
            if not piece:
                raise ConnectionAbortedError
            length -= len(piece)

    def _send(self, reply: HttpReply) -> None:
        self.connection.settimeout(self._limits.write_seconds)
        self.send_response(reply.status)
        self.send_header("content-type", reply.content_type)
        for name, value in {"x-request-id": str(uuid.uuid4()), **reply.headers}.items():
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            self.send_header("content-length", str(len(reply.body)))
            self._end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else reply.body)
        else:
            self._send_stream(reply.body, reply.length)

    def _send_stream(self, pieces: Generator[bytes, None, None], length: int | None) -> None:
        chunked = length is None and self.request_version != "HTTP/1.0"
        if length is not None:
            self.send_header("content-length", str(length))
        elif chunked:
            self.send_header("transfer-encoding", "chunked")
        else:
            self.close_connection = True
        self.send_header("cache-control", "no-cache")
        self._end_headers()
        with closing(pieces):
            for piece in filter(None, pieces):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _end_headers(self) -> None:
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()

    def send_error(self, code: int, *_: Any, **__: Any) -> None:
        """Answer what the base class refuses itself, such as a line that is not HTTP."""
        self.close_connection = True
        phrase = HTTPStatus(code).phrase
        self._send(self._workspace.refusal(RefusedError(code, "BAD_REQUEST", f"{phrase}.")))

    def version_string(self) -> str:
        """Name the server."""
        return "databricks-serving-local"

    def log_request(self, code: Any = "-", size: Any = "-") -> None:  # noqa: ARG002 - the base class's names
        """Log what was called: no query, and nothing of a line that is no head of a request.

        A query may hold a token, and such a line the rest of a body whose length was wrong.
        """
        called = f"{self.command} {self.path.partition('?')[0]}" if self._is_read else "-"
        self.log_message('"%s" %s', called, int(code))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log a request line, when asked to."""
        if self._verbose:
            super().log_message(format, *args)


class _TimedInput(RawIOBase):
    """Reads from a socket within a time, however slowly the bytes drip."""

    def __init__(self, source: socket) -> None:
        super().__init__()
        self._source = source
        self._deadline = 0.0
        self._request_seconds: float | None = None

    def await_request(self, idle_seconds: float, request_seconds: float) -> None:
        """Wait this long for a first byte, and from then on that long for the rest."""
        self._deadline = time.monotonic() + idle_seconds
        self._request_seconds = request_seconds

    def readable(self) -> bool:
        """Allow reading."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read what is there, or wait for it until the time is over."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._source.settimeout(left)
        count = self._source.recv_into(buffer)
        if self._request_seconds is not None:
            self._deadline = time.monotonic() + self._request_seconds
            self._request_seconds = None
        return count
