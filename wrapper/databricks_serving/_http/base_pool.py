"""What pools of both kinds have in common: everything but waiting."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, Protocol, Self, TypeVar

import httpx

from databricks_serving._core.fork import fork_lock
from databricks_serving._core.http1 import AnswerReader, ProtocolError
from databricks_serving._http.slots import OPEN, Slots, Ticket
from databricks_serving._http.watch import Watch
from databricks_serving.options import Limits

# As much as is read at once.
PIECE: Final = 128 * 1024


class Connection(Protocol):
    """One connection, as far as nothing is waited for."""

    distrusted: bool

    def close(self) -> None:
        """Close it, without waiting."""
        ...

    def is_spent(self) -> bool:
        """Tell whether it is of no more use although it is idle."""
        ...


ConnectionT = TypeVar("ConnectionT", bound=Connection)
TicketT = TypeVar("TicketT", bound=Ticket)


class BasePool(Generic[ConnectionT, TicketT]):
    """Connections to one origin, of which each serves one request at a time.

    Args:
        limits: How many there may be.
    """

    def __init__(self, limits: Limits) -> None:
        self.slots: Slots[ConnectionT, TicketT] = Slots(limits)
        self.dropped: bool = False
        """Whether the pool is that of a parent process."""
        self._lock = fork_lock()
        # Places of answers that nobody holds any more.
        self._left: deque[None] = deque()

    def give(self, connection: ConnectionT) -> None:
        """Take back a connection that can be used again."""
        with self._lock:
            closing = self.slots.give(connection, time.monotonic())
        self._settle(closing)

    def lose(self, connection: ConnectionT | None = None) -> None:
        """Close a connection; none stands for one that was not opened."""
        if connection is not None:
            connection.close()
        with self._lock:
            self.slots.lose()
        self._settle(())

    def abandon(self, connection: ConnectionT) -> None:
        """Close the connection of an answer that was forgotten.

        The collector of garbage comes at any time, also to a thread that holds the lock just now,
        which then does the rest.
        """
        connection.close()
        self._left.append(None)
        if not self._lock.locked():
            self._settle(())

    def _take(self, ticket: Callable[[], TicketT]) -> tuple[Any, TicketT | None]:
        """Return a grant, or a ticket that waits for one."""
        with self._lock:
            # After a long silence none may be young enough to be used again.
            closing = self.slots.expired(time.monotonic())
            grant = self.slots.take()
            waiting = self.slots.queue(ticket()) if grant is None else None
        self._settle(closing)
        return grant, waiting

    def _replace(self, connection: ConnectionT) -> Any:
        """Close a connection that is spent, and return what to use in its place."""
        connection.close()
        with self._lock:
            grant = self.slots.replace()
        self._settle(())
        return grant

    def _withdraw(self, ticket: TicketT) -> bool:
        """Have somebody wait no more; return False if there is a grant already."""
        with self._lock:
            return self.slots.withdraw(ticket)

    def _hand_back(self, ticket: TicketT) -> None:
        """Have somebody wait no more who will not use a grant either."""
        if not self._withdraw(ticket):
            if ticket.grant is OPEN:
                self.lose()
            else:
                self.give(ticket.grant)

    def _dismiss(self) -> None:
        """Wake whoever waits for a connection, now that there will be none."""
        with self._lock:
            self.slots.dismiss()

    def _settle(self, closing: list[ConnectionT] | tuple[()]) -> None:
        for connection in closing:
            connection.close()
        while self._left:
            with self._lock:
                if self._left:
                    self._left.pop()
                    self.slots.lose()


class BaseAnswer(Generic[ConnectionT, TicketT]):
    """An answer that comes over a pool; it holds a connection until it is closed.

    Args:
        pool: Where the connection goes back to.
        connection: What it comes over.
        reader: What has read its head.
        first: What came of the body with the head.
        watch: The limits of the try.
    """

    __slots__ = (
        "_connection", "_first", "_held", "_pool", "_reader", "_watch",
        "headers", "status", "version",
    )  # fmt: skip

    unpacked = False

    @property
    def pieces(self) -> Self:
        """What to iterate over: itself."""
        return self

    def __init__(
        self,
        pool: BasePool[ConnectionT, TicketT],
        connection: ConnectionT,
        reader: AnswerReader,
        first: bytes,
        watch: Watch,
    ) -> None:
        head = reader.head
        assert head is not None  # noqa: S101 - for type checkers
        self.status: int = head.status
        self.headers: dict[str, str] = head.headers
        self.version: str = head.version
        self._pool = pool
        self._connection = connection
        self._reader = reader
        self._first = first
        self._watch = watch
        self._held = [connection]

    def close(self) -> None:
        """Give the connection back, or close it if something of the answer is left."""
        connection = self._let_go()
        if connection is None:
            return
        if self._reader.reusable and not self._watch.torn:
            self._pool.give(connection)
        else:
            self._pool.lose(connection)

    def abandon(self) -> None:
        """Close the connection, from wherever garbage is collected."""
        connection = self._let_go()
        if connection is not None:
            self._pool.abandon(connection)

    def _let_go(self) -> ConnectionT | None:
        """Return the connection to the first who asks, whatever thread it is."""
        try:
            connection = self._held.pop()
        except IndexError:
            return None
        # A child that was forked has let go of its parent's connections.
        return None if self._pool.dropped else connection


def read_in(reader: AnswerReader, data: bytes) -> bytes:
    """Have a reader take in what came, which is nothing at the end; return what is of the body.

    Raises:
        RemoteProtocolError: When it breaks the rules of HTTP, or something is missing.
    """
    try:
        if data:
            return reader.feed(data)
        reader.end()
    except ProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from None
    return b""
