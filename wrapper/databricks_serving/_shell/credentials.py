"""What both kinds of credentials decide alike."""

from abc import ABC, abstractmethod
from typing import Any, Generic, Self, TypeVar

from databricks_serving._core.access import Pass
from databricks_serving._core.clocks import Clocks
from databricks_serving.auth._access import Access
from databricks_serving.auth._asking import late
from databricks_serving.auth._doing import left_until
from databricks_serving.auth._keeper import PATIENCE, Flight
from databricks_serving.auth._passes import pass_of
from databricks_serving.auth._token import Token
from databricks_serving.errors import ServingError

PerformerT = TypeVar("PerformerT")


class BaseCredentials(ABC, Generic[PerformerT]):
    """Gives each try what authorises it.

    Args:
        access: Where a client calls and as whom.
        performer: What does the steps that lead to a token.
    """

    def __init__(self, access: Access, performer: PerformerT) -> None:
        self.access: Access = access
        self._performer = performer
        self._last: tuple[Token, Pass] | None = None

    @property
    @abstractmethod
    def clocks(self) -> Clocks[Any]:
        """Time and chance."""

    def other(self, access: Access) -> Self:
        """Return those for another access."""
        return type(self)(access, self._performer)

    def _pass(self, token: Token) -> Pass:
        last = self._last
        if last is None or last[0] is not token:
            last = self._last = token, pass_of(token, self.access, self.clocks.now)
        return last[1]

    def _patience(self, until: float | None) -> float:
        """Return the seconds to wait for somebody else's fetch."""
        left = left_until(until, self.clocks.monotonic())
        return PATIENCE if left is None else max(min(left, PATIENCE), 0.0)

    def _outcome(self, flight: Flight, waited: float) -> Token | None:
        """Return what a fetch that was waited for has brought; None if another has to try."""
        if not flight.done and waited < PATIENCE:
            raise late()
        return flight.result()

    def _failed(self, flight: Flight, error: ServingError, until: float | None) -> None:
        self.access.doubt(error)
        # The others may have more time than this call had.
        if until is None or self.clocks.monotonic() < until:
            self.access.keeper.fail(flight, error, self.clocks.now())

    def _spare(self, error: ServingError) -> Token:
        """Return the token at hand, which near its end is better than none, or raise the error."""
        token = self.access.keeper.spare(self.clocks.now())
        if token is None:
            raise error
        return token
