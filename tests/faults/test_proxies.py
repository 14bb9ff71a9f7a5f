"""Proxies of the environment and of the client; row T-29."""

import base64
import socket
import ssl

import pytest
from tls_server import authority, client_context, proxy_server, tls_server

from databricks_serving.errors import APIConnectionError, ConfigError

from .support.canary import PASSWORD, PROMPT, TOKEN
from .support.house import GOOD

HOST = "https://workspace.example.com"


@pytest.fixture
def workspace(house):
    """A workspace under a name that nobody can resolve: only a proxy leads to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("workspace.example.com").configure_cert(context)
    return house.enter(tls_server(context, then=GOOD))


def client_for(house, **options):
    """Make a client that goes where the environment says, unless told otherwise."""
    options = {"proxy": None, "ssl_context": client_context(), "max_retries": 0} | options
    return house.client(HOST, **options)


def check_tunnel(proxy):
    """Check that a proxy was asked for a tunnel, and carried nothing that it could read."""
    assert proxy.heads[0].startswith(b"CONNECT workspace.example.com:443 HTTP/1.1\r\n")
    for secret in (TOKEN, PROMPT):
        assert secret.encode() not in b"".join(proxy.heads)
        assert secret.encode() not in proxy.carried
    assert b"uthorization: bearer" not in b"".join(proxy.heads).lower()
    assert len(proxy.carried) > 500


@pytest.mark.row("T-29")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_used(house, workspace, monkeypatch, variable):
    proxy = house.enter(proxy_server(workspace.port))
    monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
    assert house.call(client_for(house)).text == "Hi"
    assert len(workspace.requests) == 1
    check_tunnel(proxy)


@pytest.mark.row("T-29")
def test_a_proxy_of_the_client_goes_first_and_is_told_its_user(house, workspace, monkeypatch):
    proxy = house.enter(proxy_server(workspace.port))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "*")
    client = client_for(house, proxy=f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}")
    assert house.call(client).text == "Hi"
    check_tunnel(proxy)
    expected = base64.b64encode(f"user:{PASSWORD}".encode())
    assert b"basic " + expected in proxy.heads[0].replace(b"Basic", b"basic")
    assert PASSWORD.encode() not in workspace.requests[0]


@pytest.mark.row("T-29")
@pytest.mark.parametrize(
    "exceptions",
    ["*", "workspace.example.com", ".example.com", "example.com", "a, workspace.example.com:443"],
)
def test_an_exception_of_the_environment_leads_past_the_proxy(house, monkeypatch, exceptions):
    proxy = house.enter(proxy_server(9))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", exceptions)
    monkeypatch.setattr("socket.getaddrinfo", no_such_name)
    client = house.client(HOST, proxy=None, max_retries=0, healthy=False)
    house.fails(client, APIConnectionError, r"workspace\.example\.com")
    assert proxy.heads == []


def no_such_name(*_, **__):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.row("T-29")
@pytest.mark.parametrize(
    "exceptions", ["other.example.com", "workspace.example.com:8443", "10.0.0.0/8", "xample.com"]
)
def test_an_exception_for_another_host_is_none_for_this_one(
    house, workspace, monkeypatch, exceptions
):
    proxy = house.enter(proxy_server(workspace.port))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert house.call(client_for(house)).text == "Hi"
    check_tunnel(proxy)


@pytest.mark.row("T-29")
def test_an_address_may_be_an_exception_by_its_network(house, monkeypatch):
    proxy = house.enter(proxy_server(9))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    for exceptions, asked in [("10.0.0.0/8", False), ("192.168.0.0/16", True)]:
        monkeypatch.setenv("NO_PROXY", exceptions)
        client = house.client("https://10.1.2.3", proxy=None, healthy=False)
        proxy_for = client._caller.sender._connections.proxy_for
        assert (proxy_for("https://10.1.2.3") is not None) is asked
    assert proxy.heads == []


@pytest.mark.row("T-29")
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_a_call_in_clear_or_to_this_machine_never_goes_through_a_proxy(
    house, monkeypatch, variable
):
    proxy = house.enter(proxy_server(9))
    monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
    server, client = house.serve(proxy=None, max_retries=0)
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 1
    assert proxy.heads == []


@pytest.mark.row("T-29")
@pytest.mark.parametrize("value", ["http://", "ftp://proxy:1", "http://proxy:port", "http://a b"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_a_proxy_that_cannot_be_is_named_by_its_variable(house, monkeypatch, variable, value):
    secret = value.replace("://", f"://user:{PASSWORD}@")
    monkeypatch.setenv(variable, secret)
    with house.raising(ConfigError, variable):
        house.client(HOST, proxy=None)
    monkeypatch.delenv(variable)
    with house.raising(ConfigError, "proxy"):
        house.client(HOST, proxy=secret)


@pytest.mark.row("T-29")
def test_a_proxy_that_refuses_is_named(house, workspace):
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    proxy = house.enter(proxy_server(workspace.port, refusal))
    address = f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}"
    client = client_for(house, proxy=address, max_retries=2, healthy=False)
    error = house.fails(client, APIConnectionError, "proxy.*407|407.*proxy")
    assert not error.maybe_executed
    assert not error.retryable
    assert error.attempts == len(proxy.heads) == 1
    assert workspace.connections == 0


@pytest.mark.row("T-29")
def test_a_proxy_that_is_down_is_named_and_tried_again(house, workspace):
    down = house.enter(proxy_server(workspace.port))
    down.close()
    address = f"http://user:{PASSWORD}@127.0.0.1:{down.port}"
    client = client_for(house, proxy=address, max_retries=2, healthy=False)
    error = house.fails(client, APIConnectionError, "proxy")
    assert not error.maybe_executed
    assert error.retryable
    assert error.attempts == 3
    assert workspace.connections == 0


@pytest.mark.row("T-29")
def test_an_empty_variable_is_none(house, monkeypatch):
    for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    client = house.client(HOST, proxy=None, healthy=False)
    assert client._caller.sender._connections.proxy_for(HOST) is None
