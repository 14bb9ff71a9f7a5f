"""What one try has come to, noted down by the streams that carry it."""

import time
from typing import Final

from databricks_serving._core.phases import Phase, Phases
from databricks_serving._http.breaks import ConnectTimeout, PoolTimeout, ReadTimeout, WriteTimeout

# A connection that the server had given up breaks at once; a later break is another matter.
_STALE_WITHIN: Final = 0.5


class Watch:
    """Limits of a try, which each wait asks anew, and the facts that its failure goes by."""

    __slots__ = (
        "_sent_at", "at_proxy", "first", "limited_by", "own", "peer", "phases", "torn"
    )  # fmt: skip

    def __init__(self, phases: Phases, *, own: bool) -> None:
        self.phases: Phases = phases
        self.own: bool = own
        """Whether the default transport is used, and no other."""
        self.limited_by: dict[str, Phase] = {}
        """For a transport of the user's: which phase each of its limits stands for."""
        self.peer: tuple[str, int] | None = None
        """Where to a connection was opened for this try: to the host, or to the proxy."""
        self.at_proxy: bool = False
        """Whether the proxy has not yet led to the host."""
        self.torn: bool = False
        """Whether the request could not be written in full."""
        self.first: bytes | None = None
        """The first bytes of the answer."""
        self._sent_at: float = 0.0

    def pooling(self) -> float | None:
        """Return the seconds to wait for a connection of the pool."""
        seconds = self.phases.pool()
        if seconds == 0.0:
            raise PoolTimeout
        return seconds

    def connecting(self) -> float | None:
        """Return the seconds left to connect."""
        seconds = self.phases.connect()
        if seconds == 0.0:
            raise ConnectTimeout
        return seconds

    def writing(self) -> float | None:
        """Return the seconds to wait for the next piece of the request to be taken."""
        seconds = self.phases.write()
        if seconds == 0.0:
            raise WriteTimeout
        return seconds

    def reading(self) -> float | None:
        """Return the seconds to wait for the next piece of the answer."""
        seconds = self.phases.read()
        # A failed write does not end a try: the server may have answered before it was done.
        self.phases.sent = not self.torn
        if not self._sent_at:
            self._sent_at = time.monotonic()
        if seconds == 0.0:
            raise ReadTimeout
        return seconds

    def tear(self) -> None:
        """Take note that the request could not be written in full."""
        self.torn = True
        self.phases.sent = False

    @property
    def is_stale(self) -> bool:
        """Whether the try met a connection that the server had already given up."""
        if self.peer or self.first is not None:
            return False
        return self.torn or time.monotonic() - self._sent_at < _STALE_WITHIN
