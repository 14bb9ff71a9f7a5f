"""Streams that are left, shared or closed under their reader; section 2.3."""

import asyncio
import gc
import threading
import time

import pytest
from raw_server import chunked, silence, then_silence

from databricks_serving.errors import (
    ClientClosedError,
    ServingError,
    StreamInterruptedError,
    StreamUseError,
)

from .support.answers import FIRST, HELLO, REST, STREAM_HEAD, chunk_of

END = b"0\r\n\r\n"


def open_end(house, *, answers=1, **options):
    """Return a server that streams one event and no end, and a client."""
    held = then_silence(STREAM_HEAD + chunk_of(FIRST))
    return house.serve(*[held] * answers, **({"max_retries": 0} | options))


@pytest.mark.row("E-31")
def test_a_loop_that_is_left_frees_its_connection_when_the_stream_is_dropped(house):
    _, client = open_end(house, answers=3)
    for _ in range(3):
        stream = house.call(client, stream=True)
        assert house.next(stream).text == "The "
        streams = [stream]
        del stream
        with pytest.warns(ResourceWarning, match="unclosed"):
            in_use_after_dropping(house, client, streams)


def in_use_after_dropping(house, client, streams):
    """Drop streams; check that nothing is in use."""
    streams.clear()
    gc.collect()
    assert house.busy(client) == []


@pytest.mark.row("E-31")
@pytest.mark.parametrize("read", [0, 1])
def test_a_block_that_is_left_frees_its_connection(house, read):
    _, client = open_end(house, answers=2)
    with house.opened(house.call(client, stream=True)) as stream:
        for _ in range(read):
            house.next(stream)
    assert house.busy(client) == []
    with house.opened(house.events(client)) as events:
        loop = house.iterate(events)
        for _ in range(read):
            assert house.next(loop).type == "chunk"
    assert house.busy(client) == []


@pytest.mark.row("E-31")
def test_a_stream_that_was_left_says_so_when_read_on(house):
    _, client = open_end(house)
    stream = house.call(client, stream=True)
    house.next(stream)
    house.wait(stream.close())
    house.wait(stream.close())
    chunks, error = house.breaks(stream, StreamInterruptedError, "closed")
    assert chunks == []
    assert error.partial.text == "The "


@pytest.mark.row("E-32")
def test_a_stream_can_be_read_once(house):
    _, client = house.serve(chunked(HELLO), chunked(HELLO))
    stream = house.call(client, stream=True)
    assert len(house.items(stream)) == 2
    with house.raising(StreamUseError, "once"):
        house.items(stream)
    with house.opened(house.events(client)) as events:
        house.items(events)
        with house.raising(StreamUseError, "once"):
            house.items(events)


@pytest.mark.row("E-32")
def test_a_stream_of_events_is_used_in_its_block_and_once(house):
    server, client = house.serve(chunked(HELLO))
    events = house.events(client)
    with house.raising(StreamUseError, "not open"):
        house.items(events)
    assert server.requests == []
    with house.opened(events):
        assert len(house.items(events)) > 2
    with house.raising(StreamUseError), house.opened(events):
        pytest.fail("the block was entered again")


@pytest.mark.row("E-32")
def test_two_readers_at_once_are_one_too_many(house):
    go, reading = threading.Event(), threading.Event()

    def answer(connection):
        connection.sendall(STREAM_HEAD + chunk_of(FIRST))
        assert reading.wait(5)
        assert go.wait(5)
        connection.sendall(chunk_of(REST) + END)

    _, client = house.serve(answer, max_retries=0)
    stream = house.call(client, stream=True)
    assert house.next(stream).text == "The "
    seen = read_twice(house, stream, reading, go)
    assert type(seen[1]) is StreamUseError
    assert "another" in str(seen[1])
    assert seen[0].text == "Po."
    assert house.items(stream) == []


def read_twice(house, stream, reading, go):
    """Read a chunk while another reader waits for it; return what both got."""
    if house.kind == "async":
        return house.wait(read_in_tasks(stream, reading, go))
    got = []
    thread = threading.Thread(target=lambda: got.append(next(stream)))
    thread.start()
    reading.set()
    while not stream._reader._turn.locked():
        time.sleep(0.001)
    try:
        next(stream)
    except StreamUseError as error:
        second = error
    go.set()
    thread.join(5)
    return [got[0], second]


async def read_in_tasks(stream, reading, go):
    first = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    reading.set()
    try:
        await anext(stream)
    except StreamUseError as error:
        second = error
    go.set()
    return [await first, second]


@pytest.mark.row("E-33")
def test_a_client_that_is_closed_wakes_the_reader(house):
    _, client = open_end(house, healthy=False)
    stream = house.call(client, stream=True)
    assert house.next(stream).text == "The "
    started = time.monotonic()
    error = close_while_reading(house, client, stream)
    assert time.monotonic() - started < 1
    assert type(error) is ClientClosedError
    assert error.partial.text == "The "
    house.show(error)
    house.wait(client.close())
    house.wait(client.close())
    house.fails(client, ClientClosedError)


def close_while_reading(house, client, stream):
    """Close a client from elsewhere while a stream is read; return what the reader got."""
    if house.kind == "async":
        return house.wait(close_in_task(client, stream))
    threading.Timer(0.1, client.close).start()
    try:
        next(stream)
    except ServingError as error:
        return error


async def close_in_task(client, stream):
    async def close():
        await asyncio.sleep(0.1)
        await client.close()

    task = asyncio.create_task(close())
    try:
        await anext(stream)
    except ServingError as error:
        return error
    finally:
        await task


@pytest.mark.row("E-33")
def test_a_client_that_is_closed_wakes_a_caller(house):
    _, client = house.serve(silence, healthy=False, max_retries=2)
    started = time.monotonic()
    if house.kind == "async":
        error = house.wait(close_under_call(house, client))
    else:
        threading.Timer(0.1, client.close).start()
        error = house.fails(client, ClientClosedError)
    assert type(error) is ClientClosedError
    assert time.monotonic() - started < 1.1


async def close_under_call(house, client):
    call = asyncio.ensure_future(house.start(client))
    await asyncio.sleep(0.1)
    await client.close()
    try:
        await call
    except ServingError as error:
        return error
