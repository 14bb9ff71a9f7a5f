"""Heads of answers, odd, broken or leading elsewhere; section 2.1."""

import tracemalloc

import pytest
from raw_server import then_close

from databricks_serving.errors import (
    APIConnectionError,
    APIStatusError,
)

from .support.answers import chunk_of, reply
from .support.house import GOOD, REPLY

MIB = 1024 * 1024


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"


def broken_twice(house, answer, match=None, kind=APIConnectionError):
    """Make a call that gets the same broken answer to both of its tries."""
    server, client = house.serve(answer, answer)
    error = house.fails(client, kind, match)
    assert error.maybe_executed
    assert not error.retryable
    assert error.attempts == len(server.requests) == 2
    assert error.retry_stopped_by == "reruns"
    return error


@pytest.mark.row("T-17")
def test_chunks_win_over_a_length_and_end_the_connection(house):
    head = CHUNKED + b"Content-Length: 3\r\n\r\n"
    server, client = house.serve(head + chunk_of(REPLY) + b"0\r\n\r\n", max_retries=0)
    assert house.call(client).text == "Hi"
    assert house.call(client).text == "Hi"
    assert server.connections == 2


@pytest.mark.row("T-17")
def test_two_lengths_are_no_answer(house):
    head = OK + b"Content-Length: 3\r\nContent-Length: %d\r\n\r\n" % len(REPLY)
    broken_twice(house, head + REPLY, "rules of HTTP")


@pytest.mark.row("T-18")
@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"<html><body>an old page</body></html>",
        b"HTTP/3.0 200 OK",
        b"HTTP/1.1 099 Low",
        b"HTTP/1.1 1000 High",
        b"HTTP/1.1 OK",
        b"ICY 200 OK",
    ],
    ids=["garbage", "HTTP 0.9", "HTTP 3.0", "099", "1000", "no status", "other protocol"],
)
def test_a_strange_status_line_is_no_answer(house, line):
    head = line + b"\r\nContent-Length: %d\r\n\r\n" % len(REPLY)
    broken_twice(house, then_close(head + REPLY), "rules of HTTP")


@pytest.mark.row("T-19")
def test_interim_answers_are_passed_over(house):
    interim = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
    )
    server, client = house.serve(interim + GOOD, max_retries=0)
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 1


@pytest.mark.row("T-19")
def test_an_upgrade_that_nobody_asked_for_is_no_answer(house):
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    error = broken_twice(house, then_close(head), kind=APIConnectionError)
    assert "101" in str(error) or "rules of HTTP" in str(error)


@pytest.mark.row("T-20")
@pytest.mark.parametrize(
    "lines",
    [
        b"X-Long: " + b"a" * 200 * 1024 + b"\r\n",
        b"".join(b"X-%05d: %b\r\n" % (number, b"a" * 16) for number in range(10_000)),
        b"X-Nul: a\0b\r\n",
        b"X-Return: a\rb\r\n",
        b"X Space: a\r\n",
    ],
    ids=["one long header", "many headers", "NUL", "bare CR", "space in a name"],
)
def test_a_head_that_is_too_large_or_broken_is_no_answer(house, lines):
    head = OK + lines + b"Content-Length: %d\r\n\r\n" % len(REPLY)
    broken_twice(house, then_close(head + REPLY), "rules of HTTP")


@pytest.mark.row("T-20")
def test_a_head_of_five_megabytes_takes_no_memory(house):
    lines = b"".join(b"X-%05d: %b\r\n" % (number, b"a" * 90) for number in range(50_000))
    answer = then_close(OK + lines + b"\r\n")
    server, client = house.serve(answer, max_retries=0)
    assert house.call(house.client(house.server().host)).text == "Hi"
    tracemalloc.start()
    try:
        house.fails(client, APIConnectionError, "rules of HTTP")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * MIB
    assert len(server.requests) == 1


@pytest.mark.row("T-25")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_not_followed(house, status):
    other = house.server()
    location = f"Location: {other.host}/login?next=secret-query"
    server, client = house.serve(reply(b"", status, location))
    error = house.fails(client, APIStatusError, f"{other.host}/login")
    assert error.status_code == status
    assert "redirect" in str(error)
    assert "secret-query" not in str(error)
    assert not error.maybe_executed
    assert not error.retryable
    assert error.attempts == len(server.requests) == 1
    assert other.connections == 0


@pytest.mark.row("T-25")
@pytest.mark.parametrize(
    "location", ["/serving-endpoints/m/invocations", "//127.0.0.1:9/x", "", "::"]
)
def test_a_redirect_home_is_not_followed_either(house, location):
    server, client = house.serve(reply(b"", 307, f"Location: {location}"))
    error = house.fails(client, APIStatusError, "redirect")
    assert error.status_code == 307
    assert len(server.requests) == 1
