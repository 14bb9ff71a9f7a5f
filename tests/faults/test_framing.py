"""Bodies that are not as long as they say; section 2.1."""

import pytest
import wire
from raw_server import then_close, then_reset

from databricks_serving.errors import (
    APIConnectionError,
    InvalidResponseError,
)

from .support.answers import chunk_of, reply
from .support.house import GOOD, REPLY
from .support.leaks import gone
from .support.pools import fresh

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"


EVIL = reply(wire.chat("Evil"))


def broken_twice(house, answer, match=None, kind=APIConnectionError):
    """Make a call that gets the same broken answer to both of its tries."""
    server, client = house.serve(answer, answer)
    error = house.fails(client, kind, match)
    assert error.maybe_executed
    assert not error.retryable
    assert error.attempts == len(server.requests) == 2
    assert error.retry_stopped_by == "reruns"
    return error


@pytest.mark.row("T-14")
@pytest.mark.parametrize("end", [then_close, then_reset], ids=["closed", "reset"])
def test_a_body_that_is_shorter_than_it_says_is_no_answer(house, end):
    error = broken_twice(house, end(reply(b'{"id":', length=100)))
    if end is then_close:
        assert "6 of 100 bytes" in str(error)


@pytest.mark.row("T-14")
def test_a_short_body_is_asked_for_once_more(house):
    server, client = house.serve(then_close(reply(b'{"id":', length=100)))
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 2


@pytest.mark.row("T-15")
def test_what_follows_an_answer_is_not_the_next_answer(house):
    server, client = house.serve(GOOD + EVIL)
    assert house.call(client).text == "Hi"
    assert house.call(client).text == "Hi"
    assert server.connections == len(server.requests) == 2


@pytest.mark.row("T-15")
def test_what_follows_an_answer_late_is_not_the_next_answer(house):
    def answer(connection):
        connection.sendall(GOOD)
        connection.sendall(EVIL)

    server, client = house.serve(answer)
    assert house.call(client).text == "Hi"
    assert gone(lambda: fresh(client)) == []
    assert house.call(client).text == "Hi"
    assert server.connections == len(server.requests) == 2


@pytest.mark.row("T-16")
@pytest.mark.parametrize(
    "body",
    [
        chunk_of(REPLY[:10]) + chunk_of(REPLY[10:]) + b"0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n",
        b'%x;name="a value";b\r\n%b\r\n0\r\n\r\n' % (len(REPLY), REPLY),
        b"%X\r\n%b\r\n000\r\n\r\n" % (len(REPLY), REPLY),
    ],
    ids=["trailers", "extensions", "zeros"],
)
def test_rare_forms_of_chunks_are_read(house, body):
    server, client = house.serve(CHUNKED + b"\r\n" + body, max_retries=0)
    assert house.call(client).text == "Hi"
    assert house.call(client).text == "Hi"
    assert server.connections == 1


@pytest.mark.row("T-16")
@pytest.mark.parametrize(
    "body",
    [
        chunk_of(REPLY)[:-20],
        chunk_of(REPLY),
        b"zz\r\n" + REPLY,
        b"-1\r\n" + REPLY,
        b"10000000000000000\r\n" + REPLY,
        b"fffffffffffffffffffffffff\r\n" + REPLY,
        b"%x\r\n%bxx0\r\n\r\n" % (len(REPLY), REPLY),
    ],
    ids=["cut", "no end", "no size", "negative", "2^64", "too long a size", "no line end"],
)
def test_broken_chunks_are_no_answer(house, body):
    broken_twice(house, then_close(CHUNKED + b"\r\n" + body))


@pytest.mark.row("T-14", "T-16")
def test_a_body_without_a_length_ends_with_the_connection(house):
    server, client = house.serve(then_close(OK + b"\r\n" + REPLY), max_retries=0)
    assert house.call(client).text == "Hi"
    cut = then_close(OK + b"\r\n" + REPLY[:-5])
    server, client = house.serve(cut, cut)
    house.fails(client, InvalidResponseError, "JSON")
    assert len(server.requests) == 2
