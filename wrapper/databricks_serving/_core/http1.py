"""HTTP/1.1 as bytes: requests written, and answers read however they are cut.

Reads by RFC 9112, and is strict where leniency would let an answer pass for another: lengths that
differ, codings other than chunked, control characters in the head.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

# The most that a head, or what precedes it and follows the body, may have.
MAX_HEAD: Final = 100 * 1024
_MAX_SIZE_LINE: Final = 16 * 1024
# How many names are remembered, and of what length: a server may make up any.
_MAX_NAMES: Final = 1000
_MAX_NAME: Final = 64

_PROTOCOL: Final = b"HTTP/"
_STATUS: Final = re.compile(rb"HTTP/(\d\.\d) ([1-9]\d\d)(?: ([^\r]*))?")
_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEAD_END: Final = re.compile(rb"\n\r?\n")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
# fact: RFC 9112, 7.1.1: recipients pass over extensions that they do not know.
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?[ \t]*")
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_SWITCHING: Final = 101
_OK: Final = 200
_WITHOUT_BODY: Final = frozenset({_SWITCHING, 204, 304})

# Names of headers as they come, and as they are given: few, and the same in each answer.
_names: dict[bytes, str] = {}


class ProtocolError(Exception):
    """The other side broke the rules of HTTP, or off."""


class Head(NamedTuple):
    """What precedes the body of an answer.

    Attributes:
        status: The status code.
        reason: What the status line says of it.
        version: As in `1.1`.
        headers: Names in lower case; repeated ones with their values after one another.
    """

    status: int
    reason: str
    version: str
    headers: dict[str, str]


def request_bytes(start: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return what precedes the body of a request.

    Args:
        start: The request line, and headers that were checked before.
        headers: Further headers.

    Raises:
        ValueError: When a header holds a line break or a zero byte; it is not quoted.
    """
    lines = [f"{name}: {value}" for name, value in headers]
    text = "\n".join(lines)
    if text.count("\n") >= max(len(lines), 1) or "\r" in text or "\0" in text:
        raise ValueError("a header holds a line break or a zero byte")
    return f"{start}\n{text}\n\n".replace("\n", "\r\n").encode()


