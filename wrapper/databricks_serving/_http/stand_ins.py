"""What stands in for the default transport while a test runs, or listens to it."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from databricks_serving._core.clocks import OwnTime

if TYPE_CHECKING:
    import httpx


class StandIn(Protocol):
    """Gives clients without a transport of their own another one."""

    @property
    def own_time(self) -> OwnTime | None:
        """The time that clients go by; None for the machine's."""
        ...

    @property
    def replaces(self) -> bool:
        """Whether nothing is sent over the default transport."""
        ...

    def blocking(self, inner: "httpx.BaseTransport | None") -> "httpx.BaseTransport":
        """Return a transport; `inner` is the default one, unless it is replaced."""
        ...

    def asynchronous(self, inner: "httpx.AsyncBaseTransport | None") -> "httpx.AsyncBaseTransport":
        """Return a transport; `inner` is the default one, unless it is replaced."""
        ...


# For the whole process: the code under test may call from any thread and any event loop.
_installed: list[StandIn] = []


def stand_in() -> StandIn | None:
    """Return what was installed last, if anything is."""
    return _installed[-1] if _installed else None


def standing() -> tuple[StandIn, ...]:
    """Return all that are installed."""
    return (*_installed,)


@contextmanager
def installed(kit: StandIn) -> Generator[None]:
    """Have all clients without a transport of their own, old and new, use this for a while."""
    _installed.append(kit)
    try:
        yield
    finally:
        _installed.remove(kit)
