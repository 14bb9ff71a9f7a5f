"""Who holds the token, how long it is good, and who fetches the next: decisions, no I/O.

Any number of threads, tasks and event loops share one keeper. Of all that need a token one fetches
it; the others wait for that flight, or go on with the token at hand while it is good.
"""

import math
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Final, NamedTuple

from databricks_serving._core.clocks import Now
from databricks_serving._core.fork import fork_lock, track
from databricks_serving.auth._token import Token
from databricks_serving.errors import ServingError

# Seconds before its end from which a token counts as dead; Azure refuses those of the last 30.
_HARD: Final = 40.0
_HARD_JITTER: Final = 20.0
# Seconds before its end from which the next one is fetched beside the calls, at most.
_SOFT: Final = 1200.0
_SOFT_JITTER: Final = 0.1
# Seconds before its end until which a token is used that cannot be replaced.
_LAST: Final = 5.0
# Below this a margin would cost more fetches than it saves refusals, which heal.
_SHORT: Final = 120.0
# After a fetch beside the calls that failed.
_REST: Final = 60.0
# One who fetches for longer is taken for dead.
PATIENCE: Final = 45.0
# A token that was fetched because another was refused, and is refused too, is not fetched again.
_FUTILE: Final = 5.0


class Flight:
    """One fetch of a token, that any number of callers wait for."""

    __slots__ = ("_lock", "_wakers", "began", "done", "error", "token")

    def __init__(self, began: float) -> None:
        self.began: float = began
        self.done: bool = False
        self.token: Token | None = None
        self.error: ServingError | None = None
        self._wakers: list[Callable[[], None]] = []
        self._lock = fork_lock()

    def join(self, wake: Callable[[], None]) -> None:
        """Have a function called when the flight is over, which may be at once."""
        with self._lock:
            if not self.done:
                self._wakers.append(wake)
                return
        wake()

    def settle(self, token: Token | None = None, error: ServingError | None = None) -> None:
        """End the flight; without a token and an error somebody else has to try."""
        with self._lock:
            if self.done:
                return
            self.done, self.token, self.error = True, token, error
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    def result(self) -> Token | None:
        """Return the token; None if somebody else has to try.

        Raises:
            ServingError: What the fetch failed with, a copy for each caller.
        """
        if self.error is not None:
            raise copy(self.error)
        return self.token


class Flights:
    """The one flight that is under way; whoever uses it sees to it that nobody else does."""

    __slots__ = ("_flight",)

    def __init__(self) -> None:
        self._flight: Flight | None = None

    def present(self, now: float) -> Flight | None:
        """Return the flight under way; one that takes too long is left to those who wait for it."""
        flight = self._flight
        if flight is not None and (flight.done or now - flight.began > PATIENCE):
            self._flight = None
            flight.settle()
        return self._flight

    def begin(self, now: float) -> Flight:
        """Begin a flight."""
        self._flight = Flight(now)
        return self._flight

    def over(self, flight: Flight) -> None:
        """Take note that a flight is over."""
        if self._flight is flight:
            self._flight = None


class Look(NamedTuple):
    """What a caller finds.

    Attributes:
        token: One to use now; None to wait for the flight.
        flight: The fetch under way.
        leads: Whether this caller is the one who fetches.
    """

    token: Token | None
    flight: Flight | None
    leads: bool


@dataclass(slots=True)
class _Held:
    token: Token
    since: Now
    life: float
    good_for: float
    fresh_for: float
    forced: bool
    """Whether it was fetched because the one before it was refused, and was not yet taken."""
    refused: bool = False

    def age(self, now: Now) -> float:
        # A machine that sleeps ages by the calendar, one whose calendar is set back does not.
        return max(now.monotonic - self.since.monotonic, now.wall - self.since.wall)

    def is_good(self, now: Now) -> bool:
        return not self.refused and self.age(now) < self.good_for

    def is_alive(self, now: Now) -> bool:
        return not self.refused and self.age(now) < self.life - _LAST

    def is_fresh(self, now: Now) -> bool:
        return self.age(now) < self.fresh_for


class Keeper:
    """Holds one token.

    Args:
        rand: Returns a random number from 0 to 1.
    """

    __slots__ = ("__weakref__", "_flights", "_held", "_lock", "_rand", "_rest_until")

    def __init__(self, rand: Callable[[], float]) -> None:
        self._rand = rand
        self._lock = fork_lock()
        self._held: _Held | None = None
        self._flights = Flights()
        self._rest_until = -math.inf
        track(self)

    def after_fork(self) -> None:
        """Forget who fetches: that one is not in the child."""
        self._flights = Flights()

    def look(self, now: Now) -> Look:
        """Return what a caller finds."""
        with self._lock:
            return self._look(now)

    def held(self) -> Token | None:
        """Return the token at hand, whatever its state."""
        return None if self._held is None else self._held.token

    def _look(self, now: Now) -> Look:
        held, flight = self._held, self._flights.present(now.monotonic)
        rests = now.monotonic < self._rest_until
        usable = held is not None and (held.is_good(now) or (rests and held.is_alive(now)))
        token = held.token if usable and held is not None else None
        if token is not None and held is not None:
            if held.is_fresh(now) or flight is not None or rests:
                return Look(token, flight, leads=False)
        elif flight is not None:
            return Look(None, flight, leads=False)
        return Look(token, self._flights.begin(now.monotonic), leads=True)

    def land(self, flight: Flight, token: Token, now: Now) -> None:
        """Keep the token that a flight brought."""
        with self._lock:
            forced = self._held is not None and self._held.refused
            self._held = _held(token, now, self._rand(), forced=forced)
            self._rest_until = -math.inf
            self._flights.over(flight)
        flight.settle(token)

    def fail(self, flight: Flight, error: ServingError, now: Now) -> None:
        """Tell all who wait for a flight what it failed with."""
        with self._lock:
            life = math.inf if self._held is None else self._held.life
            self._rest_until = now.monotonic + min(_REST, life / 10)
            self._flights.over(flight)
        flight.settle(error=error)

    def spare(self, now: Now) -> Token | None:
        """Return the token at hand if it can still be used where no other is to be had."""
        with self._lock:
            held = self._held
            return held.token if held is not None and held.is_alive(now) else None

    def abandon(self, flight: Flight) -> None:
        """Leave a flight that was not ended to whoever waits for it; one that was is left alone."""
        if flight.done:
            return
        with self._lock:
            self._flights.over(flight)
        flight.settle()

    def accept(self, token: Token) -> None:
        """Take note that a token was taken: a later refusal is about its end."""
        with self._lock:
            if self._held is not None and self._held.token is token:
                self._held.forced = False

    def refuse(self, token: Token, now: Now) -> bool:
        """Take note that a server refused a token; return whether another can be had."""
        with self._lock:
            held = self._held
            if held is None or held.token is not token:
                return True
            if held.forced and held.age(now) < _FUTILE:
                return False
            held.refused = True
            return True


def _held(token: Token, now: Now, rand: float, *, forced: bool) -> _Held:
    life = math.inf if token.expires_in is None else token.expires_in
    good = fresh = life
    if _SHORT <= life < math.inf:
        good -= min(_HARD + _HARD_JITTER * rand, life / 4)
        fresh = min(good, life - min(life / 2, _SOFT) * (1 - _SOFT_JITTER * rand))
    return _Held(token, now, life, good, fresh, forced)
