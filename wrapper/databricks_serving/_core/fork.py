"""What a forked child does with what it finds of its parent: it lets go of it."""

import os
import threading
from typing import Any, Protocol
from weakref import WeakSet


class Forked(Protocol):
    """What a child may not use as it is."""

    def after_fork(self) -> None:
        """Let go of what the parent goes on using."""
        ...


_tracked: WeakSet[Forked] = WeakSet()
_locks: WeakSet[threading.Lock] = WeakSet()


def track(holder: Forked) -> None:
    """Have a holder let go in each child that is forked."""
    _tracked.add(holder)


def fork_lock() -> threading.Lock:
    """Return a lock that a forked child finds open: the thread that held it is not in the child.

    It is a plain one. In a class of ours, an interrupt could come after it was taken and before the
    block that lets go of it had begun, and it would be held for ever.
    """
    lock = threading.Lock()
    _locks.add(lock)
    return lock


def _after_fork() -> None:
    for lock in list(_locks):
        # What the standard library does with its own. locked() would not tell of a thread that has
        # just got the lock and waits for the interpreter's.
        made_anew: Any = lock
        made_anew._at_fork_reinit()  # noqa: SLF001 - no public way
    for holder in list(_tracked):
        holder.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
