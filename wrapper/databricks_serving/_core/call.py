"""One call: its tries, its deadline, and what its errors know of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol, TypeVar

from databricks_serving._core.access import Pass
from databricks_serving._core.cold_start import ColdWait, Probers
from databricks_serving._core.hints import hint_for
from databricks_serving._core.logs import TryRecord
from databricks_serving._core.phases import Phases
from databricks_serving._core.quota import RetryQuota
from databricks_serving._core.requests import Request
from databricks_serving._core.retry import (
    Outcome,
    cost_of,
    is_refused_token,
    is_retryable,
    outcome_of,
    wait_after,
)
from databricks_serving._core.scrub import scrub
from databricks_serving._trail import Attempt
from databricks_serving.errors import (
    APITimeoutError,
    EndpointNotReadyError,
    ServingError,
)
from databricks_serving.options import RetryPolicy
from databricks_serving_api.types import ReplyMeta


class Answer(Protocol):
    """What a try gives: something that came with status and headers."""

    @property
    def meta(self) -> ReplyMeta | None:
        """Status and headers of the response."""
        ...


AnswerT = TypeVar("AnswerT", bound=Answer)
# Seconds to wait, or None and what stopped the call.
Verdict = tuple[float | None, str | None]


@dataclass(frozen=True, slots=True)
class Shared:
    """What all calls of a client and of its copies share."""

    quota: RetryQuota = field(default_factory=RetryQuota)
    probers: Probers = field(default_factory=Probers)


@dataclass(frozen=True, slots=True)
class World:
    """What a call needs from the outside, and a test replaces."""

    monotonic: Callable[[], float]
    rand: Callable[[], float]
    observe: Callable[[TryRecord], None]


class Call:
    """Decides what follows each try of a call; the shells send and sleep.

    Args:
        request: What is sent.
        policy: When to try again.
        shared: The retry quota and the probers of the client.
        world: Clock, chance and log.
    """

    __slots__ = (
        "_cold",
        "_deadline",
        "_history",
        "_pass",
        "_policy",
        "_refund",
        "_renewed",
        "_replaced",
        "_request",
        "_reruns",
        "_resume",
        "_retries",
        "_shared",
        "_started",
        "_tries",
        "_try_started",
        "_world",
    )

    def __init__(self, request: Request, policy: RetryPolicy, shared: Shared, world: World) -> None:
        self._request = request
        self._policy = policy
        self._shared = shared
        self._world = world
        self._started = self._try_started = self._resume = world.monotonic()
        total = request.timeouts.total
        self._deadline = None if total is None else self._started + total
        self._history: list[Attempt] = []
        self._tries = self._retries = self._reruns = self._refund = 0
        self._replaced = self._renewed = False
        self._pass: Pass | None = None
        self._cold = ColdWait(request.endpoint, policy, shared.probers)

    @property
    def request(self) -> Request:
        """What is sent, as it was last signed."""
        return self._request

    @property
    def until(self) -> float | None:
        """The monotonic time at which the call is over; None for never."""
        return self._deadline

    def signed(self, by: Pass) -> Request:
        """Return the request of the next try with what authorises it."""
        if by is not self._pass:
            self._pass = by
            self._request = self._request.signed(by)
        return self._request

    def pause(self) -> float:
        """Return the seconds to wait before the next look or try; 0 means now.

        Raises:
            EndpointNotReadyError: When the endpoint is still asleep after the time for that.
        """
        now = self._world.monotonic()
        if not self._cold.must_look:
            return max(self._resume - now, 0.0)
        # The other call's answer is worth asking at once.
        self._resume = now
        wait, stopped_by = self._in_time(
            self._cold.look(now, self._world.rand()), "cold_start", now
        )
        if wait is None:
            raise self._asleep(stopped_by)
        return wait

    def phases(self) -> Phases:
        """Begin a try; return its timeouts."""
        self._tries += 1
        self._try_started = self._world.monotonic()
        return Phases(self._request.timeouts, self._deadline, self._world.monotonic)

    def succeeded(self, meta: ReplyMeta | None) -> None:
        """Take note that the try gave an answer."""
        self._shared.quota.give(self._request.endpoint, self._refund)
        if self._renewed and self._pass is not None:
            self._pass.accept()
        status, request_id = (meta.status_code, meta.request_id) if meta else (None, None)
        self._observe(status, request_id)

    def again(self, error: ServingError) -> bool:
        """Decide whether to try again after an error, which is told what is known of the call."""
        now = self._world.monotonic()
        wait, error.retry_stopped_by = self._decide(error, now)
        self._note(error, now, wait)
        if wait is None:
            self._describe(error)
            return False
        self._resume = now + wait
        return True

    def interrupted(self, error: ServingError) -> None:
        """Take note of an error after the answer had begun, and tell it what is known."""
        self._note(error, self._world.monotonic(), None)
        self._describe(error)

    def leave(self) -> None:
        """End the call, however it ended."""
        self._cold.leave()

    def _note(self, error: ServingError, now: float, wait: float | None) -> None:
        scrub(error, self._request.reading.secrets)
        cause = _cause_of(error)
        self._history.append(Attempt(cause, now - self._started, wait, error.request_id))
        self._observe(getattr(error, "status_code", None), error.request_id, cause, wait)

    def _describe(self, error: ServingError) -> None:
        request = self._request
        error.endpoint = request.endpoint
        error.idempotency_key = request.call_id
        error.request = request.trail()
        error.history = tuple(self._history)
        error.attempts = self._tries
        error.elapsed = self._world.monotonic() - self._started
        error.retryable = is_retryable(error)
        error.hint = hint_for(error, request)

    def _decide(self, error: ServingError, now: float) -> Verdict:
        if self._renews(error) or self._replaces(error):
            return self._in_time(0.0, "deadline", now)
        outcome = outcome_of(error)
        if outcome == "permanent":
            return None, None
        if isinstance(error, EndpointNotReadyError) and self._policy.cold_start_timeout:
            wait = self._cold.poll(error.message, error.retry_after, now, self._world.rand())
            return self._in_time(wait, "cold_start", now)
        stopped_by = self._stopped_by(error, outcome, now)
        if stopped_by is not None:
            return None, stopped_by
        wait = wait_after(self._policy, error, self._retries, self._world.rand())
        verdict = self._in_time(wait, "retry_after", now)
        if verdict[1] is None and not self._pay(error, outcome):
            return None, "quota"
        return verdict

    def _in_time(self, wait: float | None, reason: str, now: float) -> Verdict:
        if wait is None:
            return None, reason
        return (None, "deadline") if self._is_over(now + wait) else (wait, None)

    def _pay(self, error: ServingError, outcome: Outcome) -> bool:
        cost = cost_of(error)
        if not self._shared.quota.take(self._request.endpoint, cost):
            return False
        self._refund += cost
        self._retries += 1
        self._reruns += outcome == "unknown"
        return True

    def _renews(self, error: ServingError) -> bool:
        """Tell whether another token is to be tried, which is free once."""
        if self._renewed or self._pass is None or not is_refused_token(error):
            return False
        self._renewed = self._pass.refuse()
        return self._renewed

    def _stopped_by(self, error: ServingError, outcome: Outcome, now: float) -> str | None:
        if self._retries >= self._policy.max_retries:
            return "retries"
        if outcome == "unknown" and not self._has_reruns:
            return "reruns"
        if outcome == "unknown" and not self._has_time_like(error, now):
            return "deadline"
        return None

    def _replaces(self, error: ServingError) -> bool:
        """Tell whether a dead connection is to be replaced, which is free once."""
        if self._replaced or not self._policy.max_retries or not getattr(error, "stale", False):
            return False
        self._replaced = not error.maybe_executed or self._has_reruns
        return self._replaced

    @property
    def _has_reruns(self) -> bool:
        return self._request.idempotent and self._reruns < self._policy.max_reruns

    def _has_time_like(self, error: ServingError, now: float) -> bool:
        """Tell whether another wait fits that is as long as one that was in vain."""
        slow = isinstance(error, APITimeoutError)
        return not slow or not self._is_over(now + (now - self._try_started))

    def _is_over(self, then: float) -> bool:
        return self._deadline is not None and then >= self._deadline

    def _asleep(self, stopped_by: str | None) -> EndpointNotReadyError:
        error = EndpointNotReadyError(
            "the endpoint is still scaling up from zero", status_code=HTTPStatus.SERVICE_UNAVAILABLE
        )
        error.retry_stopped_by = stopped_by
        self._describe(error)
        return error

    def _observe(
        self,
        status: int | None,
        request_id: str | None,
        cause: str | None = None,
        wait: float | None = None,
    ) -> None:
        took = self._world.monotonic() - self._try_started
        self._world.observe(
            TryRecord(self._request, self._tries, took, status, request_id, cause, wait)
        )


def _cause_of(error: ServingError) -> str:
    detail = getattr(error, "status_code", None) or getattr(error, "phase", None) or ""
    return f"{type(error).__name__} {detail}".strip()
