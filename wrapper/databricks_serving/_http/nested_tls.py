"""TLS inside TLS, for proxies that are themselves reached by https: sockets cannot do that."""

import ssl
from collections.abc import Callable
from typing import Final, TypeVar

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
        self._run(self._inner.do_handshake)

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
        """Limit each wait that follows."""
        self.socket.settimeout(seconds)

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
            self.socket.sendall(self._outgoing.read())
