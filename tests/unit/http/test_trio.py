"""The same transport under trio."""

import contextlib
import socket
import time

import pytest
import raw_server
import tls_server
import trio
from raw_server import chunked, response

from databricks_serving._core.proxies import Proxy
from databricks_serving._http.async_sender import AsyncSender
from databricks_serving._http.connections import Connections
from databricks_serving.errors import APIConnectionError, APITimeoutError, ClientClosedError
from databricks_serving.options import Limits, Timeouts

OK = response(b"{}")


@pytest.fixture
def call(phases):
    """Make calls one after the other within one event loop; return the last body."""

    def run(sender, *requests):
        async def main():
            reply = None
            try:
                for request in requests:
                    with trio.fail_after(4):
                        reply = await (await sender.send(request, phases(request))).read()
                    await trio.sleep(0.02)
            finally:
                await sender.close()
            return reply and reply.body

        return trio.run(main)

    return run


def sender_of(proxy=None, **connections):
    return AsyncSender(None, Connections(proxy_for=lambda _: proxy, **connections))


def test_calls_share_a_connection_until_the_server_closes_it(serve, build, call):
    server = serve(OK, raw_server.then_close(OK), then=OK)
    assert call(sender_of(), *[build(server.host)] * 4) == b"{}"
    assert server.connections == 2


def test_a_run_that_is_over_leaves_nothing_behind(serve, build, phases):
    server, sender = serve(then=OK), sender_of()
    request = build(server.host)

    async def main():
        await (await sender.send(request, phases(request))).read()

    for _ in range(3):
        trio.run(main)
    assert len(sender._homes) == 1
    trio.run(sender.close)


@pytest.mark.parametrize("phase", ["first_byte", "total", "connect", "write"])
def test_limits_hold(serve, build, call, phase):
    server = serve(instead=(raw_server.deaf if phase == "write" else quiet,))
    host = f"https://127.0.0.1:{server.port}" if phase == "connect" else server.host
    content = b"a" * (8_000_000 if phase == "write" else 1)
    request = build(host, content, timeouts=Timeouts(**{phase: 0.2}))
    started = time.monotonic()
    with pytest.raises(APITimeoutError) as caught:
        call(sender_of(), request)
    assert caught.value.phase == phase
    assert time.monotonic() - started < 1


def quiet(connection):
    raw_server.read_request(connection)
    connection.recv(1)


def test_a_refused_connection_says_so(build, call):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(APIConnectionError, match="Connection refused"):
        call(sender_of(), build(f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize(
    "answer", [raw_server.reset, raw_server.then_close(response(b"", length=9))]
)
def test_what_breaks_is_ours(serve, build, call, answer):
    server = serve(then=answer)
    with pytest.raises(APIConnectionError, match="broke before"):
        call(sender_of(), build(server.host))


def test_an_early_refusal_is_read(serve, build, call):
    def refuse(connection):
        connection.recv(1000)
        connection.sendall(response(b"big", status="413 Payload Too Large"))
        time.sleep(0.05)
        raw_server.reset(connection)

    server = serve(instead=(refuse,))
    assert call(sender_of(), build(server.host, b"a" * 8_000_000)) == b"big"


@pytest.mark.parametrize("kind", ["good", "untrusted"])
def test_tls_is_checked(build, call, kind):
    with tls_server.tls_server(tls_server.server_context(kind), OK, OK) as server:
        sender = sender_of(ssl_context=tls_server.client_context())
        requests = [build(server.host)] * 2
        if kind == "good":
            assert call(sender, *requests) == b"{}"
        else:
            with pytest.raises(APIConnectionError, match="not trusted"):
                call(sender, *requests)


def test_an_answer_cut_off_without_a_farewell_is_not_whole(build, call):
    def cut(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n{}")
        time.sleep(0.05)
        socket.socket.shutdown(connection, socket.SHUT_RDWR)

    with tls_server.tls_server(tls_server.server_context(), cut) as server:
        sender = sender_of(ssl_context=tls_server.client_context())
        with pytest.raises(APIConnectionError, match="broke before"):
            call(sender, build(server.host))


def test_a_proxy_leads_to_the_host(build, call):
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(tls_server.tls_server(tls_server.server_context(), OK))
        proxy = stack.enter_context(tls_server.proxy_server(server.port))
        sender = sender_of(
            ssl_context=tls_server.client_context(), proxy=Proxy(f"http://127.0.0.1:{proxy.port}")
        )
        assert call(sender, build(server.host)) == b"{}"
        assert len(proxy.heads) == 1


def test_cancelled_calls_lose_no_place(serve, build, phases):
    server = serve(*[chunked(b"ab", ends=False)] * 6, then=chunked(b"ab"))
    request = build(server.host)

    async def main():
        sender = sender_of(limits=Limits(connections=2))
        for seconds in (0, 0.001, 0.005, 0.02, 0.02, 0.02):
            with trio.move_on_after(seconds):
                exchange = await sender.send(request, phases(request))
                try:
                    await exchange.read()
                finally:
                    await exchange.close()
        (home,) = sender._homes.values()
        assert not home.pool.slots.waiting
        await sender.close()

    trio.run(main)


def test_closing_wakes_a_task_that_waits(serve, build, phases):
    server = serve(raw_server.silence)
    request = build(server.host)

    async def main():
        sender = sender_of()

        async def wait():
            with pytest.raises(ClientClosedError):
                await sender.send(request, phases(request))

        with trio.fail_after(2):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait)
                await trio.sleep(0.1)
                await sender.close()

    trio.run(main)
