"""Which connections of a pool are idle, how many there are, and who waits for one."""

from collections import deque
from typing import Any, Final, Generic, Protocol, TypeVar

from databricks_serving.options import Limits

# Load balancers close idle connections after 60 s or more.
KEEPALIVE_EXPIRY: Final = 45.0


class Ticket(Protocol):
    """Somebody who waits for a connection."""

    grant: Any
    """The connection to use, or `OPEN`; None as long as there is neither."""

    def wake(self) -> None:
        """End the wait."""
        ...


OPEN: Final = object()
"""Stands for the leave to open a connection."""

ConnectionT = TypeVar("ConnectionT")
TicketT = TypeVar("TicketT", bound=Ticket)


class Slots(Generic[ConnectionT, TicketT]):
    """The places of a pool; whoever calls sees to it that nobody else does meanwhile.

    Each operation takes the same time however many connections there are. The connection that came
    back last is the first to be used again, so that those which are not needed grow old.

    Args:
        limits: How many there may be.
    """

    def __init__(self, limits: Limits) -> None:
        self.count: int = 0
        """Connections that are open, or that somebody has leave to open."""
        self.waiting: deque[TicketT] = deque()
        """Who waits, the first one first."""
        self._idle: deque[tuple[ConnectionT, float]] = deque()
        self._most = limits.connections
        self._most_idle = limits.keepalive_connections

    @property
    def in_use(self) -> int:
        """How many connections are in use, or being opened."""
        return self.count - len(self._idle)

    def take(self) -> Any:
        """Return an idle connection, or the leave to open one; None when one has to wait."""
        if self._idle:
            return self._idle.pop()[0]
        if self.count < self._most:
            self.count += 1
            return OPEN
        return None

    def replace(self) -> Any:
        """Return what takes the place of a connection that is gone: an idle one, or the leave.

        The place is kept, so that nobody who has waited for it has to wait anew.
        """
        if not self._idle:
            return OPEN
        self.count -= 1
        return self._idle.pop()[0]

    def give(self, connection: ConnectionT, now: float) -> list[ConnectionT]:
        """Take back a connection that can be used again; return those that are to be closed."""
        if self.waiting:
            self._hand_on(connection)
            return []
        self._idle.append((connection, now + KEEPALIVE_EXPIRY))
        return self.expired(now)

    def expired(self, now: float) -> list[ConnectionT]:
        """Return the idle connections that are too old or too many, which are to be closed."""
        closing: list[ConnectionT] = []
        while self._idle and (len(self._idle) > self._most_idle or self._idle[0][1] <= now):
            closing.append(self._idle.popleft()[0])
            self.count -= 1
        return closing

    def lose(self) -> None:
        """Take note that a connection is gone, or was not opened."""
        self.count -= 1
        if self.waiting:
            self.count += 1
            self._hand_on(OPEN)

    def queue(self, ticket: TicketT) -> TicketT:
        """Have somebody wait."""
        self.waiting.append(ticket)
        return ticket

    def withdraw(self, ticket: TicketT) -> bool:
        """Have somebody wait no more; return False if there is a grant already."""
        if ticket.grant is not None:
            return False
        self.waiting.remove(ticket)
        return True

    def dismiss(self) -> None:
        """Have nobody wait any more: who did gets leave to open, which a closed pool refuses."""
        while self.waiting:
            self.count += 1
            self._hand_on(OPEN)

    def _hand_on(self, grant: Any) -> None:
        ticket = self.waiting.popleft()
        ticket.grant = grant
        ticket.wake()
