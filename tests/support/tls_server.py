"""Servers on loopback that speak TLS, with certificates of a made-up authority."""

import contextlib
import datetime as dt
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from functools import cache

import trustme
from raw_server import RawServer

DAY = dt.timedelta(days=1)


@cache
def authority() -> trustme.CA:
    """Return the authority of all certificates but the untrusted ones."""
    return trustme.CA()


@cache
def certificate(kind: str) -> trustme.LeafCert:
    """Return a server's certificate: `good`, `wrong name`, `expired` or `untrusted`."""
    if kind == "wrong name":
        return authority().issue_cert("other.example")
    if kind == "expired":
        past = dt.datetime.now(dt.UTC) - DAY
        return authority().issue_cert("127.0.0.1", "localhost", not_after=past)
    ca = trustme.CA() if kind == "untrusted" else authority()
    return ca.issue_cert("127.0.0.1", "localhost")


def server_context(kind: str = "good", *, client_certificate: bool = False) -> ssl.SSLContext:
    """Return the context of a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate(kind).configure_cert(context)
    if client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        authority().configure_trust(context)
    return context


def client_context(*, certificate: bool = False) -> ssl.SSLContext:
    """Return a context that trusts the authority, with a certificate of its own if asked for."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    if certificate:
        authority().issue_cert("client@example.com").configure_cert(context)
    return context


class TlsServer(RawServer):
    """A raw server behind TLS."""

    context: ssl.SSLContext

    @property
    def host(self) -> str:
        """Address for a client."""
        return f"https://127.0.0.1:{self.port}"

    def _serve(self, connection: socket.socket) -> None:
        with self.context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        ) as secure:
            self._open.append(secure)
            try:
                secure.do_handshake()
            except OSError:
                _leave_politely(secure)
            else:
                super()._serve(secure)


def _leave_politely(secure: ssl.SSLSocket) -> None:
    """Close so that the client can read why: bytes that nobody read would cut its last words."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(secure, socket.SHUT_WR)
        while socket.socket.recv(secure, 65536):
            pass


@contextlib.contextmanager
def tls_server(context: ssl.SSLContext, *answers, **options) -> Iterator[TlsServer]:
    """Run a server for a block; see `RawServer`."""
    server = TlsServer(socket.create_server(("127.0.0.1", 0)), answers, **options)
    server.context = context
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)


class Proxy:
    """A proxy that tunnels to one place, whatever it is asked for, and keeps what it was asked.

    Args:
        target: Port on loopback to lead to.
        refusal: What to answer instead of leading anywhere.
        context: The context of a proxy that is itself spoken to in TLS.
    """

    def __init__(
        self, target: int, refusal: bytes | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self._target = target
        self._refusal = refusal
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self.heads: list[bytes] = []
        self.carried = b""

    def run(self) -> None:
        """Accept until closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                stack.enter_context(connection)
                self._open.append(connection)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            self.heads.append(head)
            if self._refusal is not None:
                connection.sendall(self._refusal)
                return
            target = stack.enter_context(socket.create_connection(("127.0.0.1", self._target)))
            self._open.append(target)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=copy, args=[target, connection], daemon=True)
            back.start()
            copy(connection, target, self)
            back.join(5)

    def close(self) -> None:
        """Close everything."""
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)
        self._listener.close()


def copy(source: socket.socket, target: socket.socket, proxy: Proxy | None = None) -> None:
    """Hand on what comes, to the end."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if proxy is not None:
                proxy.carried += data
            target.sendall(data)
    with contextlib.suppress(OSError):
        socket.socket.shutdown(target, socket.SHUT_RDWR)


@contextlib.contextmanager
def proxy_server(
    target: int, refusal: bytes | None = None, context: ssl.SSLContext | None = None
) -> Iterator[Proxy]:
    """Run a proxy for a block."""
    proxy = Proxy(target, refusal, context)
    thread = threading.Thread(target=proxy.run, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(5)


def subject_hash() -> str | None:
    """Return what OpenSSL calls the authority's certificate in a directory; None without it."""
    program = shutil.which("openssl")
    if program is None:
        return None
    command = [program, "x509", "-hash", "-noout"]
    pem = authority().cert_pem.bytes()
    return (
        subprocess.run(command, input=pem, capture_output=True, check=True).stdout.decode().strip()
    )
