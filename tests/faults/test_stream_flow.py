"""Streams that stall, swell or are read slowly; section 2.3."""

import asyncio
import threading
import time
import zlib

import pytest
import wire
from raw_server import chunked, drip, response, then_silence

from databricks_serving.errors import (
    APITimeoutError,
    ResponseTooLargeError,
    StreamInterruptedError,
    StreamTimeoutError,
)
from databricks_serving.options import Limits, Timeouts

from .support.answers import FIRST, HELLO, REST, STREAM_HEAD, chunk_of

MIB = 1024 * 1024


END = b"0\r\n\r\n"


COMMENT = chunk_of(b": still here\n\n")


def open_end(house, *, answers=1, **options):
    """Return a server that streams one event and no end, and a client."""
    held = then_silence(STREAM_HEAD + chunk_of(FIRST))
    return house.serve(*[held] * answers, **({"max_retries": 0} | options))


@pytest.mark.row("E-06")
def test_comments_keep_a_stream_alive_until_its_data_comes(house):
    def answer(connection):
        connection.sendall(STREAM_HEAD + chunk_of(FIRST))
        drip(COMMENT * 10, 0.01, size=len(COMMENT))(connection)
        connection.sendall(chunk_of(REST) + END)

    _, client = house.serve(answer, timeout=Timeouts(idle=2), max_retries=0)
    assert house.text(client) == "The Po."


@pytest.mark.row("E-06")
def test_comments_alone_do_not_keep_a_stream_alive(house):
    def answer(connection):
        connection.sendall(STREAM_HEAD + chunk_of(FIRST))
        drip(COMMENT * 200, 0.02, size=len(COMMENT))(connection)

    server, client = house.serve(answer, timeout=Timeouts(idle=0.3))
    stream = house.call(client, stream=True)
    started = time.monotonic()
    chunks, error = house.breaks(stream, StreamTimeoutError, "idle")
    assert time.monotonic() - started == pytest.approx(0.3, abs=0.25)
    assert error.phase == "idle"
    assert [chunk.text for chunk in chunks] == ["The "]
    assert error.partial.text == "The "
    assert error.maybe_executed
    assert not error.retryable
    assert len(server.requests) == 1


@pytest.mark.row("E-06")
def test_comments_before_the_first_event_are_a_timeout_of_the_first_byte(house):
    answer = drip(STREAM_HEAD + COMMENT * 200, 0.02, size=len(COMMENT))
    _, client = house.serve(answer, timeout=Timeouts(first_byte=0.3), max_retries=0)
    error = house.fails(client, APITimeoutError, stream=True)
    assert error.phase == "first_byte"
    assert error.elapsed == pytest.approx(0.3, abs=0.25)


@pytest.mark.row("E-07")
def test_a_stream_that_stalls_keeps_what_had_come(house):
    server, client = open_end(house, timeout=Timeouts(idle=0.2), max_retries=2)
    chunks, error = house.breaks(house.call(client, stream=True), StreamTimeoutError)
    assert error.phase == "idle"
    assert error.partial.text == "The "
    assert len(chunks) == 1
    assert isinstance(error, StreamInterruptedError)
    assert isinstance(error, APITimeoutError)
    assert len(server.requests) == 1


@pytest.mark.row("E-07")
def test_a_stream_ends_at_the_deadline_of_its_call(house):
    def answer(connection):
        connection.sendall(STREAM_HEAD)
        drip(chunk_of(FIRST) * 200, 0.02, size=len(chunk_of(FIRST)))(connection)

    _, client = house.serve(answer)
    stream = house.call(client, stream=True, deadline=0.4)
    chunks, error = house.breaks(stream, StreamTimeoutError)
    assert error.phase == "total"
    assert error.elapsed == pytest.approx(0.4, abs=0.25)
    assert error.partial.text == "The " * len(chunks)


def line(size):
    """Return an event of one line of about so many bytes, without an end."""
    text = wire.chunk("x" * size, "stop")
    return wire.sse(text)


