"""One endpoint while it is served: its settings with what has become of them."""

from collections.abc import Generator
from contextlib import closing

from databricks_serving.families import ModelFamily
from databricks_serving.local.config import ANY_FAMILY, EndpointPlan
from databricks_serving.local.jsontypes import Json, is_object
from databricks_serving.local.profiles import FAMILIES, family_of
from databricks_serving.local.rates import Limiter
from databricks_serving.local.script import Script
from databricks_serving.local.states import Lifecycle
from databricks_serving.local.tape import Tape
from databricks_serving.local.tasks import Task


class ServedEndpoint:
    """What an endpoint has beside what answers it.

    Args:
        name: Its name.
        plan: How it is to be served.
        now: The monotonic time.

    Attributes:
        name: Its name.
        task: What it does.
        family: The model family whose requests it takes; None for any.
        served_models: Names of what it serves, where they were given.
        lifecycle: How it is.
        limiter: How much it takes.
        script: What it answers, where that is scripted.
        tape: What it answers, where that was recorded.
    """

    def __init__(self, name: str, plan: EndpointPlan, now: float) -> None:
        self.name: str = name
        self.task: Task = plan.task
        self.family: ModelFamily | None = _family(name, plan)
        self.served_models: tuple[str, ...] = plan.served_models
        self.lifecycle: Lifecycle = Lifecycle(
            plan.state,
            now,
            ready_after=plan.ready_after,
            message=plan.state_message,
            cold_start=plan.cold_start,
        )
        self.limiter: Limiter = Limiter(plan.rate_limit or {}, now, retry_after=plan.retry_after)
        self.script: Script | None = Script(plan.script, name) if plan.script else None
        self.tape: Tape | None = (
            None
            if plan.recordings is None
            else Tape(plan.recordings, name, keep_timing=plan.keep_timing)
        )

    def settle(self, request_tokens: int, reply: Json) -> None:
        """Count what a reply has used instead of what it might have."""
        used = _used(reply)
        if used is not None:
            self.limiter.settle(request_tokens, used)

    def settled(
        self, request_tokens: int, events: Generator[Json, None, None]
    ) -> Generator[Json, None, None]:
        """Pass on events, and count what the last of them says was used."""
        last: Json = {}
        try:
            with closing(events):
                for event in events:
                    last = event if _used(event) is not None else last
                    yield event
        finally:
            self.settle(request_tokens, last)


def _used(reply: Json) -> int | None:
    usage = reply.get("usage")
    return usage.get("total_tokens") if is_object(usage) else None


def _family(name: str, plan: EndpointPlan) -> ModelFamily | None:
    if plan.task is not Task.CHAT or plan.family == ANY_FAMILY:
        return None
    return family_of(name) if plan.family is None else FAMILIES[plan.family]
