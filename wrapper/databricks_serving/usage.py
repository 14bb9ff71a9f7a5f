"""What calls have used: tokens counted by endpoint and by served model."""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

__all__ = ["UsageMeter", "UsageTotals"]

# Under which name each task counts, the reasoning in an object of its own.
_PROMPT: Final = ("prompt_tokens", "input_tokens")
_COMPLETION: Final = ("completion_tokens", "output_tokens")
_TOTAL: Final = ("total_tokens",)


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """Tokens of several calls; each sum leaves out what a server did not count.

    Attributes:
        calls: Number of answers, streams that broke after they had begun included.
        uncounted: Those of them whose server counted no tokens.
        prompt_tokens: Tokens sent; whether cached ones are among them depends on the family.
        completion_tokens: Tokens generated, reasoning included.
        total_tokens: The servers' totals, or where there is none the sum of both.
        cached_tokens: Prompt tokens read from a cache.
        thinking_tokens: Generated tokens that were reasoning.
    """

    calls: int = 0
    uncounted: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0
    thinking_tokens: int = 0

    def __add__(self, other: "UsageTotals") -> "UsageTotals":
        return UsageTotals(
            *(getattr(self, name) + getattr(other, name) for name in UsageTotals.__slots__)
        )

    @classmethod
    def of(cls, usage: Any) -> "UsageTotals":
        """Return the totals of one answer.

        Args:
            usage: What its server counted, as a reply shows it; None if it counted nothing.
        """
        prompt, completion = _first(usage, _PROMPT), _first(usage, _COMPLETION)
        total = _first(usage, _TOTAL)
        if prompt is completion is total is None:
            return cls(calls=1, uncounted=1)
        return cls(
            calls=1,
            prompt_tokens=prompt or 0,
            completion_tokens=completion or 0,
            total_tokens=total or (prompt or 0) + (completion or 0),
            cached_tokens=_first(usage, ("cached_tokens",)) or 0,
            thinking_tokens=_first(usage, ("thinking_tokens",)) or 0,
        )


class UsageMeter:
    """Sums what calls used; one serves many threads and tasks.

    A client has one if it is made with `track_usage=True`. Whole answers count when they come,
    streams when they end or are closed; raw responses are not counted.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums: dict[tuple[str, str | None], UsageTotals] = {}

    def __repr__(self) -> str:
        return f"UsageMeter(total={self.total!r})"

    @property
    def total(self) -> UsageTotals:
        """Of all calls."""
        return _sum(self.by_served_model.values())

    @property
    def by_endpoint(self) -> dict[str, UsageTotals]:
        """By the name of the endpoint that was called."""
        totals: dict[str, UsageTotals] = {}
        for (endpoint, _), one in self.by_served_model.items():
            totals[endpoint] = totals.get(endpoint, UsageTotals()) + one
        return totals

    @property
    def by_served_model(self) -> dict[tuple[str, str | None], UsageTotals]:
        """By endpoint and served model; that is None where the server did not name it."""
        with self._lock:
            return dict(self._sums)

    def add(self, endpoint: str, served_model: str | None, usage: Any) -> None:
        """Count one answer.

        Args:
            endpoint: Name of the endpoint.
            served_model: Name of the served model, if the server told.
            usage: What the server counted, as a reply shows it; None if it counted nothing.
        """
        spent, key = UsageTotals.of(usage), (endpoint, served_model)
        with self._lock:
            self._sums[key] = self._sums.get(key, UsageTotals()) + spent

    def reset(self) -> UsageTotals:
        """Begin at zero again, and return what had been counted."""
        with self._lock:
            counted, self._sums = self._sums, {}
        return _sum(counted.values())


def _sum(totals: Iterable[UsageTotals]) -> UsageTotals:
    return sum(totals, UsageTotals())


def _first(usage: object, names: Iterable[str]) -> int | None:
    # A server may send anything as a count, and the models keep it.
    counts = (getattr(usage, name, None) for name in names)
    return next((count for count in counts if type(count) is int), None)
