"""Time and chance, which a test replaces."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

SleepT = TypeVar("SleepT")


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
