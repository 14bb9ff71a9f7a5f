"""Tasks that are cancelled, once or twice, at any moment: no place of the pool is lost."""

import asyncio
import random
import time

import pytest
from raw_server import chunked, response

from databricks_serving._http.async_sender import AsyncSender
from databricks_serving._http.connections import Connections
from databricks_serving.options import Limits

PLACES = 4


def slow(seconds):
    def answer(connection):
        time.sleep(seconds)
        connection.sendall(chunked(b"ab"))

    return answer


@pytest.fixture
def sender():
    return AsyncSender(None, Connections(limits=Limits(connections=PLACES)))


def pool_of(sender):
    (home,) = sender._homes.values()
    return home.pool


async def cancel_twice(task):
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def check_pool(sender, request, phases):
    """Check that nothing is stuck, and that all places can be had at once."""
    pool = pool_of(sender)
    assert not pool.slots.waiting
    assert pool.slots.in_use == 0
    held = await asyncio.gather(*(sender.send(request, phases(request)) for _ in range(PLACES)))
    for one in held:
        assert (await one.read()).body == b"ab"
    assert not pool.slots.waiting


@pytest.mark.parametrize("turns", range(12))
def test_a_send_cancelled_twice_leaves_nothing_behind(serve, build, phases, sender, turns):
    server = serve(then=slow(0.05))
    request = build(server.host)

    async def main():
        tasks = [asyncio.create_task(sender.send(request, phases(request))) for _ in range(8)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks:
            await cancel_twice(task)
        await check_pool(sender, request, phases)
        await sender.close()

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["read", "close", "chunks"])
def test_an_answer_cancelled_twice_leaves_nothing_behind(serve, build, phases, sender, verb):
    cut = chunked(b"ab", ends=False)
    server = serve(*[cut] * 6, then=chunked(b"ab"))
    request = build(server.host)

    async def use(exchange):
        if verb == "read":
            await exchange.read()
        elif verb == "close":
            try:
                await asyncio.sleep(1)
            finally:
                await exchange.close()
        else:
            try:
                async for _ in exchange.chunks():
                    pass
            finally:
                await exchange.close()

    async def main():
        for _ in range(6):
            exchange = await sender.send(request, phases(request))
            task = asyncio.create_task(use(exchange))
            await asyncio.sleep(0.01)
            await cancel_twice(task)
        await check_pool(sender, request, phases)
        await sender.close()

    asyncio.run(main())


def test_a_storm_of_cancellations_loses_no_place(serve, build, phases, sender):
    server = serve(then=slow(0.01))
    request = build(server.host)
    chance = random.Random(0)  # noqa: S311 - the same storm each time

    async def one():
        return await (await sender.send(request, phases(request))).read()

    async def main():
        for _ in range(15):
            tasks = [asyncio.create_task(one()) for _ in range(20)]
            for task in tasks:
                asyncio.get_running_loop().call_later(chance.uniform(0, 0.03), task.cancel)
            await asyncio.gather(*tasks, return_exceptions=True)
        await check_pool(sender, request, phases)
        await sender.close()

    asyncio.run(main())


def test_a_timeout_of_the_callers_is_not_swallowed(serve, build, phases, sender):
    server = serve(slow(0.5), then=response(b"ab"))
    request = build(server.host)

    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await sender.send(request, phases(request))
        await check_pool(sender, request, phases)
        await sender.close()

    asyncio.run(main())
