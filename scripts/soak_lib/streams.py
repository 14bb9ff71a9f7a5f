"""Many streams: all at once, broken off, and cancelled in a storm."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpcore2

from databricks_serving import AsyncServingClient, Limits, ServingClient
from soak_lib.measure import TOKEN, USER, Held, cpu, expect, rss, server
from soak_lib.server import CHUNKS

_MAX_MB = 150
_CPU_RATIO = 1.3
_FIRST_RATIO = 1.2
_GROWTH_MB = 5
_ROUNDS = 5


def concurrent(*, long: bool) -> str:
    """F-5: a thousand streams at once in one process."""
    count = 1000 if long else 200
    with server() as host:
        bare = asyncio.run(_measured(lambda: _bare(host, count, "stream")))
        ours = asyncio.run(_measured(lambda: _ours(host, count, "stream", CHUNKS)))
        first = _best_first(lambda: _ours(host, count, "brief", 1))
        bare_first = _best_first(lambda: _bare(host, count, "brief"))
    expect(ours.failed == 0, f"{ours.failed} of {count} streams failed")
    memory = rss()
    expect(memory <= _MAX_MB, f"{memory:.0f} MB resident")
    slower, work = first / bare_first, ours.cpu / bare.cpu
    expect(slower <= _FIRST_RATIO, f"the first chunk took {slower:.2f} of the bare transport's")
    expect(work <= _CPU_RATIO, f"CPU is {work:.2f} of the bare transport's")
    return (
        f"{count} streams of {CHUNKS} chunks: 0 failed, {memory:.0f} MB; first chunk of the "
        f"slowest hundredth {first:.2f} s, {slower:.2f} of the bare transport's; "
        f"CPU {ours.cpu:.1f} s, {work:.2f} of its"
    )


def _best_first(work: Callable[[], Awaitable[list[float]]]) -> float:
    """Return the time of the first chunk in the best of several rounds: the others had company."""
    return min(asyncio.run(_measured(work)).first for _ in range(_ROUNDS))


class _Measured:
    def __init__(self, first: list[float], taken: float) -> None:
        self.failed = sum(one < 0 for one in first)
        self.first = sorted(first)[int(len(first) * 0.99) - 1]
        self.cpu = taken


async def _measured(work: Callable[[], Awaitable[list[float]]]) -> _Measured:
    before = cpu()
    return _Measured(await work(), cpu() - before)


async def _ours(host: str, count: int, endpoint: str, expected: int) -> list[float]:
    limits = Limits(connections=count)
    async with AsyncServingClient(host, TOKEN, limits=limits, timeout=60) as client:
        # The first call of a process imports the models.
        await client.chat.completions.create(model="chat", messages=USER)

        async def one() -> float:
            started = time.monotonic()
            first = -1.0
            chunks = 0
            stream = await client.chat.completions.create(
                model=endpoint, messages=USER, stream=True
            )
            async for _ in stream:
                first = first if chunks else time.monotonic() - started
                chunks += 1
            return first if chunks == expected + 1 else -1.0

        return await asyncio.gather(*[one() for _ in range(count)])


async def _bare(host: str, count: int, endpoint: str) -> list[float]:
    url = f"{host}/serving-endpoints/{endpoint}/invocations"
    async with httpcore2.AsyncConnectionPool(max_connections=count) as pool:

        async def one() -> float:
            started = time.monotonic()
            first = -1.0
            async with pool.stream("POST", url, content=b"{}") as response:
                async for _ in response.aiter_stream():
                    first = first if first > 0 else time.monotonic() - started
            return first

        return await asyncio.gather(*[one() for _ in range(count)])


def aborted(*, long: bool) -> str:
    """F-9: streams that are broken off leave nothing behind."""
    count = 10_000 if long else 2000
    with server() as host:
        asyncio.run(_abort_async(host, 100))
        _abort_sync(host, 100)
        before, memory = Held.now(), rss()
        asyncio.run(_abort_async(host, count // 2))
        _abort_sync(host, count // 2)
        after, grown = Held.now(), rss() - memory
    expect(after == before, f"held {before} before and {after} after")
    expect(grown < _GROWTH_MB, f"memory grew by {grown:.1f} MB")
    return f"{count} streams broken off: files and threads as before, memory {grown:+.1f} MB"


async def _abort_async(host: str, count: int) -> None:
    source = random.Random(2)  # noqa: S311 - to be repeatable
    async with AsyncServingClient(host, TOKEN, limits=Limits(connections=10)) as client:

        async def one() -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(source.uniform(0.001, 0.02)):
                    stream = await client.chat.completions.create(
                        model="endless", messages=USER, stream=True
                    )
                    async with stream:
                        async for _ in stream:
                            if source.random() < 0.5:  # noqa: PLR2004 - half of them
                                break

        before = len(asyncio.all_tasks())
        for _ in range(count // 20):
            await asyncio.gather(*[one() for _ in range(20)])
        expect(len(asyncio.all_tasks()) == before, "tasks were left behind")
        await _all_slots_work(client)


def _abort_sync(host: str, count: int) -> None:
    with ServingClient(host, TOKEN, limits=Limits(connections=4)) as client:
        for _ in range(count):
            with client.chat.completions.create(
                model="endless", messages=USER, stream=True
            ) as stream:
                next(stream)
        client.chat.completions.create(model="chat", messages=USER, deadline=5)


async def _all_slots_work(client: AsyncServingClient) -> None:
    await asyncio.gather(
        *[
            client.chat.completions.create(model="chat", messages=USER, deadline=10)
            for _ in range(40)
        ]
    )


def storm(*, long: bool) -> str:
    """T-28: a storm of cancelled calls costs no slot of the pool."""
    rounds = 40 if long else 15
    with server() as host:
        asyncio.run(_storm(host, rounds))
    return f"{rounds} rounds of 40 calls cancelled at 0 to 60 ms: all 10 slots work"


async def _storm(host: str, rounds: int) -> None:
    source = random.Random(3)  # noqa: S311 - to be repeatable
    limits = Limits(connections=10)
    async with AsyncServingClient(host, TOKEN, limits=limits, max_retries=0) as client:

        async def one() -> None:
            name = source.choice(("chat", "endless", "burst"))
            with suppress(TimeoutError):
                async with asyncio.timeout(source.uniform(0, 0.06)):
                    stream = await client.chat.completions.create(
                        model=name, messages=USER, stream=True
                    )
                    async for _ in stream:
                        pass

        for _ in range(rounds):
            await asyncio.gather(*[one() for _ in range(40)])
        await _all_slots_work(client)
        # Ten endless streams at once need each slot.
        async with asyncio.timeout(10):
            streams = await asyncio.gather(
                *[
                    client.chat.completions.create(model="endless", messages=USER, stream=True)
                    for _ in range(10)
                ]
            )
        for stream in streams:
            await stream.close()
