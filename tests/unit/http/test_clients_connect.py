"""Both clients over real connections."""

import asyncio
import gc
import gzip
import json

import pytest
import raw_server
import wire
from raw_server import chunked, response, then_close

from databricks_serving._http.sender import Sender
from databricks_serving.errors import (
    NotFoundError,
    ServingError,
    StreamInterruptedError,
)

REPLY = json.dumps(wire.chat("Hi")).encode()
HELLO = wire.sse(wire.chunk("The "), wire.chunk("Po.", "stop"), "[DONE]")
FIRST = wire.sse(wire.chunk("The "))


@pytest.fixture
def serving(shell):
    """Run a server with answers and make a client for it."""
    servers, clients = [], []

    def start(*answers, **options):
        manager = raw_server.raw_server(*answers)
        server = manager.__enter__()
        servers.append(manager)
        client = shell.client_class(server.host, wire.TOKEN, **({"max_retries": 0} | options))
        clients.append(client)
        return server, client

    yield start
    for client in clients:
        shell.wait(client.close())
    for manager in servers:
        manager.__exit__(None, None, None)


def call(shell, client, **arguments):
    arguments = {"model": "m", "messages": wire.USER} | arguments
    return shell.wait(client.chat.completions.create(**arguments))


def broken(shell, client, kind, **arguments):
    with pytest.raises(kind) as caught:
        call(shell, client, **arguments)
    assert type(caught.value) is kind
    return caught.value


def test_calls_share_a_connection(shell, serving):
    server, client = serving(*[response(REPLY)] * 3)
    assert [call(shell, client).text for _ in range(3)] == ["Hi"] * 3
    assert server.connections == 1


def test_the_request_is_what_it_should_be(shell, serving, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    cookie = "Set-Cookie: a=b; Path=/"
    server, client = serving(response(REPLY, cookie), response(REPLY))
    call(shell, client)
    call(shell, client)
    head, _, body = server.requests[1].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /serving-endpoints/m/invocations http/1.1"
    assert {line.partition(":")[0] for line in lines[1:]} == {
        "host",
        "accept",
        "accept-encoding",
        "user-agent",
        "authorization",
        "idempotency-key",
        "content-type",
        "content-length",
    }
    assert f"authorization: bearer {wire.TOKEN}" in lines
    assert json.loads(body) == {"messages": wire.USER}


def test_a_compressed_reply_is_read(shell, serving):
    _, client = serving(response(gzip.compress(REPLY), "Content-Encoding: gzip"))
    assert call(shell, client).text == "Hi"


def test_an_error_leaves_the_connection_usable(shell, serving):
    server, client = serving(response(b"{}", status="404 Not Found"), response(REPLY))
    broken(shell, client, NotFoundError)
    assert call(shell, client).text == "Hi"
    assert server.connections == 1


def test_a_stream_that_was_read_leaves_the_connection_usable(shell, serving):
    server, client = serving(chunked(HELLO), response(REPLY))
    assert len(shell.items(call(shell, client, stream=True))) == 2
    call(shell, client)
    assert server.connections == 1


@pytest.mark.parametrize("read", [0, 1])
def test_a_stream_that_was_left_frees_its_place_in_the_pool(shell, serving, read):
    _, client = serving(*[chunked(FIRST, FIRST, ends=False)] * 3, response(REPLY))
    for _ in range(3):
        with shell.opened(call(shell, client, stream=True)) as stream:
            for _ in range(read):
                assert shell.next(stream).text == "The "
    call(shell, client)
    assert places(client) == 1


def test_a_loop_that_breaks_without_a_block_frees_its_place_in_the_pool(shell, serving):
    _, client = serving(*[chunked(FIRST, FIRST, ends=False)] * 3, response(REPLY))
    for _ in range(3):
        with pytest.warns(ResourceWarning, match="unclosed answer"):
            leave(shell, client)
    call(shell, client)
    assert places(client) == 1


def leave(shell, client):
    assert shell.next(call(shell, client, stream=True)).text == "The "
    gc.collect()
    if shell.name == "async":
        shell.wait(asyncio.sleep(0.01))


def places(client):
    """Return the number of connections that a client has open."""
    sender = client._caller.sender
    if isinstance(sender, Sender):
        (pool,) = sender._pools.values()
        return pool.slots.count
    (home,) = sender._homes.values()
    return home.pool.slots.count


@pytest.mark.parametrize("answer", [then_close(chunked(FIRST, ends=False)), chunked(FIRST)])
def test_a_stream_that_is_cut_keeps_what_had_come(shell, serving, answer):
    _, client = serving(answer)
    stream = call(shell, client, stream=True)
    assert shell.next(stream).text == "The "
    with pytest.raises(StreamInterruptedError) as caught:
        shell.items(stream)
    assert caught.value.partial.text == "The "


def test_a_stream_that_stalls_is_interrupted(shell, serving):
    def stall(connection):
        connection.sendall(chunked(FIRST, ends=False))
        raw_server.silence(connection)

    _, client = serving(stall, timeout=0.2)
    with pytest.raises(StreamInterruptedError, match="phase idle") as caught:
        shell.items(call(shell, client, stream=True))
    assert caught.value.partial.text == "The "
    assert caught.value.endpoint == "m"


def test_a_client_closed_during_a_stream_ends_it_with_an_error_of_ours(shell, serving):
    _, client = serving(chunked(FIRST, FIRST, ends=False))
    stream = call(shell, client, stream=True)
    assert shell.next(stream).text == "The "
    shell.wait(client.close())
    with pytest.raises(ServingError):
        shell.items(stream)


def test_a_redirect_target_is_never_asked(shell, serving):
    other, _ = serving()
    location = f"Location: {other.host}/x"
    _, client = serving(response(b"", location, status="307 Temporary Redirect"))
    with pytest.raises(ServingError, match="redirects are not followed"):
        call(shell, client)
    assert other.connections == 0
