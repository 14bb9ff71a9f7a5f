"""Blocking connections: limits are asked for before each wait, and close() wakes."""

import socket
import ssl
import threading
from contextlib import suppress
from typing import Any, Final

from databricks_serving._http.breaks import (
    ConnectError,
    ConnectTimeout,
    NetworkError,
    ReadError,
    WriteError,
    WriteTimeout,
)
from databricks_serving._http.nested_tls import NestedTls
from databricks_serving._http.watch import Watch
from databricks_serving._http.wire import (
    FIRST,
    TOGETHER,
    Backend,
    connect_error,
    has_begun,
    is_readable,
    ran_out,
    wait_for,
)

_PIECE: Final = 256 * 1024
# A wait that ends too early is begun anew: at most after this many seconds, and this much earlier.
_RARE: Final = 5.0
_EARLIER: Final = 0.9
_NOT_NOW: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class SocketBackend(Backend["SocketStream"]):
    """Opens blocking connections."""

    def connect(self, host: str, port: int, watch: Watch) -> "SocketStream":
        """Connect to the first address that answers."""
        self.begin(watch, host, port)
        watch.connecting()
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ConnectError(error) from None
        while True:
            family, _, protocol, _, address = addresses.pop(0)
            try:
                return self._connect(family, protocol, address, watch, 1 + len(addresses))
            except NetworkError:
                if not addresses or self.closed:
                    raise
            except ConnectTimeout:
                if not addresses:
                    raise

    def _connect(
        self, family: int, protocol: int, address: Any, watch: Watch, shares: int
    ) -> "SocketStream":
        try:
            sock = socket.socket(family, socket.SOCK_STREAM, protocol)
        except OSError as error:
            raise ConnectError(error) from None
        stream = SocketStream(sock, self.streams, self._layers)
        try:
            self.check_open()
            seconds = watch.connecting()
            # An address that does not answer must leave time for the others.
            stream.connect(address, None if seconds is None else seconds / shares)
            self.check_open()
        except BaseException as error:  # noqa: BLE001 - it goes on
            stream.close()
            raise connect_error(error) from None
        return stream

    def forget(self) -> None:
        """Let go of the connections, which a parent process goes on using."""
        self.closed = True
        for stream in list(self.streams):
            stream.forget()


class SocketStream:
    """One connection, with TLS once it was started."""

    def __init__(self, sock: socket.socket, streams: "set[SocketStream]", layers: int) -> None:
        self.distrusted = False
        self._sock: socket.socket | NestedTls = sock
        self._streams = streams
        self._layers = layers
        # What came before the request was written in full.
        self._early = b""
        self._doomed = False
        # How long the socket waits, in seconds.
        self._limit: float | None = None
        # Held during each wait: a socket closed under a waiting thread would leave its number to
        # the next one that is opened, and the thread would read that.
        self._lock = threading.Lock()
        streams.add(self)

    def connect(self, address: Any, seconds: float | None) -> None:
        """Connect to an address."""
        try:
            with self._lock:
                self._set_limit(seconds)
                sock: Any = self._sock
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        finally:
            self._catch_up()

    def read(self, max_bytes: int, watch: Watch) -> bytes:
        """Read what there is."""
        connecting = self._layers > 0
        try:
            with self._lock:
                data = self._take(max_bytes) if self._early else self._receive(max_bytes, watch)
        except OSError as error:
            if connecting:
                raise connect_error(error) from None
            raise ReadError(error) from None
        finally:
            self._catch_up()
        if watch.first is None and data and not connecting:
            watch.first = data[:FIRST]
        return data

    def _receive(self, max_bytes: int, watch: Watch) -> bytes:
        while True:
            self._allow(watch.connecting() if self._layers > 0 else watch.reading())
            try:
                return self._sock.recv(max_bytes)
            except OSError as error:
                # The watch says whether it was really too long.
                if not ran_out(error):
                    raise

    def _allow(self, seconds: float | None) -> None:
        """Have the next reading end in time, maybe too early.

        A limit for each reading would cost a system call, and hardly any is reached.
        """
        limit = self._limit
        near = (
            limit is not None and seconds is not None and min(seconds / 2, _RARE) < limit <= seconds
        )
        if not near or isinstance(self._sock, NestedTls):
            self._set_limit(None if seconds is None else seconds * _EARLIER)

    def _set_limit(self, seconds: float | None) -> None:
        self._limit = seconds
        self._sock.settimeout(seconds)

    def write(self, data: bytes, watch: Watch) -> None:
        """Write everything."""
        connecting = self._layers > 0
        view = memoryview(data)
        try:
            with self._lock:
                if len(data) > TOGETHER and not isinstance(self._sock, NestedTls):
                    self._write_long(view, watch)
                    return
                while view:
                    self._set_limit(watch.connecting() if connecting else watch.writing())
                    view = view[self._sock.send(view) :]
        except OSError as error:
            if connecting:
                raise connect_error(error) from None
            if ran_out(error):
                raise WriteTimeout(error) from None
            watch.tear()
            raise WriteError(error) from None
        finally:
            self._catch_up()

    def _write_long(self, view: memoryview, watch: Watch) -> None:
        """Write what a server may refuse before it has read it all."""
        self._set_limit(0)
        while view:
            try:
                view = view[self._sock.send(view[:_PIECE]) :]
            except _NOT_NOW:
                if not wait_for(self._sock, watch.writing(), write=True):
                    raise TimeoutError from None
                self._listen()

    def _listen(self) -> None:
        with suppress(*_NOT_NOW):
            data = self._sock.recv(_PIECE)
            self._early += data
            if not data or has_begun(self._early):
                raise ConnectionAbortedError("the server answered before it had read everything")

    def _take(self, size: int) -> bytes:
        data, self._early = self._early[:size], self._early[size:]
        return data

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str, watch: Watch) -> None:
        """Shake hands."""
        try:
            self._shake_hands(ssl_context, server_hostname, watch)
        except BaseException as error:  # noqa: BLE001 - it goes on
            self.close()
            raise connect_error(error) from None
        self._layers = max(self._layers - 1, 0)
        watch.at_proxy = self._layers > 0

    def _shake_hands(self, ssl_context: ssl.SSLContext, server_hostname: str, watch: Watch) -> None:
        try:
            with self._lock:
                self._set_limit(watch.connecting())
                self._sock = secured = self._secured(ssl_context, server_hostname)
                if self._doomed:
                    raise ConnectionAbortedError("the client was closed")
                secured.do_handshake()
        finally:
            self._catch_up()

    def _secured(
        self, ssl_context: ssl.SSLContext, server_hostname: str
    ) -> ssl.SSLSocket | NestedTls:
        if isinstance(self._sock, ssl.SSLSocket):
            return NestedTls(self._sock, ssl_context, server_hostname)
        sock: Any = self._sock
        return ssl_context.wrap_socket(
            sock,
            server_hostname=server_hostname,
            # The handshake is one that close() can reach.
            do_handshake_on_connect=False,
            # An answer that was cut off is to be seen as that.
            suppress_ragged_eofs=False,
        )

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

    def is_spent(self) -> bool:
        """Tell whether an idle connection is of no more use: ended, or with data for nobody."""
        if self.distrusted or self._early or is_readable(self._sock):
            return True
        return isinstance(self._sock, NestedTls) and self._sock.holds_more()

    def _catch_up(self) -> None:
        """Close the socket if that was asked for while a thread waited on it."""
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
