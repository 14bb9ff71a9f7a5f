"""Connections that are not made, break, stall or run out; section 2.1."""

import errno
import socket
import threading
from contextlib import ExitStack, closing

import pytest
from raw_server import deaf, drip, reset, then_close, then_reset, wait_for

from databricks_serving.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    PayloadTooLargeError,
)
from databricks_serving.options import Limits, Timeouts

from .support.answers import FIRST, STREAM_HEAD, chunk_of, reply
from .support.house import GOOD, USER
from .support.kinds import only_async
from .support.leaks import gone
from .support.pools import fresh
from .support.storms import cancel_many

LARGE = [USER[0], {"role": "user", "content": "x" * 8_000_000}]


def addresses(*pairs):
    """Return what a resolver finds for these addresses."""
    families = [socket.AF_INET6 if ":" in host else socket.AF_INET for host, _ in pairs]
    return [
        (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", pair)
        for family, pair in zip(families, pairs, strict=True)
    ]


@pytest.mark.row("T-01")
def test_a_name_that_does_not_resolve_is_named(house, monkeypatch):
    asked = []

    def resolve(host, *_, **__):
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    client = house.client("https://nope.invalid", proxy=None, healthy=False)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    error = house.fails(client, APIConnectionError, "nope.invalid.*check")
    assert not error.maybe_executed
    assert error.retryable
    assert error.attempts == len(asked) == 3
    assert error.retry_stopped_by == "retries"


@pytest.mark.row("T-01")
def test_a_resolver_that_fails_once_is_asked_again(house, monkeypatch):
    server = house.server()
    client = house.client(f"http://localhost:{server.port}")
    failures = [socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")]

    def resolve(*_, **__):
        if failures:
            raise failures.pop()
        return addresses(("127.0.0.1", server.port))

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert house.call(client).text == "Hi"
    assert failures == []


@pytest.mark.row("T-02")
def test_a_port_that_is_closed_is_tried_again(house):
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    client = house.client(f"http://127.0.0.1:{port}")
    error = house.fails(client, APIConnectionError, "refused")
    assert not error.maybe_executed
    assert error.retryable
    assert error.attempts == 3
    assert [attempt.cause for attempt in error.history] == ["APIConnectionError"] * 3
    server = house.server(port=port)
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 1


@pytest.mark.row("T-03")
def test_a_server_that_takes_no_more_connections_is_a_timeout_of_connecting(house):
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            assert waiting.connect_ex(address) in {0, errno.EINPROGRESS}
        client = house.client(
            f"http://127.0.0.1:{address[1]}", timeout=Timeouts(connect=0.3), max_retries=1
        )
        error = house.fails(client, APITimeoutError, "0.3 s")
    assert error.phase == "connect"
    assert not error.maybe_executed
    assert error.retryable
    assert error.attempts == 2
    assert [attempt.elapsed for attempt in error.history] == pytest.approx([0.3, 0.6], abs=0.2)
    house.server(port=address[1])


@pytest.mark.row("T-04")
def test_the_second_address_is_tried_when_the_first_is_dead(house, monkeypatch):
    server = house.server()
    found = addresses(("::1", server.port, 0, 0)[:2], ("127.0.0.1", server.port))
    client = house.client(f"http://localhost:{server.port}", max_retries=0)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 1


@pytest.mark.row("T-12")
def test_a_connection_that_is_reset_after_the_request_is_tried_once_more(house):
    server, client = house.serve(reset)
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 2
    server, client = house.serve(reset, reset)
    error = house.fails(client, APIConnectionError)
    assert error.maybe_executed
    assert not error.retryable
    assert error.retry_stopped_by == "reruns"
    assert error.attempts == len(server.requests) == 2


@pytest.mark.row("T-12")
def test_a_call_that_must_not_run_twice_is_not_tried_again(house):
    server, client = house.serve(reset)
    error = house.fails(client, APIConnectionError, idempotent=False)
    assert error.maybe_executed
    assert error.attempts == len(server.requests) == 1


@pytest.mark.row("T-13")
def test_a_connection_that_the_server_closed_while_idle_is_replaced(house):
    server, client = house.serve(then_close(GOOD), max_retries=0)
    assert house.call(client).text == "Hi"
    assert gone(lambda: fresh(client)) == []
    assert house.call(client).text == "Hi"
    assert server.connections == len(server.requests) == 2


@pytest.mark.row("T-13")
@pytest.mark.parametrize("end", [then_close(b""), reset], ids=["closed", "reset"])
def test_a_reused_connection_that_ends_without_a_byte_is_replaced_once(house, end):
    server, client = house.serve(GOOD, end, GOOD, end, end, end, max_retries=1)
    assert house.call(client).text == "Hi"
    assert house.call(client).text == "Hi"
    assert server.connections == 2
    error = house.fails(client, APIConnectionError)
    assert error.maybe_executed
    assert error.history[0].wait == 0.0
    assert error.attempts == 3
    assert len(server.requests) == 6


@pytest.mark.row("T-13")
def test_a_reused_connection_is_not_replaced_where_the_call_must_not_run_twice(house):
    server, client = house.serve(GOOD, then_close(b""))
    assert house.call(client).text == "Hi"
    error = house.fails(client, APIConnectionError, idempotent=False)
    assert error.maybe_executed
    assert len(server.requests) == 2


@pytest.mark.row("T-21")
def test_a_head_that_drips_is_a_timeout_of_the_first_byte(house):
    slow = drip(GOOD, 0.02)
    server, client = house.serve(slow, slow, timeout=Timeouts(first_byte=0.2))
    error = house.fails(client, APITimeoutError, "first_byte")
    assert error.phase == "first_byte"
    assert error.maybe_executed
    assert error.attempts == len(server.requests) == 2
    assert [attempt.elapsed for attempt in error.history] == pytest.approx([0.2, 0.4], abs=0.15)


@pytest.mark.row("T-21")
def test_a_slow_answer_is_not_asked_for_again_without_time_for_it(house):
    server, client = house.serve(drip(GOOD, 0.02), timeout=Timeouts(first_byte=0.3, total=0.5))
    error = house.fails(client, APITimeoutError)
    assert error.phase == "first_byte"
    assert error.attempts == len(server.requests) == 1
    assert error.elapsed == pytest.approx(0.3, abs=0.15)


@pytest.mark.row("T-22")
def test_a_body_that_drips_ends_at_the_deadline(house):
    head, _, body = reply().partition(b"\r\n\r\n")

    def answer(connection):
        connection.sendall(head + b"\r\n\r\n")
        drip(body, 0.02)(connection)

    server, client = house.serve(answer, timeout=Timeouts(idle=5))
    error = house.fails(client, APITimeoutError, deadline=0.4)
    assert error.phase == "total"
    assert error.maybe_executed
    assert error.attempts == len(server.requests) == 1
    assert error.elapsed == pytest.approx(0.4, abs=0.25)


@pytest.mark.row("T-22")
def test_a_body_that_stops_is_a_timeout_of_idling(house):
    whole = reply()
    slow = drip(whole[:-5], size=100)

    def answer(connection):
        slow(connection)
        connection.recv(1)

    server, client = house.serve(answer, timeout=Timeouts(idle=0.2), max_retries=0)
    error = house.fails(client, APITimeoutError)
    assert error.phase == "idle"
    assert error.maybe_executed
    assert error.elapsed == pytest.approx(0.2, abs=0.2)
    assert len(server.requests) == 1


@pytest.mark.row("T-23")
def test_a_server_that_takes_nothing_is_a_timeout_of_writing(house):
    server = house.server(instead=(deaf, deaf))
    client = house.client(server.host, timeout=Timeouts(write=0.3), max_retries=1)
    error = house.fails(client, APITimeoutError, messages=LARGE)
    assert error.phase == "write"
    assert not error.maybe_executed
    assert error.retryable
    assert error.attempts == server.connections == 2


def early(answer):
    """Answer before the body has come, then break the connection off."""

    def handler(connection):
        connection.recv(2000)
        connection.sendall(answer)
        connection.settimeout(0.2)
        # Reading on would let the client finish; its next write meets a closed door instead.
        threading.Event().wait(0.1)
        reset(connection)

    return handler


@pytest.mark.row("T-24")
@pytest.mark.parametrize(
    ("status", "kind"), [(413, PayloadTooLargeError), (401, AuthenticationError)]
)
def test_an_early_answer_is_read_although_the_server_takes_no_more(house, status, kind):
    server = house.server(instead=(early(reply(None, status, "Connection: close")),))
    client = house.client(server.host)
    error = house.fails(client, kind, messages=LARGE)
    assert error.status_code == status
    assert not error.maybe_executed
    assert error.attempts == server.connections == 1


@pytest.mark.row("T-27")
def test_callers_wait_for_a_free_connection(house):
    pair = threading.Barrier(2)

    def answer(connection):
        pair.wait(5)
        connection.sendall(GOOD)

    server, client = house.serve(*[answer] * 10, limits=Limits(connections=2))
    replies = house.together([lambda: house.start(client)] * 10)
    assert [reply.text for reply in replies] == ["Hi"] * 10
    assert server.connections == 2


@pytest.mark.row("T-27")
def test_a_caller_that_waits_too_long_is_told_the_limit(house):
    limits = Limits(connections=2)
    held = STREAM_HEAD + chunk_of(FIRST)
    server, client = house.serve(held, held, limits=limits, timeout=Timeouts(pool=0.1))
    streams = [house.call(client, stream=True) for _ in range(2)]
    assert [house.next(stream).text for stream in streams] == ["The ", "The "]
    error = house.fails(client, APITimeoutError, r"\b2\b.*\b2\b|limit.*\b2\b")
    assert error.phase == "pool"
    assert not error.maybe_executed
    assert error.retryable
    for stream in streams:
        house.wait(stream.close())
    assert len(server.requests) == 2


@only_async
@pytest.mark.row("T-28")
def test_a_storm_of_cancelled_calls_loses_no_connection(house):
    ready = threading.Event()
    ready.set()
    server = house.server(then=wait_for(ready, drip(GOOD, 0.01, size=60)))
    client = house.client(server.host, limits=Limits(connections=10))

    cancelled = house.wait(
        cancel_many(lambda: house.start(client), rounds=40, calls=40, seconds=0.06)
    )
    assert cancelled > 800
    assert house.busy(client) == []
    replies = house.together([lambda: house.start(client)] * 10)
    assert [reply.text for reply in replies] == ["Hi"] * 10


@pytest.mark.row("T-12", "T-24")
def test_an_answer_before_a_reset_counts(house):
    server, client = house.serve(then_reset(reply()), max_retries=0)
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 1
    # A client that never tries again must not be given the connection before its end is there.
    assert gone(lambda: fresh(client)) == []
