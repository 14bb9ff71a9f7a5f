"""Endpoints that scale up from zero: how they are told, and who asks whether they are up."""

import re
from http import HTTPStatus
from typing import Final

from databricks_serving._core.fork import fork_lock
from databricks_serving.options import ColdStart, RetryPolicy

# No document gives the body of such an answer: any of these words, at status 503, counts.
_WORDS: Final = re.compile(
    r"scal(?:ed?|ing)[ _-]+(?:up|from|to)(?![a-z])|not[ _](?:yet[ _])?ready(?![a-z])"
    r"|cold[ _-]start|(?:is|still)[ _](?:starting|loading)|(?:starting|warming|waking)[ _]up",
    re.IGNORECASE,
)
# Seconds between two questions, and between two looks at whether another call got an answer.
_POLLS: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
_LOOK: Final = 0.5
_JITTER: Final = 0.1


def is_cold_start(status: int, code: str | None, message: str) -> bool:
    """Tell whether an error says that the endpoint is scaling up from zero."""
    if status != HTTPStatus.SERVICE_UNAVAILABLE:
        return False
    return _WORDS.search(f"{code or ''} {message}") is not None


class Probers:
    """Who asks a sleeping endpoint whether it is up, so that a crowd of calls asks once."""

    __slots__ = ("_lock", "_probers")

    def __init__(self) -> None:
        self._lock = fork_lock()
        self._probers: dict[str, object] = {}

    def lead(self, endpoint: str, who: object) -> bool:
        """Become the prober of an endpoint, unless another is."""
        with self._lock:
            return self._probers.setdefault(endpoint, who) is who

    def others(self, endpoint: str, who: object) -> bool:
        """Tell whether another is the prober."""
        return self._probers.get(endpoint, who) is not who

    def leave(self, endpoint: str, who: object) -> None:
        """Be the prober no more."""
        with self._lock:
            if self._probers.get(endpoint) is who:
                del self._probers[endpoint]


class ColdWait:
    """How long one call waits for an endpoint that scales up from zero.

    Args:
        endpoint: Name of the endpoint.
        policy: For how long, and whom to tell.
        probers: Who asks.
    """

    __slots__ = ("_endpoint", "_policy", "_polls", "_probers", "_since")

    def __init__(self, endpoint: str, policy: RetryPolicy, probers: Probers) -> None:
        self._endpoint = endpoint
        self._policy = policy
        self._probers = probers
        self._polls = 0
        self._since: float | None = None

    @property
    def must_look(self) -> bool:
        """Whether to wait for another call that asks, instead of asking."""
        waits = self._policy.cold_start_timeout > 0
        return waits and self._probers.others(self._endpoint, self)

    def look(self, now: float, rand: float) -> float | None:
        """Return the seconds until the next look at the other call; None when time is up."""
        step = _LOOK * (1 + rand)
        return step if self._has_time(now, step) else None

    def poll(self, message: str, asked: float | None, now: float, rand: float) -> float | None:
        """Return the seconds until the next question; None when time is up.

        Args:
            message: What the endpoint said last.
            asked: Seconds that it asked to wait.
            now: The monotonic time.
            rand: A random number from 0 to 1.
        """
        self._probers.lead(self._endpoint, self)
        wait = _POLLS[min(self._polls, len(_POLLS) - 1)] * (1 + _JITTER * rand)
        wait = max(wait, asked or 0.0)
        if not self._has_time(now, wait):
            return None
        self._polls += 1
        if self._policy.on_cold_start is not None:
            elapsed = now - self._begun(now)
            self._policy.on_cold_start(ColdStart(self._endpoint, elapsed, wait, message))
        return wait

    def leave(self) -> None:
        """Wait no more."""
        if self._since is not None:
            self._probers.leave(self._endpoint, self)

    def _has_time(self, now: float, wait: float) -> bool:
        return now + wait <= self._begun(now) + self._policy.cold_start_timeout

    def _begun(self, now: float) -> float:
        """Return when the wait began, which is now if it had not."""
        if self._since is None:
            self._since = now
        return self._since
