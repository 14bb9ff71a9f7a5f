"""The default transport of asynchronous clients: httpcore2's pool over connections of our own."""

from collections.abc import AsyncIterator
from typing import Any

import httpcore2
import httpx

from databricks_serving._http.asyncio_backend import AsyncioBackend
from databricks_serving._http.connections import Connections
from databricks_serving._http.transport import (
    BREAKS,
    distrust_leftover,
    layers_of,
    pool_options,
    pool_request,
    response_of,
)
from databricks_serving._http.watch import Watch


class AsyncPoolTransport(httpx.AsyncBaseTransport):
    """Sends requests over a pool of connections of one event loop; see `PoolTransport`.

    Args:
        connections: What they have in common.
        secure: Whether they are spoken to in TLS.
        native: Whether the event loop is one of asyncio; otherwise it is one of trio.
    """

    def __init__(self, connections: Connections, origin: str, *, native: bool) -> None:
        proxy = connections.proxy_for(origin)
        self.backend = _backend(layers_of(proxy), native=native)
        self.pool = httpcore2.AsyncConnectionPool(
            network_backend=self.backend, **pool_options(connections, origin, proxy)
        )
        self.dropped = False
        """Whether the pool is that of a parent process."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. One kept connection that turns out to be dead makes all suspect."""
        watch: Watch = request.extensions["watch"]
        try:
            answer = await self.pool.handle_async_request(pool_request(request, watch))
        except BREAKS:
            if watch.is_stale:
                self.backend.distrust()
            raise
        finally:
            # httpcore2 forgets some of those that got no further than a proxy.
            if watch.at_proxy:
                for stream in self.backend.opened_by(watch):
                    await stream.aclose()
        return response_of(answer, _Body(self, answer))

    def in_use(self) -> int:
        """Return the number of connections that are in use."""
        return sum(not one.is_idle() for one in self.pool.connections)

    async def aclose(self) -> None:
        """Close all connections, which wakes whoever waits on one."""
        self.backend.closed = True
        for stream in list(self.backend.streams):
            await stream.aclose()
        await self.pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, transport: AsyncPoolTransport, answer: httpcore2.Response) -> None:
        self._transport = transport
        self._answer = answer
        self._stream: Any = answer.stream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        if not self._transport.dropped:
            distrust_leftover(self._answer)
            await self._stream.aclose()


def _backend(layers: int, *, native: bool) -> Any:
    if native:
        return AsyncioBackend(layers)
    from databricks_serving._http.trio_streams import TrioBackend  # noqa: PLC0415 - rarely used

    return TrioBackend(layers)
