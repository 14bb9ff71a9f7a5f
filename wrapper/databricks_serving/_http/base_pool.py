"""What pools of both kinds have in common: everything but waiting."""

import time
from collections import deque
from typing import Final, Generic, Protocol, Self, TypeVar

from databricks_serving._core.fork import fork_lock
from databricks_serving._core.http1 import AnswerReader, ProtocolError
from databricks_serving._http.breaks import RemoteProtocolError
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
        # Those that nobody holds any more.
        self._left: deque[TicketT] = deque()

    def give(self, ticket: TicketT) -> None:
        """Take back a connection that can be used again."""
        now = time.monotonic()
        with self._lock:
            closing = self.slots.give(ticket, now)
        self._settle(closing)

    def lose(self, ticket: TicketT) -> None:
        """Close a connection, if it was opened."""
        self._close(ticket)
        with self._lock:
            self.slots.lose(ticket)
        self._settle(())

    def abandon(self, ticket: TicketT) -> None:
        """Close the connection of a ticket that was forgotten.

        The collector of garbage comes at any time, also to a thread that holds the lock just now,
        which then does the rest.
        """
        if self.dropped:
            return
        self._close(ticket)
        self._left.append(ticket)
        if not self._lock.locked():
            self._settle(())

    def _take(self, ticket: TicketT) -> bool:
        """Grant a connection, or the leave to open one; return False if one has to wait."""
        now = time.monotonic()
        with self._lock:
            # After a long silence none may be young enough to be used again.
            closing = self.slots.expired(now)
            granted = self.slots.take(ticket)
        self._settle(closing)
        return granted

    def _replace(self, ticket: TicketT) -> None:
        """Close a connection that is spent, and grant what to use in its place."""
        self._close(ticket)
        with self._lock:
            self.slots.replace(ticket)
        self._settle(())

    def _withdraw(self, ticket: TicketT) -> bool:
        """Have somebody wait no more; return False if nobody did."""
        with self._lock:
            waited = self.slots.withdraw(ticket)
        self._settle(())
        return waited

    def _forfeit(self, ticket: TicketT, *, used: bool) -> None:
        """Free the place of a request that failed, or have it wait for none any more."""
        if self._withdraw(ticket):
            return
        if used or ticket.grant is OPEN:
            self.lose(ticket)
        else:
            self.give(ticket)

    def _dismiss(self) -> None:
        """Wake whoever waits for a connection, now that there will be none."""
        with self._lock:
            self.slots.dismiss()

    def _close(self, ticket: TicketT) -> None:
        connection = ticket.grant
        if connection is not None and connection is not OPEN:
            connection.close()

    def _settle(self, closing: list[ConnectionT] | tuple[()]) -> None:
        for connection in closing:
            connection.close()
        while self._left:
            with self._lock:
                if self._left:
                    self.slots.lose(self._left[0])
                    self._left.popleft()


class BaseAnswer(Generic[ConnectionT, TicketT]):
    """An answer that comes over a pool; it holds a connection until it is closed.

    Args:
        pool: Where the connection goes back to.
        ticket: What holds the connection that it comes over.
        reader: What has read its head.
        first: What came of the body with the head.
        watch: The limits of the try.
    """

    __slots__ = (
        "_connection", "_first", "_pool", "_reader", "_ticket", "_watch",
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
        ticket: TicketT,
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
        self._connection: ConnectionT = ticket.grant
        self._ticket = ticket
        self._reader = reader
        self._first = first
        self._watch = watch

    def close(self) -> None:
        """Give the connection back, or close it if something of the answer is left."""
        # A child that was forked has let go of its parent's connections.
        if self._pool.dropped:
            return
        if self._reader.reusable and not self._watch.torn:
            self._pool.give(self._ticket)
        else:
            self._pool.lose(self._ticket)


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
        raise RemoteProtocolError(str(error)) from None
    return b""
