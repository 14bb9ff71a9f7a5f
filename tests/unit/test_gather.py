"""Several calls at once: in order, bounded, and stopped by the first that fails."""

import asyncio
import threading
from contextvars import ContextVar
from functools import partial

import anyio
import anyio.lowlevel
import pytest

from databricks_serving._async.gather import gather as gather_tasks
from databricks_serving._sync.gather import gather as gather_threads

ASKER = ContextVar("asker", default="nobody")


class Threads:
    """Jobs as functions, which meet at a barrier."""

    def meeting(self, count):
        barrier = threading.Barrier(count)
        return lambda: barrier.wait(10) >= 0

    def run(self, jobs, limit):
        return gather_threads(jobs, limit)

    def job(self, function):
        return function


class Tasks:
    """Jobs as coroutines, which meet when the last of them has come."""

    def __init__(self, backend):
        self._backend = backend

    def meeting(self, count):
        come = []
        all_here = anyio.Event()

        async def meet():
            come.append(1)
            if len(come) == count:
                all_here.set()
            with anyio.fail_after(10):
                await all_here.wait()
            return True

        return meet

    def run(self, jobs, limit):
        return anyio.run(gather_tasks, jobs, limit, backend=self._backend)

    def job(self, function):
        async def run():
            await anyio.lowlevel.checkpoint()
            return function()

        return run


@pytest.fixture(
    params=[Threads, partial(Tasks, "asyncio"), partial(Tasks, "trio")],
    ids=["threads", "asyncio", "trio"],
)
def way(request):
    return request.param()


def test_results_come_in_the_order_of_the_jobs(way):
    jobs = [way.job(partial(str, number)) for number in range(50)]
    assert way.run(jobs, 7) == [str(number) for number in range(50)]


def test_no_jobs_have_no_results(way):
    assert way.run([], 3) == []


def test_as_many_jobs_run_at_once_as_may(way):
    assert way.run([way.meeting(4)] * 4, 4) == [True] * 4


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_jobs_run_at_once_than_may(way, limit):
    running, most = [], []

    def job():
        running.append(1)
        most.append(len(running))
        running.pop()

    way.run([way.job(job)] * 20, limit)
    assert max(most) <= limit


@pytest.mark.parametrize("limit", [1, 2])
def test_the_first_failure_stops_the_rest(way, limit):
    begun = []

    def job(number):
        begun.append(number)
        if number == 1:
            raise KeyError("the second")

    with pytest.raises(KeyError, match="the second"):
        way.run([way.job(partial(job, number)) for number in range(200)], limit)
    assert len(begun) < 200


def test_jobs_see_the_context_of_the_caller(way):
    token = ASKER.set("me")
    try:
        assert way.run([way.job(ASKER.get)] * 3, 3) == ["me"] * 3
    finally:
        ASKER.reset(token)


def test_a_task_that_cancels_itself_is_not_taken_for_one_that_ended():
    others = []

    async def cancelling():
        await anyio.lowlevel.checkpoint()
        raise anyio.get_cancelled_exc_class()

    async def waiting():
        try:
            await anyio.sleep(10)
        finally:
            others.append("stopped")

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(gather_tasks([waiting, cancelling], 2))
    assert others == ["stopped"]


def test_a_ctrl_c_waits_for_nobody():
    started, go_on = threading.Event(), threading.Event()

    def hanging():
        started.set()
        return go_on.wait(20)

    def interrupted():
        started.wait(10)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gather_threads([hanging, interrupted], 2)
    assert not go_on.is_set()
    go_on.set()
