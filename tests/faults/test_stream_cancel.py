"""Streams that are cancelled, timed out or interrupted; section 2.3."""

import asyncio
import signal
import time

import anyio
import pytest
from raw_server import silence, then_silence

from .support import programs
from .support.answers import FIRST, STREAM_HEAD, chunk_of
from .support.kinds import only_async


def open_end(house, *, answers=1, **options):
    """Return a server that streams one event and no end, and a client."""
    held = then_silence(STREAM_HEAD + chunk_of(FIRST))
    return house.serve(*[held] * answers, **({"max_retries": 0} | options))


class Boom(Exception):  # noqa: N818 - a user's own
    pass


async def reading_task(house, client):
    """Return a task that waits for the second chunk of a stream."""
    stream = await house.start(client, stream=True)

    async def read():
        try:
            async for _ in stream:
                pass
        finally:
            await asyncio.sleep(0)

    task = asyncio.create_task(read())
    await asyncio.sleep(0.02)
    return task, stream


@only_async
@pytest.mark.row("E-34")
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_reader_that_is_cancelled_frees_its_connection(house, times):
    _, client = open_end(house, answers=5)

    async def run():
        task, stream = await reading_task(house, client)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        await stream.close()

    for _ in range(5):
        house.wait(run())
        assert house.busy(client) == []


@only_async
@pytest.mark.row("E-34")
@pytest.mark.parametrize("times", [1, 2])
def test_a_call_that_is_cancelled_frees_its_connection(house, times):
    _, client = house.serve(*[silence] * 10, max_retries=2)

    async def run(stream):
        task = asyncio.create_task(house.start(client, stream=stream))
        await asyncio.sleep(0.02)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task

    for stream in (False, True) * 5:
        house.wait(run(stream))
        assert house.busy(client) == []


@only_async
@pytest.mark.row("E-34")
def test_a_stream_may_be_closed_by_a_task_that_is_cancelled(house):
    _, client = open_end(house)

    async def run():
        stream = await house.start(client, stream=True)

        async def work():
            try:
                async for _ in stream:
                    pass
            finally:
                await stream.close()

        task = asyncio.create_task(work())
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    house.wait(run())
    assert house.busy(client) == []


@only_async
@pytest.mark.row("E-35")
def test_a_timeout_around_a_stream_is_the_user_s_own(house):
    _, client = open_end(house, answers=2)

    async def by_asyncio():
        async with asyncio.timeout(0.1):
            async with house.events(client) as events:
                async for _ in events:
                    pass

    async def by_anyio():
        with anyio.fail_after(0.1):
            async with await house.start(client, stream=True) as stream:
                async for _ in stream:
                    pass

    for run in (by_asyncio, by_anyio):
        with pytest.raises(TimeoutError):
            house.wait(run())
        assert house.busy(client) == []


@only_async
@pytest.mark.row("E-35")
def test_a_task_beside_a_stream_may_fail(house):
    _, client = open_end(house)

    async def fail():
        await asyncio.sleep(0.05)
        raise Boom

    async def read():
        async with house.events(client) as events:
            async for _ in events:
                pass

    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(read())
            group.create_task(fail())

    with pytest.raises(ExceptionGroup) as caught:
        house.wait(run())
    assert [type(one) for one in caught.value.exceptions] == [Boom]
    assert house.busy(client) == []


@pytest.mark.row("E-36")
def test_an_error_of_the_user_s_own_passes_unchanged(house):
    _, client = open_end(house, answers=2)
    own = Boom("mine")
    for make in (lambda: house.events(client), lambda: house.call(client, stream=True)):
        with pytest.raises(Boom) as caught, house.opened(make()):
            raise own
        assert caught.value is own
        assert caught.value.__context__ is None
        assert house.busy(client) == []


@pytest.mark.row("E-37")
def test_an_interrupt_ends_a_blocked_read(house):
    server, _ = open_end(house, healthy=False)
    code = """
        with Client(HOST, TOKEN) as client:
            stream = ask(client, stream=True)
            print(take(stream).text, flush=True)
            try:
                take(stream)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
    """
    if house.kind == "async":
        code = """
            async def main():
                async with Client(HOST, TOKEN) as client:
                    stream = await client.chat.completions.create(
                        model="m", messages=USER, stream=True
                    )
                    async for chunk in stream:
                        print(chunk.text, flush=True)
            try:
                asyncio.run(main())
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        """
    program = programs.start(house.kind, code, server.host)
    assert program.stdout.readline() == "The \n"
    time.sleep(0.1)
    started = time.monotonic()
    program.send_signal(signal.SIGINT)
    assert programs.finish(program) == (0, "interrupted\n", "")
    assert time.monotonic() - started < 1
