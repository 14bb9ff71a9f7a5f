"""TLS inside TLS, for proxies that are themselves reached by https: sockets cannot do that."""

import ssl
import time
from collections.abc import Callable
from typing import Final, TypeVar

from databricks_serving._http.wire import holds_more

T = TypeVar("T")

_RECORD: Final = 64 * 1024


class NestedTls:
    """As much of a socket as a connection uses."""

    def __init__(
        self, outer: ssl.SSLSocket, context: ssl.SSLContext, server_hostname: str | None
    ) -> None:
        self.socket = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._inner = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        self._until: float | None = None

    def do_handshake(self) -> None:
        """Shake hands."""
        self._run(self._inner.do_handshake)

    def holds_more(self) -> bool:
        """Tell whether an idle connection has something that nobody has read."""
        return self.socket.pending() > 0 or holds_more(self._inner)

    def recv(self, size: int) -> bytes:
        """Read what there is."""
        try:
            return self._run(lambda: self._inner.read(size))
        except ssl.SSLZeroReturnError:
            return b""

    def send(self, data: memoryview) -> int:
        """Write some of it."""
        return self._run(lambda: self._inner.write(data))

    def settimeout(self, seconds: float | None) -> None:
        """Limit what follows, from now on."""
        self._until = None if seconds is None else time.monotonic() + seconds

    def fileno(self) -> int:
        """Return the number of the socket."""
        return self.socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def _run(self, step: Callable[[], T]) -> T:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush()
                self._limit()
                data = self.socket.recv(_RECORD)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._limit()
            self.socket.sendall(self._outgoing.read())

    def _limit(self) -> None:
        # A wait that begins anew with each piece would have no end.
        left = None if self._until is None else self._until - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)
