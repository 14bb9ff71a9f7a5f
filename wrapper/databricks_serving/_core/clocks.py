"""Time and chance, which a test replaces."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

SleepT = TypeVar("SleepT")


class OwnTime(Protocol):
    """Time and chance that a transport brings with it: it passes only where somebody waits."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def wall(self) -> float:
        """Return the seconds of the calendar, since 1970."""
        ...

    def rand(self) -> float:
        """Return a number from 0 to less than 1."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let seconds pass."""
        ...

    async def sleep_async(self, seconds: float) -> None:
        """Let seconds pass, and other tasks have their turn."""
        ...


class Now(NamedTuple):
    """The time, by a clock that only runs while the machine does, and by the calendar."""

    monotonic: float
    wall: float


@dataclass(slots=True)
class Clocks(Generic[SleepT]):
    """What tells the time, waits and throws dice, for all parts of a client."""

    sleep: SleepT
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    rand: Callable[[], float] = random.random

    def now(self) -> Now:
        """Return the time."""
        return Now(self.monotonic(), self.wall())
