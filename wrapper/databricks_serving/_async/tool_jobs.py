"""Calls of tools, as tasks and in threads."""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import anyio.to_thread

from databricks_serving._async.gather import gather
from databricks_serving._core.tools.loop import MOST_AT_ONCE, Job, Outcome

# Whether `async` functions can be called.
IS_ASYNC: Final = True


async def perform(
    jobs: Sequence[Job], monotonic: Callable[[], float], *, parallel: bool
) -> list[Outcome]:
    """Call tools, and return how the calls ended, in their order.

    A function that is not `async` runs in a thread, which a cancellation does not wait for.
    """
    return await gather(
        [partial(_outcome, job, monotonic) for job in jobs], MOST_AT_ONCE if parallel else 1
    )


async def _outcome(job: Job, monotonic: Callable[[], float]) -> Outcome:
    if job.fault is not None:
        return Outcome(None, job.fault, 0.0)
    started = monotonic()
    value, failure = None, None
    try:
        if job.is_async:
            value = job.begin()
        else:
            value = await anyio.to_thread.run_sync(job.begin, abandon_on_cancel=True)
        if inspect.isawaitable(value):
            value = await value
    except Exception as error:  # noqa: BLE001 - whatever a tool raises is for the model
        failure = error
    return Outcome(value, failure, monotonic() - started)
