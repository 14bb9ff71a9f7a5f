"""Several calls at once, in threads."""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import TypeVar

ResultT = TypeVar("ResultT")


def gather(jobs: Sequence[Callable[[], ResultT]], limit: int) -> list[ResultT]:
    """Do jobs, some at once, and return their results in the order of the jobs.

    When one fails no further one is begun, those that run are waited for, and its error is raised.
    A Ctrl-C waits for none: those that run go on in their threads.

    Args:
        jobs: What to do.
        limit: How many to do at once, at least 1.
    """
    if min(limit, len(jobs)) <= 1:
        return [job() for job in jobs]
    from concurrent.futures import (  # noqa: PLC0415 - single calls need no threads
        ThreadPoolExecutor,
        as_completed,
    )

    pool = ThreadPoolExecutor(min(limit, len(jobs)), "databricks-serving")
    waits = False
    try:
        futures = [pool.submit(copy_context().run, job) for job in jobs]
        for future in as_completed(futures):
            future.result()
        waits = True
    except Exception:
        waits = True
        raise
    finally:
        pool.shutdown(wait=waits, cancel_futures=True)
    return [future.result() for future in futures]