@pytest.mark.row("E-08")
def test_a_long_line_is_read_in_time(house):
    answers = [response(line(10 * MIB), "Content-Type: text/event-stream")] * 2
    _, client = house.serve(*answers, max_retries=0)
    started = time.monotonic()
    assert len(house.text(client)) == 10 * MIB
    assert time.monotonic() - started < 2


@pytest.mark.row("E-08")
@pytest.mark.parametrize("over", [-1, 0, 1])
def test_an_event_over_the_limit_is_too_large(house, over):
    event = line(1000)
    size = len(event) - 2
    answer = chunked(event)
    limits = Limits(event_bytes=size - over)
    server, client = house.serve(answer, answer, limits=limits)
    if over <= 0:
        assert len(house.text(client)) == 1000
    else:
        error = house.fails(client, ResponseTooLargeError, str(size - 1), stream=True)
        assert error.attempts == len(server.requests) == 1
        assert not error.retryable


@pytest.mark.row("E-08")
def test_a_stream_over_its_limit_is_too_large(house):
    answer = chunked(*[FIRST] * 50, REST)
    _, client = house.serve(answer, limits=Limits(stream_bytes=1000))
    chunks, error = house.breaks(house.call(client, stream=True), StreamInterruptedError, "1000")
    assert isinstance(error.__cause__, ResponseTooLargeError)
    assert error.partial.text == "The " * len(chunks)


@pytest.mark.row("E-09")
def test_a_line_without_an_end_stops_at_the_limit(house):
    def answer(connection):
        connection.sendall(STREAM_HEAD + chunk_of(b"data: "))
        for _ in range(100):
            connection.sendall(chunk_of(b"x" * 65536))

    server, client = house.serve(answer, limits=Limits(event_bytes=MIB))
    error = house.fails(client, ResponseTooLargeError, str(MIB), stream=True)
    assert error.attempts == len(server.requests) == 1


@pytest.mark.row("E-11")
def test_many_events_in_one_piece_come_in_order(house):
    events = [wire.chunk(f"{number} ") for number in range(5000)]
    body = wire.sse(*events, wire.chunk("end", "stop"), "[DONE]")
    _, client = house.serve(response(body, "Content-Type: text/event-stream"), max_retries=0)
    assert house.text(client) == "".join(f"{number} " for number in range(5000)) + "end"


@pytest.mark.row("E-29")
def test_a_compressed_stream_is_read_event_by_event(house):
    packer = zlib.compressobj(wbits=31)
    first = packer.compress(FIRST) + packer.flush(zlib.Z_SYNC_FLUSH)
    rest = packer.compress(REST) + packer.flush()
    head = STREAM_HEAD[:-2] + b"Content-Encoding: gzip\r\n\r\n"
    seen = threading.Event()

    def answer(connection):
        connection.sendall(head + chunk_of(first))
        assert seen.wait(5)
        connection.sendall(chunk_of(rest) + END)

    _, client = house.serve(answer, head + chunk_of(first + rest) + END, max_retries=0)
    stream = house.call(client, stream=True)
    assert house.next(stream).text == "The "
    seen.set()
    assert [chunk.text for chunk in house.items(stream)] == ["Po."]
    assert house.text(client) == "The Po."


@pytest.mark.row("E-29")
def test_a_stream_is_asked_for_uncompressed(house):
    server, client = house.serve(chunked(HELLO))
    house.text(client)
    assert b"accept-encoding: identity\r\n" in server.requests[0].lower()


@pytest.mark.row("E-30")
def test_a_slow_reader_holds_the_server_back_and_is_not_blamed(house):
    sent = []

    def answer(connection):
        connection.sendall(STREAM_HEAD)
        for _ in range(400):
            connection.sendall(chunk_of(FIRST + b": " + b"x" * 65536 + b"\n"))
            sent.append(1)
        connection.sendall(chunk_of(REST) + END)

    _, client = house.serve(answer, timeout=Timeouts(idle=0.2), max_retries=0)
    stream = house.call(client, stream=True)
    assert house.next(stream).text == "The "
    house.wait(asyncio.sleep(0.5)) if house.kind == "async" else time.sleep(0.5)
    # 26 MB are on offer; the buffers of the system take some of it.
    assert len(sent) < 350
    assert len(house.items(stream)) == 400
