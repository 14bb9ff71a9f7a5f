"""The pool of asynchronous clients, in one event loop; see `pool`."""

from collections.abc import AsyncIterator
from typing import Any

import anyio

from databricks_serving._core.http1 import AnswerReader
from databricks_serving._http.asyncio_backend import AsyncioBackend
from databricks_serving._http.base_pool import PIECE, BaseAnswer, BasePool, read_in
from databricks_serving._http.breaks import PoolTimeout, WriteError
from databricks_serving._http.dialling import AsyncBackend, AsyncStream, Way, dial_async
from databricks_serving._http.outgoing import Outgoing
from databricks_serving._http.pool import BREAKS
from databricks_serving._http.slots import OPEN
from databricks_serving._http.watch import Watch
from databricks_serving.options import Limits


class AsyncWaiting:
    """A task that wants a connection, waits for it and holds it."""

    __slots__ = ("_event", "grant")

    _event: anyio.Event

    def __init__(self) -> None:
        self.grant: Any = None

    def prepare(self) -> None:
        """Be ready to be woken."""
        self._event = anyio.Event()

    def wake(self) -> None:
        """End the wait."""
        self._event.set()

    async def wait(self, seconds: float | None) -> None:
        """Wait for a grant, or until the time has run out."""
        with anyio.move_on_after(seconds):
            await self._event.wait()


class AsyncPooledAnswer(BaseAnswer[AsyncStream, AsyncWaiting]):
    """An answer that comes over an asynchronous pool."""

    __slots__ = ()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes."""
        if self._first:
            first, self._first = self._first, b""
            yield first
        while not self._reader.done:
            piece = read_in(self._reader, await self._connection.read(PIECE, self._watch))
            if piece:
                yield piece

    async def aclose(self) -> None:
        """Give the connection back, or close it; nothing is waited for."""
        self.close()


class AsyncPool(BasePool[AsyncStream, AsyncWaiting]):
    """Connections of one event loop to one origin.

    Args:
        way: How they are opened.
        limits: How many there may be.
        native: Whether the event loop is one of asyncio; otherwise it is one of trio.
    """

    def __init__(self, way: Way, limits: Limits, *, native: bool) -> None:
        super().__init__(limits)
        self.backend: AsyncBackend = _backend(way.layers, native=native)
        self._way = way

    async def send(self, outgoing: Outgoing, watch: Watch) -> AsyncPooledAnswer:
        """Send a request and return once the head of its answer is there.

        One kept connection that turns out to be dead makes all suspect.
        """
        ticket = AsyncWaiting()
        connection: AsyncStream | None = None
        try:
            connection = await self._obtain(ticket, watch)
            reader = AnswerReader()
            first = await _ask(connection, outgoing, reader, watch)
            return AsyncPooledAnswer(self, ticket, reader, first, watch)
        except BaseException as error:
            self._forfeit(ticket, used=connection is not None)
            if isinstance(error, BREAKS) and watch.is_stale:
                self.backend.distrust()
            raise

    def close(self) -> None:
        """Close all connections and wake whoever waits on one, or for one."""
        self.backend.close()
        self._dismiss()

    async def _obtain(self, ticket: AsyncWaiting, watch: Watch) -> AsyncStream:
        """Return an idle connection, or a new one, which the ticket then holds."""
        seconds = watch.pooling()
        if not self._take(ticket):
            await ticket.wait(seconds)
            if self._withdraw(ticket):
                raise PoolTimeout
        while ticket.grant is not OPEN:
            connection: AsyncStream = ticket.grant
            if not connection.is_spent():
                return connection
            self._replace(ticket)
        ticket.grant = connection = await dial_async(self.backend, self._way, watch)
        return connection


def _backend(layers: int, *, native: bool) -> AsyncBackend:
    if native:
        return AsyncioBackend(layers)
    from databricks_serving._http.trio_streams import TrioBackend  # noqa: PLC0415 - rarely used

    return TrioBackend(layers)


async def _ask(
    connection: AsyncStream, outgoing: Outgoing, reader: AnswerReader, watch: Watch
) -> bytes:
    """Write a request and read the head of its answer; return what came of the body."""
    try:
        for block in outgoing.blocks:
            await connection.write(block, watch)
    except WriteError:
        # The server may have answered before it had read everything.
        pass
    first = b""
    while reader.head is None:
        first = read_in(reader, await connection.read(PIECE, watch))
    return first