class AnswerReader:
    """Reads one answer; what it is fed may be cut anywhere.

    Args:
        tunnel: The request was CONNECT, whose answer has no body if it is a good one.
    """

    __slots__ = ("_between", "_buffer", "_kept", "_left", "_searched", "_step", "_tunnel", "head")

    def __init__(self, *, tunnel: bool = False) -> None:
        self.head: Head | None = None
        """Status and headers, once they are there."""
        self._tunnel = tunnel
        self._buffer = b""
        # How much of the buffer holds no end of a head.
        self._searched = 0
        # Bytes of the body, or of a chunk of it, that are still to come.
        self._left = 0
        # Whether a chunk precedes, whose end is still to come.
        self._between = False
        self._kept = True
        self._step: Callable[[bytes], bytes] | None = self._read_head

    @property
    def done(self) -> bool:
        """Whether the answer is whole."""
        return self._step is None

    @property
    def reusable(self) -> bool:
        """Whether another request may follow on the connection.

        Not where more came than was asked for: it would be taken for the next answer.
        """
        return self._step is None and self._kept and not self._buffer

    def feed(self, data: bytes) -> bytes:
        """Take in what came, and return what it holds of the body.

        Raises:
            ProtocolError: When it breaks the rules of HTTP.
        """
        if self._step is None:
            self._buffer += data
            return b""
        return self._step(data)

    def end(self) -> None:
        """Take note that nothing more comes.

        Raises:
            ProtocolError: When something is missing.
        """
        if self._step == self._read_to_end:
            self._step = None
        if self._step is not None:
            if self.head is None and not self._buffer:
                raise ProtocolError("the server disconnected without sending a response")
            raise ProtocolError("the server disconnected without sending a complete response")

    def _read_head(self, data: bytes) -> bytes:
        block = self._block(data)
        while block is not None:
            head = _head_of(block)
            if head.status >= _OK or head.status == _SWITCHING:
                rest, self._buffer = self._buffer, b""
                self.head, self._step = head, self._begin_body(head)
                return self.feed(rest) if rest else b""
            # An interim answer has no body, and one that is told all the same is no good sign.
            _framing_of(head.headers)
            block = self._block(b"")
        if not (self._buffer.startswith(_PROTOCOL) or _PROTOCOL.startswith(self._buffer)):
            raise ProtocolError("illegal status line")
        return b""

    def _block(self, data: bytes) -> bytes | None:
        """Return the lines up to an empty one, once they are there."""
        self._buffer += data
        end = _HEAD_END.search(self._buffer, self._searched)
        size = len(self._buffer) if end is None else end.start()
        if size > MAX_HEAD:
            raise ProtocolError("the head of an answer is too long")
        if end is None:
            self._searched = max(size - 2, 0)
            return None
        block, self._buffer = self._buffer[:size].removesuffix(b"\r"), self._buffer[end.end() :]
        self._searched = 0
        if _CONTROL.search(block):
            raise ProtocolError("a control character in the head of an answer")
        return block

    def _begin_body(self, head: Head) -> Callable[[bytes], bytes] | None:
        if self._tunnel and _OK <= head.status < _OK + 100:
            # fact: RFC 9110, 9.3.6: what its headers say of a body, or of the connection to the
            # proxy, does not count. Many proxies answer by HTTP/1.0.
            return None
        chunked, size = _framing_of(head.headers)
        connection = head.headers.get("connection")
        closing = connection is not None and "close" in _tokens(connection)
        # One whose length is told in two ways is the last: who knows which is true.
        self._kept = head.version == "1.1" and not closing and not (chunked and size is not None)
        if head.status in _WITHOUT_BODY:
            self._kept = self._kept and head.status != _SWITCHING
            return None
        if chunked:
            return self._read_chunks
        if size is not None:
            self._left = size
            return self._read_sized if size else None
        self._kept = False
        return self._read_to_end

    def _read_sized(self, data: bytes) -> bytes:
        left = self._left - len(data)
        if left > 0:
            self._left = left
            return data
        self._step, self._left = None, 0
        if left < 0:
            self._buffer, data = data[left:], data[:left]
        return data

    def _read_to_end(self, data: bytes) -> bytes:
        return data

    def _read_chunks(self, data: bytes) -> bytes:
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        pieces: list[bytes] = []
        at = 0
        while True:
            if not self._left:
                start = self._next_chunk(data, at)
                if start is None:
                    self._buffer = data[at:]
                    break
                at = start
            if not self._left:
                self._step = self._read_trailers
                self._read_trailers(data[at:])
                break
            piece = data[at : at + self._left]
            pieces.append(piece)
            at += len(piece)
            self._left -= len(piece)
            if self._left:
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _next_chunk(self, data: bytes, at: int) -> int | None:
        """Read what stands between chunks; return where the next one begins, if all is there."""
        if self._between:
            line_break = data[at : at + 2]
            if line_break != b"\r\n":
                if b"\r\n".startswith(line_break):
                    return None
                raise ProtocolError("a chunk of the body is longer than it says")
            at += 2
        end = data.find(b"\r\n", at)
        if end < 0:
            if len(data) - at > _MAX_SIZE_LINE:
                raise ProtocolError("a chunk of the body has no size")
            return None
        found = _SIZE.fullmatch(data, at, end)
        if found is None:
            raise ProtocolError("a chunk of the body has no size")
        self._left, self._between = int(found[1], 16), True
        return end + 2

    def _read_trailers(self, data: bytes) -> bytes:
        self._buffer += data
        if self._buffer.startswith(b"\r\n"):
            self._buffer = self._buffer[2:]
        else:
            block = self._block(b"")
            if block is None:
                return b""
            _framing_of(_headers_of(block.split(b"\n")))
        self._step = None
        return b""


def _head_of(block: bytes) -> Head:
    lines = block.split(b"\n")
    found = _STATUS.fullmatch(lines[0].removesuffix(b"\r"))
    if found is None:
        raise ProtocolError("illegal status line")
    del lines[0]
    version, status, reason = found.groups(b"")
    headers = _headers_of(lines)
    return Head(int(status), reason.decode("latin-1"), version.decode(), headers)


def _headers_of(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    name = ""
    for line in lines:
        raw, colon, value = line.partition(b":")
        if raw[:1] in {b" ", b"\t"}:
            # fact: RFC 9112, 5.2: a value on several lines is put together with spaces.
            if not name:
                raise ProtocolError("illegal header line")
            headers[name] = f"{headers[name]} {_text(line)}".strip()
            continue
        name = _names.get(raw) or _name_of(raw)
        if not colon:
            raise ProtocolError("illegal header line")
        text = _text(value)
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def _name_of(raw: bytes) -> str:
    if not _NAME.fullmatch(raw):
        raise ProtocolError("illegal header line")
    name = raw.decode().lower()
    if len(_names) < _MAX_NAMES and len(raw) <= _MAX_NAME:
        _names[raw] = name
    return name


def _text(value: bytes) -> str:
    return header_text(value.strip(b" \t\r"))


def header_text(value: bytes) -> str:
    """Return the value of a header, which most servers write in UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _framing_of(headers: dict[str, str]) -> tuple[bool, int | None]:
    """Return whether a body comes in chunks, and the length that is told of it, if one is."""
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None and coding.lower() != "chunked":
        raise ProtocolError("an unknown transfer coding")
    return coding is not None, None if length is None else _length_of(length)


def _tokens(text: str) -> set[str]:
    return {one.strip(" \t").lower() for one in text.split(",")}


def _length_of(text: str) -> int:
    """Return the length that a header tells, the same if it does so several times."""
    if not _LENGTH.fullmatch(text):
        lengths = _tokens(text)
        text = lengths.pop()
        if lengths or not _LENGTH.fullmatch(text):
            raise ProtocolError("the length of the body is told in different ways")
    return int(text)
