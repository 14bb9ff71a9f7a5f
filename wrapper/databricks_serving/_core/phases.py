"""How long each phase of one try may still take: arithmetic on times that the caller reads."""

from collections.abc import Callable
from typing import Final, Literal

from databricks_serving.errors import APITimeoutError
from databricks_serving.options import Timeouts

Phase = Literal["pool", "connect", "write", "first_byte", "idle", "total"]

_WHAT: Final[dict[Phase, str]] = {
    "pool": "no connection of the pool came free",
    "connect": "the connection was not made",
    "write": "the server did not take the request",
    "first_byte": "the answer did not begin",
    "idle": "nothing more of the answer came",
    "total": "the call was not over",
}


class Phases:
    """The timeouts of one try, as seconds that are left.

    A transport asks before each wait (`pool`, `connect`, `write`, `read`); the answer is never
    more than what is left of the whole call. Reading begins as phase `first_byte`, counted from
    the first read; each `progress` begins phase `idle` anew, counted from the read after it, so
    that neither a slow reader nor a comment that keeps the connection alive moves the limit.

    Args:
        timeouts: Limits in seconds.
        until: The monotonic time at which the whole call ends; None for never.
        monotonic: Returns the monotonic time in seconds.
    """

    __slots__ = (
        "_connect_until",
        "_monotonic",
        "_phase",
        "_read_until",
        "_timeouts",
        "_until",
        "phase",
        "sent",
    )

    def __init__(
        self, timeouts: Timeouts, until: float | None, monotonic: Callable[[], float]
    ) -> None:
        self.phase: Phase = "pool"
        """The phase whose limit the last answer was."""
        self.sent: bool = False
        """Whether the request was sent in full, as far as the client can tell."""
        self._timeouts = timeouts
        self._until = until
        self._monotonic = monotonic
        self._connect_until: float | None = None
        self._read_until: float | None = None
        self._phase: Literal["first_byte", "idle"] = "first_byte"

    def pool(self) -> float | None:
        """Return the seconds to wait for a connection of the pool."""
        return self._left("pool", self._after(self._timeouts.pool))

    def connect(self) -> float | None:
        """Return the seconds left to connect, TLS included."""
        if self._connect_until is None:
            self._connect_until = self._after(self._timeouts.connect)
        return self._left("connect", self._connect_until)

    def write(self) -> float | None:
        """Return the seconds to wait for the server to take the next piece of the request."""
        return self._left("write", self._after(self._timeouts.write))

    def read(self) -> float | None:
        """Return the seconds left for the next piece of the answer."""
        self.sent = True
        if self._read_until is None:
            self._read_until = self._after(getattr(self._timeouts, self._phase))
        return self._left(self._phase, self._read_until)

    def progress(self) -> None:
        """Take note that something of the answer came."""
        self._phase = "idle"
        self._read_until = None

    def finish(self, seconds: float) -> None:
        """Leave this many seconds for what follows the end of the answer."""
        self._read_until = self._after(seconds)

    def error(self) -> APITimeoutError:
        """Return the error for the limit that the last answer was."""
        limit = getattr(self._timeouts, self.phase)
        within = "in time" if limit is None else f"within {limit:.4g} s"
        return APITimeoutError(
            f"{_WHAT[self.phase]} {within} (phase {self.phase})",
            phase=self.phase,
            maybe_executed=self.sent,
        )

    def _after(self, seconds: float | None) -> float | None:
        return None if seconds is None else self._monotonic() + seconds

    def _left(self, phase: Phase, until: float | None) -> float | None:
        """Return the seconds until the nearer of two ends, never less than none."""
        self.phase = phase
        if until is None or (self._until is not None and self._until < until):
            until, self.phase = self._until, "total"
        if until is None:
            self.phase = phase
            return None
        return max(until - self._monotonic(), 0.0)
