"""Waiting until an endpoint takes requests: when to ask again, and when to give up."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from databricks_serving._core.refusing import IN_CALLS
from databricks_serving.errors import (
    APIConnectionError,
    EndpointWaitError,
    InternalServerError,
    RateLimitError,
    ServingError,
)
from databricks_serving.options import check_seconds
from databricks_serving_api.models import ServingEndpoint

# fact: the official SDK waits as many seconds as it has asked times, at most ten.
_LONGEST_PAUSE: Final = 10.0
DEFAULT_PATIENCE: Final = 1200.0
_FAILED: Final = frozenset({"UPDATE_FAILED", "UPDATE_CANCELED"})
_PASSING: Final = (APIConnectionError, InternalServerError, RateLimitError)


def patience_of(options: Mapping[str, Any]) -> float:
    """Return how many seconds to wait at most: the option `deadline`, or twenty minutes.

    Raises:
        InvalidRequestError: When it is no number of seconds.
    """
    given = options.get("deadline")
    with IN_CALLS:
        check_seconds("deadline", given)
    return DEFAULT_PATIENCE if given is None else float(given)


class ReadyWait:
    """One wait for an endpoint.

    Args:
        name: Name of the endpoint.
        begun: When the wait begins, by the clock that all times here are of.
        patience: Seconds to wait at most.
    """

    def __init__(self, name: str, begun: float, patience: float) -> None:
        self._name = name
        self._begun = begun
        self._patience = patience
        self._asked = 0
        self._last: ServingEndpoint | None = None

    def left(self, now: float) -> float:
        """Return the seconds left, for the next question.

        Raises:
            EndpointWaitError: When there are none.
        """
        left = self._begun + self._patience - now
        if left <= 0:
            raise self._error(f"is not ready after {now - self._begun:.0f} s", now, timed_out=True)
        return left

    def is_over(self, described: ServingEndpoint, now: float) -> bool:
        """Tell whether the endpoint takes requests.

        Raises:
            EndpointWaitError: When what it was to serve has failed.
        """
        self._last = described
        if described.is_ready and not described.is_updating:
            return True
        update = None if described.state is None else described.state.config_update
        if update in _FAILED and not described.is_ready:
            raise self._error(f"will not become ready: {update}", now)
        return False

    def forgive(self, error: ServingError) -> None:
        """Raise an error of a question, unless it may pass."""
        if not isinstance(error, _PASSING):
            raise error

    def pause(self, now: float, rand: float) -> float:
        """Return the seconds to wait before the next question; `rand` is from 0 to 1."""
        self._asked += 1
        return min(min(self._asked, _LONGEST_PAUSE) + rand, self.left(now))

    def _error(self, reason: str, now: float, *, timed_out: bool = False) -> EndpointWaitError:
        reasons = tuple(_reasons(self._last))
        state = self._last.state if self._last else None
        details = f" ({'; '.join(reasons)})" if reasons else ""
        error = EndpointWaitError(
            f"endpoint {self._name!r} {reason}{details}",
            ready=state.ready if state else None,
            config_update=state.config_update if state else None,
            reasons=reasons,
            timed_out=timed_out,
        )
        error.endpoint = self._name
        error.elapsed = now - self._begun
        return error


def _reasons(described: ServingEndpoint | None) -> Iterator[str]:
    """Yield what the served entities say of themselves, those of a pending change first."""
    if described is None:
        return
    pending = described.pending_config
    entities = [*((pending.served_entities if pending else None) or ()), *described.served_entities]
    for entity in entities:
        message = entity.state.deployment_state_message if entity.state else None
        if message:
            yield f"{entity.name or entity.entity_name}: {message[:200]}"
