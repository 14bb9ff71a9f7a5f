"""The tries of one call: how often, how long, and what the final error knows about it."""

from databricks_serving._core.retry import RetryPolicy, is_retryable
from databricks_serving.errors import ServingError


class Attempts:
    """Counts the tries of one call.

    Args:
        policy: When to try again.
        endpoint: Name of the endpoint, for the error.
        started: The monotonic time at the start of the call, in seconds.
    """

    __slots__ = ("_count", "_endpoint", "_policy", "_started")

    def __init__(self, policy: RetryPolicy, endpoint: str, started: float) -> None:
        self._policy = policy
        self._endpoint = endpoint
        self._started = started
        self._count = 1

    def delay_after(self, error: ServingError, now: float) -> float | None:
        """Return the seconds to wait before the next try; None makes the error final.

        The error is given what is known of the call either way.

        Args:
            error: How the last try ended.
            now: The monotonic time, in seconds.
        """
        self.describe(error, now)
        delay = self._policy.delay_after(error, self._count - 1)
        if delay is not None:
            self._count += 1
        return delay

    def describe(self, error: ServingError, now: float) -> None:
        """Tell an error which call it ended."""
        error.endpoint = self._endpoint
        error.attempts = self._count
        error.elapsed = now - self._started
        error.retryable = is_retryable(error)
