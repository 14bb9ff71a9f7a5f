"""Rate limits: buckets of queries and tokens that fill up as time goes by."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock
from typing import Any, Final

from databricks_serving.local.errors import RefusedError, retry_header
from databricks_serving.local.jsontypes import Json, is_list, is_object

_SECONDS: Final[Mapping[str, float]] = {"second": 1.0, "minute": 60.0}
_WHAT: Final = ("queries", "tokens")
NAMES: Final = tuple(f"{what}_per_{period}" for what in _WHAT for period in _SECONDS)
# About what tokenizers make of text in English.
_BYTES_PER_TOKEN: Final = 4


@dataclass(slots=True)
class Bucket:
    """So many of something in each period; full at first.

    Args:
        capacity: Most that can be taken at once, and what one period brings.
        period: Seconds.
        level: What is in it; below 0 after more was used than was foreseen.
        updated: When `level` was right.
    """

    capacity: float
    period: float
    level: float
    updated: float

    def missing(self, amount: float, now: float) -> float | None:
        """Return the seconds until an amount can be taken, 0 for now, None for never."""
        gained = (now - self.updated) * self.capacity / self.period
        self.level, self.updated = min(self.level + gained, self.capacity), now
        if amount > self.capacity:
            return None
        return max(amount - self.level, 0.0) * self.period / self.capacity

    def take(self, amount: float) -> None:
        """Take an amount out of it, or a negative one back into it."""
        self.level = min(self.level - amount, self.capacity)


class Limiter:
    """The rate limits of one endpoint.

    Args:
        limits: How many `queries_per_minute`, `tokens_per_second` and so on.
        retry_after: Whether refusals say how long to wait.
        now: The monotonic time.
    """

    def __init__(self, limits: Mapping[str, float], now: float, *, retry_after: bool) -> None:
        self._retry_after = retry_after
        self._lock = Lock()
        self._buckets: Sequence[tuple[str, Bucket]] = [
            (name, Bucket(limit, _SECONDS[name.rpartition("_")[2]], limit, now))
            for name, limit in limits.items()
        ]

    def charge(self, endpoint: str, request: Json, now: float) -> int:
        """Count a request, with the tokens that it may use at most.

        Returns:
            The tokens counted, for `settle`.

        Raises:
            RefusedError: With status 429; nothing was counted then.
        """
        tokens = tokens_of(request)
        with self._lock:
            for name, bucket in self._buckets:
                wait = bucket.missing(_amount(name, tokens), now)
                if wait != 0:
                    raise self._refusal(name, endpoint, wait)
            for name, bucket in self._buckets:
                bucket.take(_amount(name, tokens))
        return tokens

    def settle(self, counted: int, used: int) -> None:
        """Correct the tokens of a request to what it has used."""
        with self._lock:
            for name, bucket in self._buckets:
                bucket.take(_amount(name, used) - _amount(name, counted))

    def _refusal(self, name: str, endpoint: str, wait: float | None) -> RefusedError:
        limit = name.replace("_", " ")
        return RefusedError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "REQUEST_LIMIT_EXCEEDED",
            f"REQUEST_LIMIT_EXCEEDED: Exceeded {limit} rate limit for {endpoint}.",
            headers=retry_header(wait if self._retry_after else None),
        )


def _amount(name: str, tokens: int) -> float:
    return tokens if name.startswith("tokens") else 1.0


def tokens_of(request: Json) -> int:
    """Estimate the tokens of a request: its texts, and what its answer may have."""
    # fact: the most that an answer may have is counted in advance, and given back later.
    asked = request.get("max_tokens") or request.get("max_completion_tokens") or 0
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in _texts(request))
    return -(-size // _BYTES_PER_TOKEN) + (asked if isinstance(asked, int) else 0)


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif is_list(one) or is_object(one):
            waiting += one.values() if is_object(one) else one
