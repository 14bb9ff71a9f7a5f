"""How much extra load retries may put on an endpoint that fails for everybody.

The figures are those of the AWS clients' standard mode: a burst of some 35 retries, then few more
than one for every fourteen calls that succeed.
"""

from typing import Final

from databricks_serving._core.fork import fork_lock

CAPACITY: Final = 500
TRANSIENT_COST: Final = 14
THROTTLING_COST: Final = 5
_EARNED: Final = 1


class RetryQuota:
    """Tokens that retries cost and successes earn, per endpoint."""

    __slots__ = ("_lock", "_tokens")

    def __init__(self) -> None:
        self._lock = fork_lock()
        # Endpoints whose quota is full are not listed.
        self._tokens: dict[str, int] = {}

    def take(self, endpoint: str, cost: int) -> bool:
        """Pay for a retry; False if there is not enough left, and nothing is paid."""
        with self._lock:
            left = self._tokens.get(endpoint, CAPACITY) - cost
            if left < 0:
                return False
            self._tokens[endpoint] = left
            return True

    def give(self, endpoint: str, refund: int) -> None:
        """Take note of a success: what its retries had cost comes back, or a little is earned."""
        if endpoint not in self._tokens:
            return
        with self._lock:
            tokens = self._tokens.get(endpoint, CAPACITY) + (refund or _EARNED)
            if tokens < CAPACITY:
                self._tokens[endpoint] = tokens
            else:
                self._tokens.pop(endpoint, None)
