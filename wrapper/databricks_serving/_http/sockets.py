"""Blocking connections for httpcore2: limits are asked for before each wait, and close() wakes."""

import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore2

from databricks_serving._http.nested_tls import NestedTls
from databricks_serving._http.watch import Watch
from databricks_serving._http.wire import (
    FIRST,
    TOGETHER,
    Backend,
    connect_error,
    is_readable,
    ran_out,
)


class SocketBackend(Backend["SocketStream"], httpcore2.NetworkBackend):
    """Opens blocking connections."""

    def __init__(self, layers: int) -> None:
        super().__init__(layers)
        self.closed = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: Any = None,
        local_address: str | None = None,  # noqa: ARG002 - httpcore2's interface
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - httpcore2's interface
    ) -> "SocketStream":
        """Connect to the first address that answers; `timeout` is the try's watch."""
        watch: Watch = timeout
        self.begin(watch)
        watch.connecting()
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(error) from None
        while True:
            family, _, protocol, _, address = addresses.pop(0)
            try:
                return self._connect(family, protocol, address, watch, 1 + len(addresses))
            except httpcore2.NetworkError:
                if not addresses or self.closed:
                    raise
            except httpcore2.ConnectTimeout:
                if not addresses:
                    raise

    def _connect(
        self, family: int, protocol: int, address: Any, watch: Watch, shares: int
    ) -> "SocketStream":
        try:
            sock = socket.socket(family, socket.SOCK_STREAM, protocol)
        except OSError as error:
            raise httpcore2.ConnectError(error) from None
        stream = SocketStream(sock, self.streams, watch, self._layers)
        try:
            seconds = watch.connecting()
            # An address that does not answer must leave time for the others.
            sock.settimeout(None if seconds is None else seconds / shares)
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _refuse(closed=self.closed)
        except BaseException as error:  # noqa: BLE001 - it goes on
            stream.close()
            raise connect_error(error) from None
        return stream

    def close(self) -> None:
        """Close all connections and wake whoever waits on one."""
        self.closed = True
        for stream in list(self.streams):
            stream.close()

    def forget(self) -> None:
        """Let go of the connections, which a parent process goes on using."""
        self.closed = True
        for stream in list(self.streams):
            stream.forget()


class SocketStream(httpcore2.NetworkStream):
    """One connection, with TLS once it was started."""

    def __init__(
        self, sock: socket.socket, streams: "set[SocketStream]", watch: Watch, layers: int
    ) -> None:
        self.distrusted = False
        self._sock: socket.socket | NestedTls = sock
        self._streams = streams
        self._opener = watch
        self._layers = layers
        self._held = b""
        self._doomed = False
        # Held during each wait: a socket closed under a waiting thread would leave its number to
        # the next one that is opened, and the thread would read that.
        self._lock = threading.Lock()
        streams.add(self)

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        """Read what there is; `timeout` is the try's watch."""
        watch: Watch = timeout or self._opener
        connecting = self._layers > 0
        self._lock.acquire()
        try:
            self._sock.settimeout(watch.connecting() if connecting else watch.reading())
            data = self._sock.recv(max_bytes)
        except OSError as error:
            if connecting:
                raise connect_error(error) from None
            kind = httpcore2.ReadTimeout if ran_out(error) else httpcore2.ReadError
            raise kind(error) from None
        finally:
            self._release()
        if watch.first is None and data and not connecting:
            watch.first = data[:FIRST]
        return data

    def write(self, buffer: bytes, timeout: Any = None) -> None:
        """Write everything; small pieces wait for the last one, which is empty.

        So head and body of a request leave in one packet. `timeout` is the try's watch.
        """
        watch: Watch = timeout or self._opener
        if self._layers == 0 and buffer and len(self._held) + len(buffer) <= TOGETHER:
            self._held += buffer
            return
        held, self._held = self._held, b""
        for data in (held, buffer):
            if data:
                self._write(data, watch)

    def _write(self, data: bytes, watch: Watch) -> None:
        connecting = self._layers > 0
        self._lock.acquire()
        try:
            view = memoryview(data)
            while view:
                self._sock.settimeout(watch.connecting() if connecting else watch.writing())
                view = view[self._sock.send(view) :]
        except OSError as error:
            if connecting:
                raise connect_error(error) from None
            if ran_out(error):
                raise httpcore2.WriteTimeout(error) from None
            watch.tear()
            raise httpcore2.WriteError(error) from None
        finally:
            self._release()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: Any = None
    ) -> "SocketStream":
        """Shake hands; `timeout` is the try's watch."""
        watch: Watch = timeout or self._opener
        try:
            self._sock.settimeout(watch.connecting())
            if isinstance(self._sock, ssl.SSLSocket):
                self._sock = NestedTls(self._sock, ssl_context, server_hostname)
            else:
                # Without suppressing ragged ends an answer that was cut off is seen to be.
                sock: Any = self._sock
                self._sock = ssl_context.wrap_socket(
                    sock,
                    server_hostname=server_hostname,
                    suppress_ragged_eofs=False,
                )
            _refuse(closed=self._doomed)
        except BaseException as error:  # noqa: BLE001 - it goes on
            self.close()
            raise connect_error(error) from None
        self._layers = max(self._layers - 1, 0)
        watch.at_proxy = self._layers > 0
        return self

    def close(self) -> None:
        """Close the connection, or have the thread that waits on it do so at once."""
        self._doomed = True
        self._streams.discard(self)
        if not self._bury():
            with suppress(OSError):
                # That of an SSLSocket would forget its TLS under the waiting thread.
                inner = self._sock.socket if isinstance(self._sock, NestedTls) else self._sock
                socket.socket.shutdown(inner, socket.SHUT_RDWR)
            self._bury()

    def forget(self) -> None:
        """Close this process's copy of the socket only."""
        self._doomed = True
        self._streams.discard(self)
        self._sock.close()

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore2 wants to know."""
        if info == "ssl_object":
            return self._sock if isinstance(self._sock, ssl.SSLSocket) else None
        if info == "is_readable":
            return self.distrusted or is_readable(self._sock)
        return None

    def _release(self) -> None:
        self._lock.release()
        if self._doomed:
            self._bury()

    def _bury(self) -> bool:
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self._sock.close()
        finally:
            self._lock.release()
        return True


def _refuse(*, closed: bool) -> None:
    if closed:
        raise OSError("the client was closed")
