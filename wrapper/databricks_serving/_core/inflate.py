"""Bodies unpacked piece by piece, within a limit: a small body may stand for an endless one."""

import zlib
from collections.abc import Generator, Iterator
from typing import Final, Protocol

from databricks_serving._core.units import size_text
from databricks_serving.errors import InvalidResponseError, ResponseTooLargeError

_PIECE: Final = 1024 * 1024
_SLICE: Final = 64 * 1024
# An empty member takes 20 bytes: no honest body has many of them.
_MAX_MEMBERS: Final = 1000
_GZIP: Final = 16 + zlib.MAX_WBITS
_DEFLATE_METHOD: Final = 8


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    @property
    def unconsumed_tail(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Inflater:
    """Unpacks one body.

    Args:
        encoding: The header `Content-Encoding`; empty or None for a plain body.
        limit: Largest body in bytes, unpacked.

    Raises:
        InvalidResponseError: When the encoding was not asked for.
    """

    __slots__ = ("_decoder", "_head", "_limit", "_members", "_name", "_size")

    def __init__(self, encoding: str | None, limit: int) -> None:
        self._name = _encoding_of(encoding) if encoding else ""
        self._limit = limit
        self._size = 0
        self._members = 1
        self._head = b""
        self._decoder: _Decoder | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes of the body unpack to, up to the limit.

        Raises:
            ResponseTooLargeError: When the body is larger than the limit.
            InvalidResponseError: When it is damaged.
        """
        if not self._name:
            yield from self._within(data)
            return
        for start in range(0, len(data), _SLICE):
            yield from self._unpack(data[start : start + _SLICE])

    def finish(self) -> None:
        """Check that the body is whole.

        Raises:
            InvalidResponseError: When its end is missing.
        """
        begun = self._head or self._decoder
        if begun and not (self._decoder and self._decoder.eof):
            raise _damaged(self._name, "its end is missing")

    def _unpack(self, data: bytes) -> Iterator[bytes]:
        if self._decoder is None:
            data, self._head = self._head + data, b""
            if len(data) < 2:  # noqa: PLR2004 - the header of a zlib stream
                self._head = data
                return
            self._decoder = _decoder(self._name, data)
        while data:
            if self._decoder.eof:
                data = self._next_member(data)
            data = yield from self._member(data)

    def _member(self, data: bytes) -> Generator[bytes, None, bytes]:
        """Yield what one member unpacks to; return what follows it."""
        decoder = self._decoder
        assert decoder is not None  # noqa: S101 - for type checkers
        while True:
            try:
                piece = decoder.decompress(data, _PIECE)
            except zlib.error as error:
                raise _damaged(self._name, str(error)) from None
            data = decoder.unconsumed_tail
            yield from self._within(piece)
            if decoder.eof:
                return decoder.unused_data
            if not data and len(piece) < _PIECE:
                return b""

    def _next_member(self, data: bytes) -> bytes:
        self._members += 1
        if self._name != "gzip" or self._members > _MAX_MEMBERS:
            raise _damaged(self._name, "more follows its end")
        self._decoder = zlib.decompressobj(_GZIP)
        return data

    def _within(self, piece: bytes) -> Iterator[bytes]:
        """Yield a piece up to the limit: of a stream, what precedes it is good."""
        left = self._limit - self._size
        self._size += len(piece)
        if piece and left > 0:
            yield piece if left >= len(piece) else piece[:left]
        if self._size > self._limit:
            options = "Limits(response_bytes=..., stream_bytes=...)"
            text = f"the answer is larger than {size_text(self._limit)}, see {options}"
            raise ResponseTooLargeError(text)


def _encoding_of(header: str) -> str:
    """Return `gzip`, `deflate` or, for a plain body, nothing."""
    names = [name.strip().lower() for name in header.split(",")]
    packed = [name.removeprefix("x-") for name in names if name not in {"", "identity"}]
    if len(packed) > 1:
        raise InvalidResponseError("the body is compressed more than once")
    if packed and packed[0] not in {"gzip", "deflate"}:
        raise InvalidResponseError(
            f"the body is compressed as {packed[0]:.20}, which was not asked for"
        )
    return packed[0] if packed else ""


def _decoder(name: str, head: bytes) -> _Decoder:
    if name == "gzip":
        return zlib.decompressobj(_GZIP)
    # Servers send deflate with and without the header of zlib.
    zlib_header = head[0] & 15 == _DEFLATE_METHOD and (head[0] << 8 | head[1]) % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS)


def _damaged(name: str, why: str) -> InvalidResponseError:
    return InvalidResponseError(f"the body cannot be decompressed ({name}): {why}", garbled=True)
