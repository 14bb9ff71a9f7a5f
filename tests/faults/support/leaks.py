"""What a process holds: file descriptors, threads, tasks and connections in use."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

Leftovers = list[str]

_NAMELESS = " (deleted)"


def descriptors() -> dict[str, str]:
    """Return the open file descriptors and what they stand for.

    Files without a name are left out: pytest keeps what is printed in them, and swaps them.
    """
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        # The descriptor of the listing itself is gone by now.
        with suppress(OSError):
            target = str(entry.readlink())
            if not target.endswith(_NAMELESS):
                found[entry.name] = target
    return found


class Base:
    """What was there at the beginning."""

    def __init__(self) -> None:
        self._descriptors = descriptors()
        self._threads = set(threading.enumerate())

    def leftovers(self) -> Leftovers:
        """Return what has come since then and is still there."""
        before = self._descriptors
        files = [f"{n}: {what}" for n, what in descriptors().items() if before.get(n) != what]
        threads = [t.name for t in threading.enumerate() if t not in self._threads]
        return [*files, *threads]


def running_tasks(loop: asyncio.AbstractEventLoop) -> Leftovers:
    """Return the tasks of a loop that stands still."""
    return [repr(task) for task in asyncio.all_tasks(loop)]


def gone(
    leftovers: Callable[[], Any], between: Callable[[], object] = lambda: None, seconds: float = 1.0
) -> Any:
    """Wait until nothing is left over, at most a second; return what is."""
    end = time.monotonic() + seconds
    while (left := leftovers()) and time.monotonic() < end:
        gc.collect()
        between()
        time.sleep(0.005)
    return left
