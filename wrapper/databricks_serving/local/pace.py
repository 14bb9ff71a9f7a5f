"""Time as the local endpoint knows it."""

import time
from collections.abc import Callable
from threading import Event

from databricks_serving.local.errors import BrokenOffError


class Pace:
    """A clock, and waits that end when the endpoint stops; a test gives it another clock.

    Args:
        clock: The monotonic time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stopped = Event()

    def now(self) -> float:
        """Return the monotonic time in seconds."""
        return self._clock()

    def wait(self, seconds: float) -> None:
        """Wait.

        Raises:
            BrokenOffError: The endpoint stopped meanwhile.
        """
        if self._stopped.wait(seconds):
            raise BrokenOffError

    def start(self) -> None:
        """Allow waits."""
        self._stopped.clear()

    def stop(self) -> None:
        """End all waits."""
        self._stopped.set()
