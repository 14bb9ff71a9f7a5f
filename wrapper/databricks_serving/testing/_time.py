"""Time for tests."""

import time
from bisect import insort
from threading import Lock
from typing import Final

from anyio.lowlevel import checkpoint

_MOST_TURNS: Final = 1000


class FakeTime:
    """Time that passes only where somebody waits, so that a wait of an hour costs nothing.

    Attributes:
        slept: The waits so far, in seconds, in the order in which they began.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._passed = 0.0
        self._due: list[float] = []
        self._lock = Lock()
        self._began = time.time()

    def monotonic(self) -> float:
        """Return the seconds that have passed, from 0."""
        return self._passed

    def wall(self) -> float:
        """Return the seconds of the calendar, counted on from the true ones."""
        return self._began + self._passed

    def rand(self) -> float:
        """Return 0.5: waits between tries have no chance in them."""
        return 0.5

    def advance(self, seconds: float) -> None:
        """Let seconds pass that nobody waited for."""
        with self._lock:
            self._passed += seconds

    def sleep(self, seconds: float) -> None:
        """Let seconds pass."""
        with self._lock:
            self.slept.append(seconds)
            self._passed += seconds

    async def sleep_async(self, seconds: float) -> None:
        """Let seconds pass, and other tasks have their turn: those that wait at once overlap."""
        with self._lock:
            self.slept.append(seconds)
            due = self._passed + seconds
            insort(self._due, due)
        try:
            await checkpoint()
            # Who waits for less goes first; but a loop that was given up never wakes its tasks.
            for _ in range(_MOST_TURNS):
                if self._due[0] >= due:
                    break
                await checkpoint()
            with self._lock:
                self._passed = max(self._passed, due)
        finally:
            with self._lock:
                self._due.remove(due)
