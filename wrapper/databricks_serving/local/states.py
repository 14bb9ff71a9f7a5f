"""What states an endpoint goes through, and what it answers meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final, Literal, TypeAlias

from databricks_serving.local.errors import RefusedError, bad_request, unavailable
from databricks_serving.local.jsontypes import Json


class EndpointState(StrEnum):
    """How an endpoint is.

    `ready` and `not_ready` are what they say. `failed`: what it was to serve did not come up.
    `stopped`: somebody stopped it. `disabled`: the platform has set its limit to 0; it is ready and
    refuses all the same. `asleep`: scaled to zero, ready, and woken up by the next call.
    """

    READY = "ready"
    NOT_READY = "not_ready"
    FAILED = "failed"
    STOPPED = "stopped"
    DISABLED = "disabled"
    ASLEEP = "asleep"


StateName: TypeAlias = Literal["ready", "not_ready", "failed", "stopped", "disabled", "asleep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """How an endpoint scales to zero, and up again.

    Attributes:
        seconds: How long it takes to come up.
        idle: Seconds without a call after which it sleeps; None: it sleeps when told to.
        answer: `unavailable`: it answers 503 until it is up. `slow`: calls wait that long.
        retry_after: Whether the 503 says how long to wait.
    """

    seconds: float = 2.0
    idle: float | None = None
    answer: Literal["unavailable", "slow"] = "unavailable"
    retry_after: bool = False


_DEPLOYMENT: Final[Mapping[EndpointState, tuple[str, str, str]]] = {
    EndpointState.NOT_READY: ("NOT_READY", "IN_PROGRESS", "DEPLOYMENT_CREATING"),
    EndpointState.FAILED: ("NOT_READY", "UPDATE_FAILED", "DEPLOYMENT_FAILED"),
    EndpointState.STOPPED: ("NOT_READY", "NOT_UPDATING", "DEPLOYMENT_ABORTED"),
}
_READY: Final = ("READY", "NOT_UPDATING", "DEPLOYMENT_READY")


class Lifecycle:
    """The state of one endpoint; each question is told the time.

    Args:
        state: How it is now.
        now: The monotonic time.
        ready_after: Seconds until it is ready, where it is `not_ready`; None: never.
        message: What its deployment says of itself.
        cold_start: How it scales to zero.
    """

    def __init__(
        self,
        state: EndpointState,
        now: float,
        *,
        ready_after: float | None = None,
        message: str | None = None,
        cold_start: ColdStart | None = None,
    ) -> None:
        self._cold = cold_start
        self.enter(state, now, ready_after=ready_after, message=message)

    def enter(
        self,
        state: EndpointState,
        now: float,
        *,
        ready_after: float | None = None,
        message: str | None = None,
    ) -> None:
        """Go to another state."""
        self._state = state
        self._message = message or ""
        self._ready_at = None if ready_after is None else now + ready_after
        self._up_at = 0.0
        self._used_at = now

    def state(self, now: float) -> EndpointState:
        """Return how it is."""
        if self._state is EndpointState.NOT_READY and self._is_over(self._ready_at, now):
            self.enter(EndpointState.READY, now)
        idle = self._cold.idle if self._cold else None
        if (
            self._state is EndpointState.READY
            and idle is not None
            and now >= max(self._used_at, self._up_at) + idle
        ):
            self._state = EndpointState.ASLEEP
        return self._state

    def description(self, now: float) -> tuple[Json, Json]:
        """Return what the workspace says of the endpoint, and of its deployment."""
        state = self.state(now)
        ready, update, deployment = _DEPLOYMENT.get(state, _READY)
        described = {"ready": ready, "config_update": update}
        return described, {"deployment": deployment, "deployment_state_message": self._message}

    def admit(self, name: str, now: float) -> float:
        """Let a call in.

        Args:
            name: Name of the endpoint, for the refusal.
            now: The monotonic time.

        Returns:
            The seconds to wait before the answer.

        Raises:
            RefusedError: The endpoint takes no calls now.
        """
        state = self.state(now)
        if state not in {EndpointState.READY, EndpointState.ASLEEP}:
            raise _refusal(state, name)
        self._used_at = now
        cold = self._cold or ColdStart()
        if state is EndpointState.ASLEEP:
            self._state, self._up_at = EndpointState.READY, now + cold.seconds
        left = max(self._up_at - now, 0.0)
        if left and cold.answer == "unavailable":
            text = f"Endpoint '{name}' is scaling up from zero. Try again later."
            raise unavailable(text, left if cold.retry_after else None)
        return left

    @staticmethod
    def _is_over(moment: float | None, now: float) -> bool:
        return moment is not None and now >= moment


def _refusal(state: EndpointState, name: str) -> RefusedError:
    # fact: an endpoint that is stopped answers 400, one with a limit of 0 answers 403; nobody has
    # published what the others answer.
    if state is EndpointState.STOPPED:
        return bad_request(f"endpoint '{name}' is stopped")
    if state is EndpointState.FAILED:
        return bad_request(f"endpoint '{name}' is not ready: its deployment failed")
    if state is EndpointState.DISABLED:
        return RefusedError(
            HTTPStatus.FORBIDDEN,
            "PERMISSION_DENIED",
            "PERMISSION_DENIED: The endpoint is temporarily disabled due to a Databricks-set rate "
            "limit of 0.",
        )
    return unavailable(f"Endpoint '{name}' is not ready: it is being deployed.")
