"""The pool of blocking clients."""

import sys
import threading
from collections.abc import Iterator
from typing import Any, Final

from databricks_serving._core.http1 import AnswerReader
from databricks_serving._http.base_pool import PIECE, BaseAnswer, BasePool, read_in
from databricks_serving._http.breaks import (
    NetworkError,
    PoolTimeout,
    RemoteProtocolError,
    WriteError,
)
from databricks_serving._http.dialling import Way, dial
from databricks_serving._http.outgoing import Outgoing
from databricks_serving._http.slots import OPEN
from databricks_serving._http.sockets import SocketBackend, SocketStream
from databricks_serving._http.watch import Watch
from databricks_serving.options import Limits

# What breaks when a server has given up the connection.
BREAKS: Final = (NetworkError, RemoteProtocolError)


class Waiting:
    """A thread that wants a connection, waits for it and holds it.

    It goes back to the pool even if an interrupt keeps everybody from giving it back.
    """

    __slots__ = ("_gate", "_pool", "grant")

    _gate: threading.Lock

    def __init__(self, pool: "Pool") -> None:
        self.grant: Any = None
        self._pool = pool

    def prepare(self) -> None:
        """Be ready to be woken."""
        self._gate = threading.Lock()
        self._gate.acquire()

    def wake(self) -> None:
        """End the wait."""
        self._gate.release()

    def wait(self, seconds: float | None) -> None:
        """Wait for a grant, or until the time has run out."""
        limit = -1 if seconds is None else min(seconds, threading.TIMEOUT_MAX)
        self._gate.acquire(timeout=limit)

    def __del__(self) -> None:
        # One that was not made in full has no grant.
        if getattr(self, "grant", None) is not None and not sys.is_finalizing():
            self._pool.abandon(self)


class PooledAnswer(BaseAnswer[SocketStream, Waiting]):
    """An answer that comes over a blocking pool."""

    __slots__ = ()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body as it comes."""
        if self._first:
            first, self._first = self._first, b""
            yield first
        while not self._reader.done:
            piece = read_in(self._reader, self._connection.read(PIECE, self._watch))
            if piece:
                yield piece

    def abandon(self) -> None:
        """Close the connection, from wherever garbage is collected."""
        self._pool.abandon(self._ticket)


class Pool(BasePool[SocketStream, Waiting]):
    """Connections to one origin.

    Args:
        way: How they are opened.
        limits: How many there may be.
    """

    def __init__(self, way: Way, limits: Limits) -> None:
        super().__init__(limits)
        self.backend = SocketBackend(way.layers)
        self._way = way

    def send(self, outgoing: Outgoing, watch: Watch) -> PooledAnswer:
        """Send a request and return once the head of its answer is there.

        One kept connection that turns out to be dead makes all suspect.
        """
        ticket = Waiting(self)
        connection: SocketStream | None = None
        try:
            connection = self._obtain(ticket, watch)
            reader = AnswerReader()
            first = _ask(connection, outgoing, reader, watch)
            return PooledAnswer(self, ticket, reader, first, watch)
        except BaseException as error:
            self._forfeit(ticket, used=connection is not None)
            if isinstance(error, BREAKS) and watch.is_stale:
                self.backend.distrust()
            raise

    def close(self) -> None:
        """Close all connections and wake whoever waits on one, or for one."""
        self.backend.close()
        self._dismiss()

    def drop(self) -> None:
        """Let go of the connections in a forked child."""
        self.dropped = True
        self.backend.forget()

    def _obtain(self, ticket: Waiting, watch: Watch) -> SocketStream:
        """Return an idle connection, or a new one, which the ticket then holds."""
        seconds = watch.pooling()
        if not self._take(ticket):
            ticket.wait(seconds)
            if self._withdraw(ticket):
                raise PoolTimeout
        while ticket.grant is not OPEN:
            connection: SocketStream = ticket.grant
            if not connection.is_spent():
                return connection
            self._replace(ticket)
        ticket.grant = connection = dial(self.backend, self._way, watch)
        return connection


def _ask(connection: SocketStream, outgoing: Outgoing, reader: AnswerReader, watch: Watch) -> bytes:
    """Write a request and read the head of its answer; return what came of the body."""
    try:
        for block in outgoing.blocks:
            connection.write(block, watch)
    except WriteError:
        # The server may have answered before it had read everything.
        pass
    first = b""
    while reader.head is None:
        first = read_in(reader, connection.read(PIECE, watch))
    return first
