"""Calls over real connections, where the default transport's own behaviour counts."""

import gzip
import re
import socket
import time
from types import SimpleNamespace

import pytest
import raw_server
from raw_server import chunked, response, then_close

from databricks_serving._core.phases import Phases
from databricks_serving._http import base_pool
from databricks_serving._http.slots import KEEPALIVE_EXPIRY
from databricks_serving.errors import (
    APIConnectionError,
    APITimeoutError,
    InvalidRequestError,
    InvalidResponseError,
)
from databricks_serving.options import Limits, Timeouts

OK = response(b"{}")


def failed(kit, sender, request, kind=APIConnectionError, phases=None):
    with pytest.raises(kind) as caught:
        kit.call(sender, request, phases)
    assert type(caught.value) is kind
    return caught.value


def test_calls_share_a_connection(kit, serve, build):
    server, sender = serve(OK, OK, OK), kit.sender()
    for _ in range(3):
        reply = kit.call(sender, build(server.host))
        assert (reply.meta.status_code, reply.body) == (200, b"{}")
    assert server.connections == 1


def test_the_request_goes_out_as_it_was_built(kit, serve, build, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("NETRC", str(netrc))
    server, sender = serve(response(b"{}", "Set-Cookie: a=b; Path=/"), OK), kit.sender()
    request = build(server.host)
    kit.call(sender, request)
    kit.call(sender, request)
    fields = raw_server.headers_of(server.requests[1])
    sent = {
        **request.headers.reveal(),
        "host": server.host.removeprefix("http://"),
        "content-length": "8",
    }
    assert fields == sent
    assert server.requests[1].endswith(b'\r\n\r\n{"a": 1}')


def test_header_names_come_in_lower_case_and_repeated_ones_together(kit, serve, build):
    server = serve(response(b"", "X-One: 1", "x-one: 2", "X-Name: \xe9"))
    headers = kit.call(kit.sender(), build(server.host)).meta.headers
    assert (headers["x-one"], headers["x-name"]) == ("1, 2", "\xe9")


def test_a_closed_port_is_no_connection(kit, build):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failed(kit, kit.sender(), build(f"http://127.0.0.1:{port}"))
    assert "no connection" in str(error)
    assert "refused" in str(error)
    assert (error.maybe_executed, error.transient) == (False, True)


def test_a_name_that_does_not_resolve_is_named(kit, build, monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    error = failed(kit, kit.sender(), build("http://nope.invalid"))
    assert "the name nope.invalid cannot be resolved: check host" in str(error)
    assert (error.maybe_executed, error.transient) == (False, True)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        # A client writes the names of its hosts in ASCII, so this one is not from there.
        ("http://stra\xdfe.invalid", "a character that no address has"),
        ("http://a b.invalid", "a character that no address has"),
        ("ftp://127.0.0.1", "must begin with https://"),
        ("http://", "must begin with https://"),
        ("http://127.0.0.1:x", "valid URL"),
        ("http://[::1", "valid URL"),
    ],
)
def test_an_address_that_is_none_is_refused(kit, build, host, words):
    error = failed(kit, kit.sender(), build(host), InvalidRequestError)
    assert words in str(error)


