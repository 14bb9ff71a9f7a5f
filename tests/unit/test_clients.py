"""The life of a client: making, copying, closing."""

import builtins
import copy
import gc
import json
import os
import pickle
import socket
import ssl
import subprocess
import sys
import threading

import httpx
import pytest
import raw_server
import wire

from databricks_serving import AsyncServingClient, ServingClient
from databricks_serving.errors import ClientClosedError, ConfigError

# What importing the package, or its types alone, must not cost.
IMPORT = """
import sys, threading
before = set(threading.enumerate())
import databricks_serving
import databricks_serving.errors, databricks_serving.options, databricks_serving.models
import databricks_serving.events, databricks_serving.params
assert set(threading.enumerate()) == before
print(*sorted({"httpx", "httpcore", "ssl", "socket", "asyncio", "anyio"} & set(sys.modules)))
"""
BARE = """
import sys
import databricks_serving
print(*sorted({"attr", "orjson", "databricks_serving_api"} & set(sys.modules)))
"""


def call(shell, client):
    return shell.wait(client.chat.completions.create(model="m", messages=wire.USER))


def stream(shell, client):
    return shell.wait(client.chat.completions.create(model="m", messages=wire.USER, stream=True))


def output_of(program):
    command = [sys.executable, "-W", "error", "-c", program]
    # What measures this process must not load anything into that one.
    inherited = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    environment = {**inherited, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("kind", [ServingClient, AsyncServingClient])
def test_making_a_client_touches_nothing(monkeypatch, kind):
    def refuse(*_, **__):
        raise AssertionError("a constructor does no work")

    for owner, name in (
        (builtins, "open"),
        (os, "open"),
        (socket, "socket"),
        (socket, "getaddrinfo"),
        (ssl, "create_default_context"),
        (ssl, "SSLContext"),
        (threading.Thread, "start"),
        (httpx, "HTTPTransport"),
        (httpx, "AsyncHTTPTransport"),
    ):
        monkeypatch.setattr(owner, name, refuse)
    client = kind("w.example.com", wire.TOKEN)
    client.with_options(timeout=3)
    assert client.chat.completions.with_raw_response


def test_importing_opens_no_network_stack_and_starts_no_thread():
    assert output_of(IMPORT) == ""


def test_importing_the_package_alone_costs_nothing():
    assert output_of(BARE) == ""


def test_a_block_closes_the_client(shell):
    client = shell.client(wire.json_reply(wire.chat()))
    with shell.opened(client) as entered:
        assert entered is client
        call(shell, client)
        assert shell.transport.closed == 0
    assert shell.transport.closed == 1


def test_an_exception_closes_the_client_and_is_not_changed(shell):
    client = shell.client(wire.json_reply(wire.chat()))
    boom = KeyError("own")

    def use():
        with shell.opened(client):
            raise boom

    with pytest.raises(KeyError) as caught:
        use()
    assert caught.value is boom
    assert shell.transport.closed == 1


def test_a_closed_client_refuses_calls_and_sends_nothing(shell):
    client = shell.client(wire.json_reply(wire.chat()))
    for _ in range(3):
        shell.wait(client.close())
    assert shell.transport.closed == 1
    for use in (call, stream):
        with pytest.raises(ClientClosedError, match="the client is closed") as caught:
            use(shell, client)
        assert not caught.value.maybe_executed
        assert not caught.value.retryable
    with (
        pytest.raises(ClientClosedError),
        shell.opened(client.chat.completions.stream(model="m", messages=wire.USER)),
    ):
        pass
    assert shell.transport.requests == []
    assert shell.clock.slept == []


def test_a_client_that_was_never_used_can_be_closed(shell):
    client = shell.client_class("w.example.com", wire.TOKEN)
    shell.wait(client.close())
    with pytest.raises(ClientClosedError):
        call(shell, client)


def test_a_client_closed_while_a_call_waits_ends_the_call(shell):
    client = shell.client(wire.json_reply({}, status=503), rand=1.0)

    def close(seconds):
        shell.clock.sleep(seconds)
        client._caller.sender._closed = True

    async def close_async(seconds):
        close(seconds)

    client._caller.credentials.clocks.sleep = close_async if shell.name == "async" else close
    with pytest.raises(ClientClosedError) as caught:
        call(shell, client)
    assert caught.value.attempts == 2
    assert len(shell.transport.requests) == 1


def test_a_copy_shares_the_transport_and_does_not_close_it(shell):
    client = shell.client(wire.json_reply(wire.chat()))
    with shell.opened(client.with_options(timeout=3)) as copied:
        assert type(copied) is type(client)
        call(shell, copied)
    shell.wait(copied.close())
    assert shell.transport.closed == 0
    call(shell, copied)
    call(shell, client)
    assert len(shell.transport.requests) == 3


def test_closing_the_parent_closes_its_copies(shell):
    client = shell.client(wire.json_reply(wire.chat()))
    copied = client.with_options(max_retries=0).with_options(timeout=3)
    shell.wait(client.close())
    assert shell.transport.closed == 1
    with pytest.raises(ClientClosedError):
        call(shell, copied)


REPLY = raw_server.response(json.dumps(wire.chat("Hi")).encode())


def test_a_copy_before_the_first_call_shares_the_connections_made_later(shell):
    with raw_server.raw_server(REPLY, REPLY) as server:
        client = shell.client_class(server.host, wire.TOKEN)
        copied = client.with_options(timeout=3)
        assert [call(shell, one).text for one in (client, copied)] == ["Hi", "Hi"]
        assert server.connections == 1
        shell.wait(client.close())


def test_a_client_of_a_subclass_has_copies_of_the_subclass(shell):
    class Own(shell.client_class):
        pass

    assert type(Own("w.example.com", wire.TOKEN).with_options(timeout=3)) is Own


def test_a_transport_of_the_wrong_kind_is_refused_at_once(shell):
    class Other:
        pass

    method = {"sync": "handle_request", "async": "handle_async_request"}[shell.name]
    with pytest.raises(ConfigError, match=f"transport must be .* {method}"):
        shell.client_class("w.example.com", wire.TOKEN, transport=Other())


@pytest.mark.parametrize("value", ["/nowhere/ca.pem", __file__])
def test_certificates_that_cannot_be_loaded_are_a_config_error(shell, monkeypatch, value):
    monkeypatch.setenv("SSL_CERT_FILE", value)
    client = shell.client_class("w.example.com", wire.TOKEN)
    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        call(shell, client)
    shell.wait(client.close())


def test_a_client_can_be_neither_pickled_nor_deep_copied(shell):
    client = shell.client()
    for clone in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            clone(client)


def test_a_forgotten_client_warns_of_nothing(shell):
    with raw_server.raw_server(REPLY) as server:
        client = shell.client_class(server.host, wire.TOKEN)
        call(shell, client)
        del client
        gc.collect()
        shell.finish()


def test_public_names_appear_when_they_are_asked_for():
    program = "import databricks_serving as d; d.Timeouts; d.events; print('Timeouts' in vars(d))"
    assert output_of(program) == "True"
    program = "import databricks_serving as d; print(hasattr(d, 'nothing'))"
    assert output_of(program) == "False"
