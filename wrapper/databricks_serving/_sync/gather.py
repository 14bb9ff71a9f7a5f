"""Several calls at once, in threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import copy_context
from typing import TypeVar

ResultT = TypeVar("ResultT")


def gather(jobs: Sequence[Callable[[], ResultT]], limit: int) -> list[ResultT]:
    """Do jobs, some at once, and return their results in the order of the jobs.

    When one fails no further one is begun, those that run are waited for, and its error is raised.

    Args:
        jobs: What to do.
        limit: How many to do at once, at least 1.
    """
    if min(limit, len(jobs)) <= 1:
        return [job() for job in jobs]
    with ThreadPoolExecutor(min(limit, len(jobs)), "databricks-serving") as pool:
        futures = [pool.submit(copy_context().run, job) for job in jobs]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]
