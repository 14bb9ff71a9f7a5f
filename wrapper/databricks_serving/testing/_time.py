"""Time for tests."""

import time
from threading import Lock

from anyio.lowlevel import checkpoint


class FakeTime:
    """Time that passes only where somebody waits, so that a wait of an hour costs nothing.

    Attributes:
        slept: The waits so far, in seconds, in the order in which they began.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._passed = 0.0
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
        """Let seconds pass, and other tasks have their turn."""
        self.sleep(seconds)
        await checkpoint()
