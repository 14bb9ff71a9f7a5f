"""Calls of tools, in threads."""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from databricks_serving._core.tools.loop import MOST_AT_ONCE, Job, Outcome
from databricks_serving._sync.gather import gather

# Whether `async` functions can be called.
IS_ASYNC: Final = False


def perform(
    jobs: Sequence[Job], monotonic: Callable[[], float], *, parallel: bool
) -> list[Outcome]:
    """Call tools, and return how the calls ended, in their order."""
    return gather(
        [partial(_outcome, job, monotonic) for job in jobs], MOST_AT_ONCE if parallel else 1
    )


def _outcome(job: Job, monotonic: Callable[[], float]) -> Outcome:
    if job.fault is not None:
        return Outcome(None, job.fault, 0.0)
    started = monotonic()
    value, failure = None, None
    try:
        value = _settled(job.begin())
    except Exception as error:  # noqa: BLE001 - whatever a tool raises is for the model
        failure = error
    return Outcome(value, failure, monotonic() - started)


def _settled(value: Any) -> Any:
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise TypeError("the tool returned something to await; use AsyncServingClient")
    return value
