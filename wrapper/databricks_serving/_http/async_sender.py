"""Requests sent over an asynchronous transport."""

from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import httpx

from databricks_serving._core.phases import Phases
from databricks_serving._core.requests import Request
from databricks_serving._http.answers import head_fault
from databricks_serving._http.async_exchange import AsyncExchange
from databricks_serving._http.async_transport import AsyncPoolTransport
from databricks_serving._http.base_sender import BaseSender
from databricks_serving._http.connections import Connections
from databricks_serving._http.failures import bared, failure, is_foreign
from databricks_serving._http.loops import has_ended, is_asyncio, run_soon, running_loop
from databricks_serving._http.outgoing import httpx_request, origin_of


class _Home(NamedTuple):
    transport: AsyncPoolTransport
    guard: AsyncGenerator[None]


# Pools of a parent process, and what would close them: its event loop is not to be touched.
_kept: list[dict[tuple[Any, str], _Home]] = []


class AsyncSender(BaseSender[httpx.AsyncBaseTransport]):
    """Sends requests over an asynchronous transport, made at the first request unless given.

    The default transport keeps one pool for each event loop and origin, and closes it when the loop
    ends.
    """

    __slots__ = ("_homes",)

    _method = "handle_async_request"

    def __init__(
        self, transport: httpx.AsyncBaseTransport | None, connections: Connections
    ) -> None:
        super().__init__(transport, connections)
        self._homes: dict[tuple[Any, str], _Home] = {}

    async def send(self, request: Request, phases: Phases) -> AsyncExchange:
        """Send a request and return once the response's head is there."""
        watch = self._watch(phases)
        transport: httpx.AsyncBaseTransport | None = None
        try:
            transport = await self._open(request)
            outgoing = httpx_request(request, watch)
            response = await transport.handle_async_request(outgoing)
            exchange = AsyncExchange(self, response, request, watch)
        except Exception as error:
            ours = failure(error, self._scene(request, watch, _in_use(transport)))
            if ours is None or ours is error:
                raise
            raise ours from bared(error)
        fault = head_fault(response)
        if fault is not None:
            await exchange.close()
            raise fault
        return exchange

    async def close(self) -> None:
        """Close all connections, those of other event loops as soon as these get to it."""
        with self._lock:
            closed, self._closed = self._closed, True
            homes, self._homes = self._homes, {}
        if closed:
            return
        for (loop, _), home in homes.items():
            if loop is running_loop():
                await home.guard.aclose()
            else:
                run_soon(loop, home.guard.aclose)
        if self._given is not None:
            try:
                await self._given.aclose()
            except Exception as error:
                if not is_foreign(error, own=False):
                    raise

    def after_fork(self) -> None:
        """Let go of the parent's connections; a transport of the user's is kept."""
        for home in self._homes.values():
            home.transport.dropped = True
        _kept.append(self._homes)
        self._homes = {}

    async def _open(self, request: Request) -> httpx.AsyncBaseTransport:
        if self._given is not None:
            self._check_open()
            return self._given
        kit = self._kit
        if kit is None:
            return await self._pool_for(request)
        self._check_open()
        return kit.asynchronous(None if kit.replaces else await self._pool_for(request))

    async def _pool_for(self, request: Request) -> AsyncPoolTransport:
        loop = running_loop()
        key = loop, origin_of(request.url)
        with self._lock:
            self._check_open()
            home = self._homes.get(key)
            if home is not None and not home.transport.backend.closed:
                return home.transport
            self._homes = {one: kept for one, kept in self._homes.items() if not has_ended(one[0])}
            home = self._homes[key] = _home(self._connections, *key)
        # From here on the loop closes the pool when it ends.
        await anext(home.guard)
        return home.transport


def _in_use(transport: httpx.AsyncBaseTransport | None) -> int | None:
    return transport.in_use() if isinstance(transport, AsyncPoolTransport) else None


def _home(connections: Connections, loop: Any, origin: str) -> _Home:
    transport = AsyncPoolTransport(connections, origin, native=is_asyncio(loop))
    return _Home(transport, _guard(transport))


async def _guard(transport: AsyncPoolTransport) -> AsyncGenerator[None]:
    """Close a transport when this generator is closed, which its event loop sees to."""
    try:
        yield
    finally:
        await transport.aclose()
