"""Requests sent over an asynchronous transport."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from databricks_serving._core.phases import Phases
from databricks_serving._core.requests import Request
from databricks_serving._http.addresses import Origin, address_of
from databricks_serving._http.answers import Arrived, head_fault
from databricks_serving._http.async_exchange import AsyncExchange
from databricks_serving._http.async_pool import AsyncPool
from databricks_serving._http.base_sender import BaseSender
from databricks_serving._http.breaks import InvalidURL
from databricks_serving._http.connections import Connections
from databricks_serving._http.dialling import way_to
from databricks_serving._http.failures import bared, failure, is_foreign
from databricks_serving._http.loops import has_ended, is_asyncio, run_soon, running_loop
from databricks_serving._http.outgoing import outgoing
from databricks_serving._http.watch import Watch
from databricks_serving.errors import ServingError

if TYPE_CHECKING:
    import httpx


class _Home(NamedTuple):
    pool: AsyncPool
    guard: AsyncGenerator[None]


# Pools of a parent process, and what would close them: its event loop is not to be touched.
_kept: list[dict[tuple[Any, Origin], _Home]] = []


class AsyncSender(BaseSender["httpx.AsyncBaseTransport"]):
    """Sends requests over an asynchronous transport, made at the first request unless given.

    The default transport keeps one pool for each event loop and origin, and closes it when the loop
    ends.
    """

    __slots__ = ("_homes",)

    _method = "handle_async_request"

    def __init__(
        self, transport: "httpx.AsyncBaseTransport | None", connections: Connections
    ) -> None:
        super().__init__(transport, connections)
        self._homes: dict[tuple[Any, Origin], _Home] = {}

    async def send(self, request: Request, phases: Phases) -> AsyncExchange:
        """Send a request and return once the response's head is there."""
        watch = self._watch(phases)
        try:
            arrived = await self._arrived(request, watch)
            exchange = AsyncExchange(self, arrived, request, watch)
        except Exception as error:
            ours = failure(error, self._scene(request, watch, self._in_use(request)))
            if ours is None or ours is error:
                raise
            raise ours from bared(error)
        fault = head_fault(arrived)
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
            home.pool.dropped = True
        _kept.append(self._homes)
        self._homes = {}

    async def _arrived(self, request: Request, watch: Watch) -> Arrived:
        kit = self._kit
        self._check_open()
        replaced = self._given is not None or (kit is not None and kit.replaces)
        pool = None if replaced else await self._pool_for(request)
        if pool is not None and kit is None:
            return await pool.send(outgoing(request), watch)
        # Most programs never load httpx.
        from databricks_serving._http import foreign  # noqa: PLC0415 - as above
        from databricks_serving._http.transport import AsyncPoolTransport  # noqa: PLC0415 - as above

        transport = self._given
        if kit is not None:
            transport = kit.asynchronous(None if pool is None else AsyncPoolTransport(pool))
        assert transport is not None  # noqa: S101 - for type checkers
        response = await transport.handle_async_request(foreign.httpx_request(request, watch))
        return foreign.ForeignAnswer(response)

    async def _pool_for(self, request: Request) -> AsyncPool:
        loop = running_loop()
        key = loop, address_of(request.url).origin
        with self._lock:
            self._check_open()
            home = self._homes.get(key)
            if home is not None and not home.pool.backend.closed:
                return home.pool
            # Runs of trio close their pools when they end; loops of asyncio may have left that out.
            self._homes = {
                one: kept
                for one, kept in self._homes.items()
                if not (kept.pool.backend.closed or has_ended(one[0]))
            }
            home = self._homes[key] = _home(self._connections, *key)
        # From here on the loop closes the pool when it ends.
        await anext(home.guard)
        return home.pool

    def _in_use(self, request: Request) -> int | None:
        with suppress(InvalidURL, KeyError, ServingError):
            return self._homes[running_loop(), address_of(request.url).origin].pool.slots.in_use
        return None


def _home(connections: Connections, loop: Any, origin: Origin) -> _Home:
    pool = AsyncPool(way_to(origin, connections), connections.limits, native=is_asyncio(loop))
    return _Home(pool, _guard(pool))


async def _guard(pool: AsyncPool) -> AsyncGenerator[None]:
    """Close a pool when this generator is closed, which its event loop sees to."""
    try:
        yield
    finally:
        pool.close()
