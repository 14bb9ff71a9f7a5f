"""The default transport of blocking clients: httpcore2's pool over connections of our own."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, cast

import httpcore2
import httpx

from databricks_serving._core.proxies import Proxy
from databricks_serving._http.connections import Connections
from databricks_serving._http.sockets import SocketBackend
from databricks_serving._http.tls import shared_context
from databricks_serving._http.watch import Watch

# Load balancers close idle connections after 60 s or more.
KEEPALIVE_EXPIRY: Final = 45.0
# What breaks when a server has given up the connection.
BREAKS: Final = (httpcore2.NetworkError, httpcore2.RemoteProtocolError)


class PoolTransport(httpx.BaseTransport):
    """Sends requests over a pool of connections, by the watch that comes with each of them.

    Args:
        connections: What they have in common.
        origin: Scheme, host and port that they lead to.
    """

    def __init__(self, connections: Connections, origin: str) -> None:
        proxy = connections.proxy_for(origin)
        self.backend = SocketBackend(layers_of(proxy))
        self.pool = httpcore2.ConnectionPool(
            network_backend=self.backend, **pool_options(connections, origin, proxy)
        )
        self.iterated: set[Iterator[bytes]] = set()
        """Bodies that are being read."""
        self.dropped = False
        """Whether the pool is that of a parent process."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. One kept connection that turns out to be dead makes all suspect."""
        watch: Watch = request.extensions["watch"]
        try:
            answer = self.pool.handle_request(pool_request(request, watch))
        except BREAKS:
            if watch.is_stale:
                self.backend.distrust()
            raise
        finally:
            # httpcore2 forgets some of those that got no further than a proxy.
            if watch.at_proxy:
                for stream in self.backend.opened_by(watch):
                    stream.close()
        return response_of(answer, PoolBody(self, answer))

    def in_use(self) -> int:
        """Return the number of connections that are in use."""
        return sum(not one.is_idle() for one in self.pool.connections)

    def close(self) -> None:
        """Close all connections and wake whoever waits on one."""
        self.backend.close()
        self.pool.close()

    def drop(self) -> None:
        """Let go of the pool in a forked child."""
        self.dropped = True
        self.backend.forget()


class PoolBody(httpx.SyncByteStream):
    """The body of an answer that came over a pool."""

    def __init__(self, transport: PoolTransport, answer: httpcore2.Response) -> None:
        self._transport = transport
        self._answer = answer
        self._stream: Any = answer.stream
        self._pieces: Iterator[bytes] = iter(())

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body as it comes."""
        self._pieces = iter(self._stream)
        # Held, so that the collector of garbage does not end it in the middle of the pool's work.
        self._transport.iterated.add(self._pieces)
        return self._pieces

    @contextmanager
    def pool_at_rest(self) -> Generator[bool]:
        """Tell whether nobody is at the pool's work, and keep it so."""
        pool: Any = self._transport.pool
        lock: Any = None
        free = False
        with suppress(AttributeError):
            lock = pool._optional_thread_lock._lock  # noqa: SLF001 - no public way
            free = not lock._is_owned() and lock.acquire(blocking=False)  # noqa: SLF001 - as above
        try:
            yield free
        finally:
            if free:
                lock.release()

    def cut(self) -> None:
        """Close the connection alone; the pool learns of it later."""
        _extensions(self._answer)["network_stream"].close()

    def close(self) -> None:
        """Give the connection back to the pool."""
        # The locks of a parent's pool may be held by threads that are not here.
        if not self._transport.dropped:
            distrust_leftover(self._answer)
            self._stream.close()
            self._transport.iterated.discard(self._pieces)


def layers_of(proxy: Proxy | None) -> int:
    """Return how many handshakes of TLS lead through a proxy: to the host, and to itself."""
    if proxy is None:
        return 0
    return 2 if proxy.url.startswith("https:") else 1


def pool_options(connections: Connections, origin: str, proxy: Proxy | None) -> dict[str, Any]:
    """Return the arguments of a pool."""
    secure = origin.startswith("https:")
    context = connections.ssl_context or (shared_context() if secure else None)
    return {
        "ssl_context": context,
        "proxy": proxy and _pool_proxy(proxy),
        "max_connections": connections.limits.connections,
        "max_keepalive_connections": connections.limits.keepalive_connections,
        "keepalive_expiry": KEEPALIVE_EXPIRY,
    }


class _Unseen(bytes):
    """A secret that httpcore2 would log."""

    def __repr__(self) -> str:
        return "b'***'"


def _pool_proxy(proxy: Proxy) -> httpcore2.Proxy:
    auth = None
    if proxy.user is not None and proxy.password is not None:
        auth = _Unseen(proxy.user.reveal().encode()), _Unseen(proxy.password.reveal().encode())
    context = shared_context() if proxy.url.startswith("https:") else None
    return httpcore2.Proxy(proxy.url, auth=auth, ssl_context=context)


def pool_request(request: httpx.Request, watch: Watch) -> httpcore2.Request:
    """Return a request as the pool takes it, with the watch in the place of its limits."""
    url = request.url
    limits = {"pool": watch.pooling(), "connect": watch, "write": watch, "read": watch}
    return httpcore2.Request(
        request.method,
        httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=cast("Any", request.stream),
        extensions={"timeout": limits},
    )


def response_of(
    answer: httpcore2.Response, stream: httpx.SyncByteStream | httpx.AsyncByteStream
) -> httpx.Response:
    """Return an answer in the form of httpx.

    One whose length is told in two ways is the last on its connection: who knows which is true.
    """
    named = {name.lower() for name, _ in answer.headers}
    if {b"transfer-encoding", b"content-length"} <= named:
        _distrust(answer)
    version = {"http_version": _extensions(answer)["http_version"]}
    return httpx.Response(answer.status, headers=answer.headers, stream=stream, extensions=version)


def _extensions(answer: httpcore2.Response) -> Any:
    return vars(answer)["extensions"]


def _distrust(answer: httpcore2.Response) -> None:
    _extensions(answer)["network_stream"].distrusted = True


def distrust_leftover(answer: httpcore2.Response) -> None:
    """Use a connection no more on which more came than was asked for.

    httpcore2 would take it for the answer to the next request.
    """
    body: Any = answer.stream
    try:
        leftover = body._stream._connection._h11_state.trailing_data[0]  # noqa: SLF001 - no public way
    except AttributeError:
        leftover = b"unknown"
    if leftover:
        _distrust(answer)
