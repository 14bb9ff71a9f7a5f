"""Several calls at once, as tasks."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

ResultT = TypeVar("ResultT")


async def gather(jobs: Sequence[Callable[[], Awaitable[ResultT]]], limit: int) -> list[ResultT]:
    """Do jobs, some at once, and return their results in the order of the jobs.

    When one fails the others are cancelled, and its error is raised.

    Args:
        jobs: What to do.
        limit: How many to do at once, at least 1.
    """
    if min(limit, len(jobs)) <= 1:
        return [await job() for job in jobs]
    results: dict[int, ResultT] = {}
    failures: list[Exception] = []
    cancelled: list[BaseException] = []
    waiting = iter(enumerate(jobs))

    async def work() -> None:
        try:
            for position, job in waiting:
                results[position] = await job()
        except Exception as error:  # noqa: BLE001 - raised below, outside the group of tasks
            failures.append(error)
            group.cancel_scope.cancel()
        except anyio.get_cancelled_exc_class() as error:
            # A job may have cancelled itself, of which the group would tell nobody.
            cancelled.append(error)
            group.cancel_scope.cancel()
            raise

    async with anyio.create_task_group() as group:
        for _ in range(min(limit, len(jobs))):
            group.start_soon(work)
    for error in [*failures, *cancelled][:1]:
        raise error
    return [results[position] for position in range(len(jobs))]
