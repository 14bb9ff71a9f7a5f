"""Logins that people already have: of databricks-sdk, and of httpx."""

import threading

import httpx
import pytest
import wire

from databricks_serving.auth import HttpxAuth, SdkConfig
from databricks_serving.errors import ConfigError, TokenError

SECRET = "hush-9876543210abcdef"


class Config:
    """As much of the official SDK's as a client needs."""

    def __init__(self, host="https://sdk.example.com", headers=None, error=None):
        self.host = host
        self.headers = headers or {"Authorization": f"Bearer {SECRET}"}
        self.error = error
        self.threads = []

    def authenticate(self):
        self.threads.append(threading.current_thread())
        if self.error is not None:
            raise self.error
        return self.headers


class WorkspaceClient:
    def __init__(self, config):
        self.config = config


def client_of(shell, auth, **options):
    seen = []

    def echo(request):
        seen.append(request)
        return wire.json_reply(wire.chat())

    client = shell.client_class(auth=auth, transport=httpx.MockTransport(echo), **options)
    clocks = client._caller.credentials.clocks
    clocks.monotonic = clocks.wall = shell.clock.monotonic
    return client, seen


def call(shell, client):
    return shell.wait(client.chat.completions.create(model="m", messages=wire.USER))


@pytest.mark.parametrize(
    "wrap", [lambda c: c, WorkspaceClient, SdkConfig], ids=["config", "client", "own"]
)
def test_the_login_of_the_official_sdk_is_used(shell, wrap):
    config = Config()
    client, seen = client_of(shell, wrap(config))
    assert config.threads == []
    assert client.host == "https://sdk.example.com"
    for _ in range(3):
        call(shell, client)
        shell.clock.advance(16)
    assert [str(r.url.host) for r in seen] == ["sdk.example.com"] * 3
    assert {r.headers["authorization"] for r in seen} == {f"Bearer {SECRET}"}
    assert len(config.threads) == 2
    here = threading.current_thread() in config.threads
    assert here == (shell.name == "sync")
    assert "from the argument auth" in shell.wait(client.auth.describe())


def test_a_client_is_made_of_a_workspace_client(shell):
    config = Config()
    client = shell.client_class.from_workspace_client(WorkspaceClient(config), timeout=3)
    assert (client.host, client.timeouts.idle) == ("https://sdk.example.com", 3)
    with pytest.raises(ConfigError, match="auth must be"):
        shell.client_class.from_workspace_client(object())


def test_a_host_that_is_not_that_of_the_login_is_refused(shell):
    with pytest.raises(ConfigError, match=r"host is not https://sdk\.example\.com"):
        shell.client_class("other.example.com", auth=Config())
    assert shell.client_class("sdk.example.com", auth=Config()).host == "https://sdk.example.com"


def test_other_headers_of_the_sdk_are_sent_too(shell):
    headers = {
        "Authorization": f"Bearer {SECRET}",
        "X-Databricks-Azure-SP-Management-Token": "m" * 20,
    }
    client, seen = client_of(shell, Config(headers=headers))
    call(shell, client)
    assert seen[0].headers["x-databricks-azure-sp-management-token"] == "m" * 20


def test_a_login_that_is_no_bearer_token_is_sent_as_it_is(shell):
    client, seen = client_of(shell, Config(headers={"authorization": "Basic dTpw"}))
    call(shell, client)
    assert seen[0].headers["authorization"] == "Basic dTpw"


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (Config(error=ValueError(SECRET)), "ValueError while its headers"),
        (Config(headers={"x": "y"}), "no authorization"),
        (Config(headers={"Authorization": "Bearer a b"}), "a token that has a character"),
    ],
)
def test_a_login_that_fails_is_a_clear_error(shell, config, text):
    client, seen = client_of(shell, config)
    with pytest.raises(TokenError, match=text) as caught:
        call(shell, client)
    assert (caught.value.source, seen) == ("databricks-sdk", [])
    assert SECRET not in str(caught.value)


class Header(httpx.Auth):
    def auth_flow(self, request):
        request.headers["Authorization"] = f"Bearer {SECRET}"
        request.headers["X-Key"] = "k" * 20
        yield request


class Fetching(httpx.Auth):
    def auth_flow(self, request):
        yield httpx.Request("GET", "https://elsewhere.test/token")
        yield request


@pytest.mark.parametrize("wrap", [lambda a: a, HttpxAuth], ids=["plain", "own"])
def test_an_auth_of_httpx_is_a_source_of_headers(shell, wrap):
    client, seen = client_of(shell, wrap(Header()), host=wire.HOST)
    call(shell, client)
    assert seen[0].headers["authorization"] == f"Bearer {SECRET}"
    assert seen[0].headers["x-key"] == "k" * 20
    client, seen = client_of(shell, httpx.BasicAuth("u", "p"), host=wire.HOST)
    call(shell, client)
    assert seen[0].headers["authorization"] == "Basic dTpw"


def test_an_auth_of_httpx_that_sends_requests_is_refused(shell):
    client, seen = client_of(shell, Fetching(), host=wire.HOST)
    with pytest.raises(TokenError, match="sends requests of its own"):
        call(shell, client)
    assert seen == []
