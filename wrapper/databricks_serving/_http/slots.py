"""Which connections of a pool are idle, how many there are, and who waits for one."""

from collections import OrderedDict, deque
from typing import Any, Final, Generic, Protocol, TypeVar

from databricks_serving.options import Limits

# Load balancers close idle connections after 60 s or more.
KEEPALIVE_EXPIRY: Final = 45.0

OPEN: Final = object()
"""Stands for the leave to open a connection."""


class Ticket(Protocol):
    """The claim of one request to a connection."""

    grant: Any
    """The connection to use, or `OPEN`; None as long as there is neither, and once it is over."""

    def prepare(self) -> None:
        """Be ready to be woken."""
        ...

    def wake(self) -> None:
        """End the wait."""
        ...


ConnectionT = TypeVar("ConnectionT")
TicketT = TypeVar("TicketT", bound=Ticket)


class Slots(Generic[ConnectionT, TicketT]):
    """The places of a pool; whoever calls sees to it that nobody else does meanwhile.

    Each operation takes the same time however many connections there are. The connection that came
    back last is the first to be used again, so that those which are not needed grow old.

    A place belongs to a ticket. It is given back once, however often that is asked for, so that
    whoever was interrupted can simply do it again.

    Args:
        limits: How many there may be.
    """

    def __init__(self, limits: Limits) -> None:
        self.count: int = 0
        """Connections that are open, or that somebody has leave to open."""
        self.waiting: OrderedDict[TicketT, None] = OrderedDict()
        """Who waits, the first one first."""
        self._idle: deque[tuple[ConnectionT, float]] = deque()
        self._most = limits.connections
        self._most_idle = limits.keepalive_connections

    @property
    def in_use(self) -> int:
        """How many connections are in use, or being opened."""
        return self.count - len(self._idle)

    def take(self, ticket: TicketT) -> bool:
        """Grant an idle connection, or the leave to open one; return False if one has to wait."""
        if self._idle:
            # In this order an interrupt between the two leaves the connection with the ticket.
            ticket.grant = self._idle[-1][0]
            self._idle.pop()
        elif self.count < self._most:
            ticket.grant = OPEN
            self.count += 1
        else:
            ticket.prepare()
            self.waiting[ticket] = None
            return False
        return True

    def replace(self, ticket: TicketT) -> None:
        """Grant an idle connection, or the leave to open one, in the place of one that is gone.

        The place is kept, so that nobody who has waited for it has to wait anew.
        """
        if self._idle:
            self.count -= 1
            ticket.grant = self._idle[-1][0]
            self._idle.pop()
        else:
            ticket.grant = OPEN

    def give(self, ticket: TicketT, now: float) -> list[ConnectionT]:
        """Take back a connection that can be used again; return those that are to be closed."""
        connection, ticket.grant = ticket.grant, None
        if connection is None:
            return []
        if self.waiting:
            self._hand_on(connection)
            return []
        self._idle.append((connection, now + KEEPALIVE_EXPIRY))
        return self.expired(now)

    def expired(self, now: float) -> list[ConnectionT]:
        """Return the idle connections that are too old or too many, which are to be closed."""
        closing: list[ConnectionT] = []
        while self._idle and (len(self._idle) > self._most_idle or self._idle[0][1] <= now):
            self.count -= 1
            closing.append(self._idle.popleft()[0])
        return closing

    def lose(self, ticket: TicketT) -> None:
        """Take note that a connection is gone, or was not opened."""
        if ticket.grant is None:
            return
        ticket.grant = None
        self.count -= 1
        if self.waiting:
            self.count += 1
            self._hand_on(OPEN)

    def withdraw(self, ticket: TicketT) -> bool:
        """Have somebody wait no more; return False if nobody did."""
        if ticket not in self.waiting:
            return False
        del self.waiting[ticket]
        return True

    def dismiss(self) -> None:
        """Have nobody wait any more: who did gets leave to open, which a closed pool refuses."""
        while self.waiting:
            self.count += 1
            self._hand_on(OPEN)

    def _hand_on(self, grant: Any) -> None:
        ticket = next(iter(self.waiting))
        ticket.grant = grant
        del self.waiting[ticket]
        ticket.wake()