def test_the_next_address_is_tried_when_the_first_is_dead(kit, serve, build, monkeypatch):
    server = serve(OK)
    dead = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", server.port))
    live = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
    real = socket.getaddrinfo

    def both(host, *rest, **options):
        return [dead, live] if host == "localhost" else real(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", both)
    assert kit.call(kit.sender(), build(f"http://localhost:{server.port}")).body == b"{}"


BREAKS = {
    "reset": (raw_server.reset, "broke before"),
    "nothing": (then_close(b""), "broke before"),
    "half a head": (then_close(b"HTTP/1.1 200 OK\r\nContent-"), "broke before"),
    "half a body": (then_close(response(b'{"a"', length=100)), r"4 of 100 bytes"),
    "half the chunks": (then_close(chunked(b'{"a"', ends=False)), "broke before"),
    "no size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "rules of HTTP"),
    "huge size": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000000000\r\n",
        "rules of HTTP",
    ),
    "garbage": (b"garbage\r\n\r\n", "rules of HTTP"),
    "http 0.9": (then_close(b"<html>hello</html>"), "broke before|rules of HTTP"),
    "status 099": (b"HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n", "rules of HTTP"),
    "status 1000": (b"HTTP/1.1 1000 X\r\nContent-Length: 0\r\n\r\n", "rules of HTTP"),
    "two lengths": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "rules of HTTP",
    ),
    "nul": (b"HTTP/1.1 200 OK\r\nA: \0\r\nContent-Length: 0\r\n\r\n", "rules of HTTP"),
    "protocol": (b"HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n", "rules of HTTP"),
    "long line": (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 300_000 + b"\r\n\r\n", "rules of HTTP"),
    "long head": (
        b"HTTP/1.1 200 OK\r\n" + b"Some-Name: some value\r\n" * 10_000 + b"\r\n",
        "rules of HTTP",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_an_answer_that_breaks_off_may_have_been_paid_for(kit, serve, build, name):
    answer, words = BREAKS[name]
    server, sender = serve(answer, then=OK), kit.sender()
    error = failed(kit, sender, build(server.host))
    assert error.maybe_executed
    assert not error.retryable
    assert re.search(words, str(error)), str(error)
    assert kit.call(sender, build(server.host)).body == b"{}"


def test_interim_answers_are_passed_over(kit, serve, build):
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    server = serve(interim + OK)
    assert kit.call(kit.sender(), build(server.host)).body == b"{}"


def test_extensions_and_trailers_of_chunks_are_passed_over(kit, serve, build):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server = serve(head + b"2;a=b\r\n{}\r\n0\r\nTrailer: x\r\n\r\n", OK)
    sender = kit.sender()
    assert kit.call(sender, build(server.host)).body == b"{}"
    assert kit.call(sender, build(server.host)).body == b"{}"
    assert server.connections == 1


@pytest.mark.parametrize("answer", [OK, chunked(b"{}")])
def test_more_than_was_asked_for_is_not_the_next_answer(kit, serve, build, answer):
    server, sender = serve(answer + response(b"evil"), then=OK), kit.sender()
    for _ in range(3):
        assert kit.call(sender, build(server.host)).body == b"{}"
    assert server.connections == 2


def test_a_length_beside_chunks_does_not_count(kit, serve, build):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n"
    server, sender = serve(head + b"2\r\n{}\r\n0\r\n\r\n", then=OK), kit.sender()
    assert kit.call(sender, build(server.host)).body == b"{}"
    assert kit.call(sender, build(server.host)).body == b"{}"


def test_an_early_refusal_is_read_though_the_request_was_not(kit, serve, build):
    def refuse(connection):
        connection.recv(1000)
        connection.sendall(response(b"big", status="413 Payload Too Large"))
        time.sleep(0.05)
        raw_server.reset(connection)

    server = serve(instead=(refuse,))
    reply = kit.call(kit.sender(), build(server.host, b"a" * 8_000_000))
    assert (reply.meta.status_code, reply.body) == (413, b"big")


@pytest.mark.parametrize("interim", [b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_an_early_refusal_is_heard_though_the_server_reads_no_more(kit, serve, build, interim):
    def refuse(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.recv(1000)
        connection.sendall(interim)
        time.sleep(0.1)
        connection.sendall(response(b"big", status="413 Payload Too Large"))
        raw_server.linger(connection)

    server = serve(instead=(refuse,))
    started = time.monotonic()
    reply = kit.call(kit.sender(), build(server.host, b"a" * 12_000_000))
    assert (reply.meta.status_code, reply.body) == (413, b"big")
    assert time.monotonic() - started < 1


def test_a_request_that_was_not_taken_in_full_did_not_run(kit, serve, build):
    def refuse(connection):
        connection.recv(1000)
        raw_server.reset(connection)

    server = serve(instead=(refuse,))
    error = failed(kit, kit.sender(), build(server.host, b"a" * 8_000_000))
    assert (error.maybe_executed, error.retryable) == (False, True)


@pytest.mark.parametrize("end", [then_close, raw_server.then_reset])
def test_a_connection_that_the_server_has_closed_is_not_used(kit, serve, build, end):
    server, sender = serve(end(OK), then=OK), kit.sender()
    for _ in range(3):
        assert kit.call(sender, build(server.host)).body == b"{}"
        time.sleep(0.02)
    assert len(server.requests) == 3


def test_a_connection_that_was_long_idle_is_not_used(kit, serve, build, monkeypatch):
    """What lies between may have forgotten it, and would swallow the request."""
    clock = SimpleNamespace(monotonic=lambda: 0.0)
    monkeypatch.setattr(base_pool, "time", clock)
    server, sender = serve(then=OK), kit.sender()
    kit.call(sender, build(server.host))
    clock.monotonic = lambda: KEEPALIVE_EXPIRY - 0.1
    kit.call(sender, build(server.host))
    assert server.connections == 1
    clock.monotonic = lambda: 2 * KEEPALIVE_EXPIRY
    kit.call(sender, build(server.host))
    assert server.connections == 2
    assert len(kit.streams(sender)) == kit.pool(sender).slots.count == 1


def test_a_kept_connection_that_goes_while_the_request_comes_is_stale(kit, serve, build):
    server, sender = serve(OK, then_close(b""), then=OK), kit.sender()
    kit.call(sender, build(server.host))
    error = failed(kit, sender, build(server.host))
    assert (error.stale, error.maybe_executed) == (True, True)
    assert kit.call(sender, build(server.host)).body == b"{}"
    assert (server.connections, len(server.requests)) == (2, 3)


@pytest.mark.parametrize(
    "end", [then_close(b""), then_close(b"HTTP/1.1 200 OK\r\n")], ids=["silent", "begun"]
)
def test_a_new_connection_that_goes_is_not_stale(kit, serve, build, end):
    server, sender = serve(end), kit.sender()
    assert not failed(kit, sender, build(server.host)).stale


def test_a_kept_connection_that_goes_after_a_byte_or_late_is_not_stale(kit, serve, build):
    def late(connection):
        time.sleep(0.6)
        connection.shutdown(socket.SHUT_RDWR)

    server, sender = serve(OK, then_close(b"H"), OK, late), kit.sender()
    for _ in range(2):
        kit.call(sender, build(server.host))
        error = failed(kit, sender, build(server.host))
        assert (error.stale, error.maybe_executed) == (False, True)


PHASES = {
    "pool": Timeouts(pool=0.2),
    "first_byte": Timeouts(first_byte=0.2),
    "total": Timeouts(total=0.2),
}


@pytest.mark.parametrize("phase", ["first_byte", "total"])
def test_silence_runs_into_the_nearer_limit(kit, serve, build, phase):
    server = serve(raw_server.silence)
    started = time.monotonic()
    error = failed(kit, kit.sender(), build(server.host, timeouts=PHASES[phase]), APITimeoutError)
    assert 0.15 < time.monotonic() - started < 1
    assert (error.phase, error.maybe_executed) == (phase, True)


def test_a_head_that_drips_ends_at_the_first_byte(kit, serve, build):
    server = serve(raw_server.drip(OK, 0.05))
    request = build(server.host, timeouts=Timeouts(first_byte=0.3))
    started = time.monotonic()
    error = failed(kit, kit.sender(), request, APITimeoutError)
    assert 0.25 < time.monotonic() - started < 1
    assert error.phase == "first_byte"


def test_a_body_that_drips_ends_with_the_call(kit, serve, build):
    def answer(connection):
        connection.sendall(response(b"", length=10_000))
        raw_server.drip(b"a" * 10_000, 0.05)(connection)

    server = serve(answer)
    request = build(server.host, timeouts=Timeouts(idle=0.2, total=0.5))
    started = time.monotonic()
    error = failed(kit, kit.sender(), request, APITimeoutError)
    assert 0.4 < time.monotonic() - started < 1
    assert error.phase == "total"


def test_a_body_that_stalls_is_idle(kit, serve, build):
    server = serve(raw_server.then_silence(response(b"ab", length=10)))
    request = build(server.host, timeouts=Timeouts(idle=0.2))
    error = failed(kit, kit.sender(), request, APITimeoutError)
    assert error.phase == "idle"
    assert error.request_id is None


def test_a_server_that_takes_nothing_is_a_write_timeout(kit, serve, build):
    server = serve(instead=(raw_server.deaf,))
    request = build(server.host, b"a" * 8_000_000, timeouts=Timeouts(write=0.2))
    error = failed(kit, kit.sender(), request, APITimeoutError)
    assert (error.phase, error.maybe_executed, error.retryable) == ("write", False, True)


def test_a_connection_that_is_not_accepted_is_a_connect_timeout(kit, build):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fill = [socket.socket() for _ in range(4)]
        for one in fill:
            one.setblocking(False)
            one.connect_ex(address)
        request = build(f"http://127.0.0.1:{address[1]}", timeouts=Timeouts(connect=0.2))
        error = failed(kit, kit.sender(), request, APITimeoutError)
        for one in fill:
            one.close()
    assert (error.phase, error.maybe_executed) == ("connect", False)


def test_a_full_pool_says_how_full(kit, serve, build):
    server = serve(raw_server.then_silence(response(b"", length=10)))
    sender = kit.sender(limits=Limits(connections=1))
    held = kit.send(sender, build(server.host))
    error = failed(kit, sender, build(server.host, timeouts=PHASES["pool"]), APITimeoutError)
    assert (error.phase, error.maybe_executed) == ("pool", False)
    assert "1 of 1 connections are in use" in str(error)
    kit.wait(held.close())


def test_no_time_at_all_is_no_wait(kit, serve, build, phases):
    server, sender = serve(then=OK), kit.sender()
    request = build(server.host, timeouts=Timeouts(total=1e-9))
    for _ in range(2):
        error = failed(kit, sender, request, APITimeoutError, phases(request))
        assert (error.phase, error.maybe_executed) == ("total", False)
    assert server.requests == []


LIMITS = ("connect", "write", "first_byte")


@pytest.mark.parametrize("phase", LIMITS)
def test_a_limit_that_is_used_up_ends_the_try_at_once(kit, serve, build, phase, monkeypatch):
    server, sender = serve(then=OK), kit.sender()
    if phase != "connect":
        kit.call(sender, build(server.host))
    request = build(server.host)
    limits = Phases(request.timeouts, None, time.monotonic)

    def nothing_left():
        limits.phase = phase
        return 0.0

    verb = "read" if phase == "first_byte" else phase
    monkeypatch.setattr(Phases, verb, lambda _: nothing_left())
    error = failed(kit, sender, request, APITimeoutError, limits)
    assert error.phase == phase
    assert error.maybe_executed is (phase == "first_byte")
    assert not kit.pool(sender).slots.waiting


def test_a_compressed_body_is_unpacked(kit, serve, build):
    server = serve(response(gzip.compress(b"{}"), "Content-Encoding: gzip"))
    assert kit.call(kit.sender(), build(server.host)).body == b"{}"


def test_a_body_in_an_encoding_that_was_not_asked_for_is_named(kit, serve, build):
    server, sender = (
        serve(response(b"x", "Content-Encoding: br", "X-Request-Id: r"), OK),
        kit.sender(),
    )
    error = failed(kit, sender, build(server.host), InvalidResponseError)
    assert "br" in str(error)
    assert (error.status_code, error.request_id) == (200, "r")
    kit.call(sender, build(server.host))
