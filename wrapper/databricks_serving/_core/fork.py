"""What a forked child does with what it finds of its parent: it lets go of it."""

import os
import threading
from types import TracebackType
from typing import Protocol
from weakref import WeakSet


class Forked(Protocol):
    """What a child may not use as it is."""

    def after_fork(self) -> None:
        """Let go of what the parent goes on using."""
        ...


_tracked: WeakSet[Forked] = WeakSet()


def track(holder: Forked) -> None:
    """Have a holder let go in each child that is forked."""
    _tracked.add(holder)


class ForkLock:
    """A lock that a forked child finds open, whoever held it in the parent."""

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        track(self)

    def after_fork(self) -> None:
        """Forget who holds the lock: that thread is not in the child."""
        self._lock = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether somebody holds the lock just now."""
        return self._lock.locked()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()


def _after_fork() -> None:
    for holder in list(_tracked):
        holder.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
