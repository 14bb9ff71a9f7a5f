"""How a connection to an origin is opened: TCP, a proxy's tunnel, TLS."""

import ssl
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from databricks_serving._core.http1 import ProtocolError
from databricks_serving._core.proxies import Proxy
from databricks_serving._core.tunnels import Dialogue, TunnelError, tunnel_through
from databricks_serving._http.addresses import Origin
from databricks_serving._http.breaks import ProxyError, RemoteProtocolError
from databricks_serving._http.connections import Connections
from databricks_serving._http.sockets import SocketBackend, SocketStream
from databricks_serving._http.tls import shared_context
from databricks_serving._http.watch import Watch

# The longest answer of a proxy that is read at once.
_ANSWER = 4096


class AsyncStream(Protocol):
    """An asynchronous connection."""

    distrusted: bool

    async def read(self, max_bytes: int, watch: Watch) -> bytes:
        """Read what there is."""
        ...

    async def write(self, data: bytes, watch: Watch) -> None:
        """Write everything."""
        ...

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str, watch: Watch
    ) -> None:
        """Shake hands."""
        ...

    def is_spent(self) -> bool:
        """Tell whether it is of no more use although it is idle."""
        ...

    def close(self) -> None:
        """Close it, without suspending."""
        ...


class AsyncBackend(Protocol):
    """Opens connections in an event loop."""

    closed: bool
    streams: Any

    async def connect(self, host: str, port: int, watch: Watch) -> AsyncStream:
        """Connect to the first address that answers."""
        ...

    def distrust(self) -> None:
        """Use no connection again that is open now."""
        ...

    def close(self) -> None:
        """Close all connections, which wakes whoever waits on one."""
        ...


@dataclass(frozen=True, slots=True)
class Way:
    """The way to an origin.

    Attributes:
        origin: Where it leads.
        proxy: What it leads through, if anything.
        context: How TLS is spoken to the origin; None where it is not.
        proxy_context: How TLS is spoken to the proxy; None where it is not.
    """

    origin: Origin
    proxy: Proxy | None
    context: ssl.SSLContext | None
    proxy_context: ssl.SSLContext | None

    @property
    def layers(self) -> int:
        """How many handshakes of TLS lead through the proxy; none without one."""
        if self.proxy is None:
            return 0
        return 1 if self.proxy_context is None else 2

    @property
    def first(self) -> tuple[str, int]:
        """Host and port to connect to."""
        if self.proxy is None:
            return self.origin.host, self.origin.port
        parts = urlsplit(self.proxy.url)
        assert parts.hostname and parts.port  # noqa: S101, PT018 - proxies are checked before
        return parts.hostname, parts.port

    def tunnel(self) -> Dialogue | None:
        """Return what is to be said to the proxy."""
        if self.proxy is None:
            return None
        return tunnel_through(self.proxy, self.origin.host, self.origin.port)


def way_to(origin: Origin, connections: Connections) -> Way:
    """Return the way to an origin, by what the user and the environment say.

    Raises:
        ConfigError: When a proxy or a certificate cannot be used.
    """
    proxy = connections.proxy_for(origin.url)
    context = (connections.ssl_context or shared_context()) if origin.secure else None
    through_tls = proxy is not None and proxy.url.startswith("https:")
    return Way(origin, proxy, context, shared_context() if through_tls else None)


def dial(backend: SocketBackend, way: Way, watch: Watch) -> SocketStream:
    """Open a connection."""
    host, port = way.first
    stream = backend.connect(host, port, watch)
    try:
        if way.proxy_context is not None:
            stream.start_tls(_ready(way.proxy_context), host, watch)
        dialogue = way.tunnel()
        if dialogue is not None:
            _converse(stream, dialogue, watch)
        if way.context is not None:
            stream.start_tls(_ready(way.context), way.origin.host, watch)
    except BaseException as error:  # noqa: BLE001 - it goes on
        stream.close()
        raise _refusal(error) from None
    return stream


async def dial_async(backend: AsyncBackend, way: Way, watch: Watch) -> AsyncStream:
    """Open a connection in an event loop."""
    host, port = way.first
    stream = await backend.connect(host, port, watch)
    try:
        if way.proxy_context is not None:
            await stream.start_tls(_ready(way.proxy_context), host, watch)
        dialogue = way.tunnel()
        if dialogue is not None:
            await _converse_async(stream, dialogue, watch)
        if way.context is not None:
            await stream.start_tls(_ready(way.context), way.origin.host, watch)
    except BaseException as error:  # noqa: BLE001 - it goes on
        stream.close()
        raise _refusal(error) from None
    return stream


def _ready(context: ssl.SSLContext) -> ssl.SSLContext:
    # For each connection: a context of the user's may serve another client that speaks HTTP/2.
    context.set_alpn_protocols(["http/1.1"])
    return context


def _converse(stream: SocketStream, dialogue: Dialogue, watch: Watch) -> None:
    words = next(dialogue)
    while True:
        if words:
            stream.write(words, watch)
        heard = stream.read(_ANSWER, watch)
        try:
            words = dialogue.send(heard)
        except StopIteration:
            return


async def _converse_async(stream: AsyncStream, dialogue: Dialogue, watch: Watch) -> None:
    words = next(dialogue)
    while True:
        if words:
            await stream.write(words, watch)
        heard = await stream.read(_ANSWER, watch)
        try:
            words = dialogue.send(heard)
        except StopIteration:
            return


def _refusal(error: BaseException) -> BaseException:
    if isinstance(error, TunnelError):
        return ProxyError(str(error))
    if isinstance(error, ProtocolError):
        return RemoteProtocolError(str(error))
    return error
