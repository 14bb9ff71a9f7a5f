"""Host and token: what is accepted, how it is written, and what is never shown."""

import asyncio
import inspect
import traceback

import pytest

from databricks_serving import AsyncServingClient, ServingClient
from databricks_serving._core.clocks import Now
from databricks_serving._core.config import normalise_host
from databricks_serving.errors import ConfigError, ServingError

CANARY = "dapi0canary0"
HOSTS = [
    ("adb-1.azuredatabricks.net", "https://adb-1.azuredatabricks.net"),
    ("https://w.example.com", "https://w.example.com"),
    ("https://w.example.com/", "https://w.example.com"),
    ("https://w.example.com///", "https://w.example.com"),
    ("  https://w.example.com\n", "https://w.example.com"),
    ("HTTPS://W.Example.COM", "https://w.example.com"),
    ("https://w.example.com:443", "https://w.example.com"),
    ("https://w.example.com:", "https://w.example.com"),
    ("https://w.example.com:8443", "https://w.example.com:8443"),
    ("w.example.com:8443", "https://w.example.com:8443"),
    ("https://w.example.com/a/b/", "https://w.example.com/a/b"),
    ("https://w.example.com/?", "https://w.example.com"),
    ("https://bücher.example", "https://xn--bcher-kva.example"),
    ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
    ("https://10.0.0.1", "https://10.0.0.1"),
    ("https://[2002:a00:1::1]", "https://[2002:a00:1::1]"),
    ("https://" + "a" * 63 + ".example", "https://" + "a" * 63 + ".example"),
    ("https://dapi.example.com", "https://dapi.example.com"),
    ("http://localhost:8080", "http://localhost:8080"),
    ("http://localhost:80", "http://localhost"),
    ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
    ("http://[::1]:8080", "http://[::1]:8080"),
    ("https://my_workspace.example.com", "https://my_workspace.example.com"),
]
NO_HOSTS = [
    ("", "empty"),
    ("   ", "empty"),
    ("https://", "host name"),
    ("https:///serving", "host name"),
    ("https://w example.com", "space"),
    ("https://w.example.com\nx", "space"),
    ("https://w.example.com\x00", "control"),
    ("http://w.example.com", "https"),
    ("http://10.0.0.1", "https"),
    ("http://localhost.example.com", "https"),
    ("ftp://w.example.com", "https"),
    ("javascript:alert(1)", "port"),
    ("javascript://alert", "https"),
    ("file:///etc/passwd", "https"),
    ("https://user:pw@w.example.com", "user name"),
    ("https://user@w.example.com", "user name"),
    ("user:pw@w.example.com", "user name"),
    ("https://w.example.com/?o=1", "query"),
    ("https://w.example.com#x", "fragment"),
    ("https://w.example.com\\@evil.example", "user name"),
    ("https://w.example.com\\x", "backslash"),
    ("https://w.example.com/%2e%2e", "percent"),
    ("https://w.example.com:x", "port"),
    ("https://w.example.com:0", "port"),
    ("https://w.example.com:70000", "port"),
    ("https://169.254.169.254", "not the address"),
    ("https://[fe80::1]", "not the address"),
    ("https://[::ffff:169.254.169.254]", "not the address"),
    ("https://0.0.0.0", "not the address"),
    ("https://[::]", "not the address"),
    ("https://224.0.0.1", "not the address"),
    ("https://[2002:a9fe:a9fe::1]", "not the address"),
    ("https://100.100.100.200", "not the address"),
    ("https://168.63.129.16", "not the address"),
    ("https://[fd00:ec2::254]", "not the address"),
    ("https://[fd00:0ec2:0::254]", "not the address"),
    ("https://Metadata.Google.Internal", "not the address"),
    ("http://metadata.google.internal", "not the address"),
    ("https://" + "a" * 64 + ".example", "host name"),
    ("https://" + "a." * 130 + "example", "too long"),
    ("https://" + "ü." * 100_000 + "example", "too long"),
    ("dapi" + "0a" * 16, "swapped"),
    ("https://DAPI" + "0a" * 16 + "-2", "swapped"),
    ("https://2852039166", "host name"),
    ("https://0xa9fea9fe", "host name"),
    ("https://169.254.43518", "host name"),
    ("https://[::1", "valid URL"),
    ("https://-w.example.com", "host name"),
    ("https://w..example.com", "host name"),
    ("https://" + "ü" * 70 + ".example", "host name"),
    ("https://w.example.com/serving-endpoints", "without /serving-endpoints"),
    (b"https://w.example.com", "bytes"),
    (7, "int"),
]
NO_TOKENS = [
    "",
    "  ",
    "\n",
    f"{CANARY}\n",
    f"{CANARY}\r\nX-Evil: 1",
    f"Bearer {CANARY}",
    f"bearer {CANARY}",
    f"{CANARY} {CANARY}",
    f"{CANARY}\t{CANARY}",
    f"{CANARY}\x00",
    f"{CANARY}\N{RIGHT SINGLE QUOTATION MARK}",
    CANARY * 10_000,
    CANARY.encode(),
    7,
]


@pytest.fixture(params=[ServingClient, AsyncServingClient])
def make(request, monkeypatch):
    monkeypatch.delenv("DATABRICKS_HOST", raising=False)
    monkeypatch.delenv("DATABRICKS_TOKEN", raising=False)
    return request.param


def host_of(client):
    return client.host


def token_of(client):
    taken = client._caller.credentials.take(None)
    made = asyncio.run(taken) if inspect.iscoroutine(taken) else taken
    return made.headers.reveal()["authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize(("given", "expected"), HOSTS)
def test_a_host_is_written_in_one_way(given, expected):
    assert normalise_host(given) == expected
    assert normalise_host(expected) == expected


@pytest.mark.parametrize(("given", "reason"), NO_HOSTS)
def test_a_host_that_cannot_work_is_refused_with_the_reason(given, reason):
    with pytest.raises(ConfigError, match=reason):
        normalise_host(given)


@pytest.mark.parametrize("host", [given for given, _ in NO_HOSTS if "pw" in str(given)])
def test_a_password_in_a_host_is_not_echoed(host):
    with pytest.raises(ConfigError) as caught:
        normalise_host(host)
    assert "pw" not in str(caught.value)


# What an environment can hold, without a text that is empty, which counts as unset.
ENVIRONMENT = [t for t in NO_TOKENS if isinstance(t, str) and t.strip() and "\x00" not in t]
SOURCES = [("argument", t) for t in NO_TOKENS] + [("environment", t) for t in ENVIRONMENT]


@pytest.mark.parametrize(("source", "token"), SOURCES, ids=lambda value: repr(value)[:40])
def test_a_refused_token_is_shown_nowhere(make, monkeypatch, source, token):
    if source == "environment":
        monkeypatch.setenv("DATABRICKS_TOKEN", token)
    with pytest.raises(ConfigError, match="token") as caught:
        make("w.example.com", token if source == "argument" else None)
    trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    # The first frame is this test, which has the token in its hands.
    del trace.stack[0]
    shown = "".join(trace.format()) + str(caught.value) + repr(caught.value)
    assert CANARY not in shown
    assert caught.value.__cause__ is None


def test_spaces_around_a_token_are_dropped(make):
    assert token_of(make("w.example.com", f"  {CANARY} ")) == CANARY


def test_arguments_go_before_the_environment(make, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", "env.example.com")
    monkeypatch.setenv("DATABRICKS_TOKEN", "env-token")
    client = make("w.example.com", CANARY)
    assert (host_of(client), token_of(client)) == ("https://w.example.com", CANARY)
    assert (host_of(make()), token_of(make())) == ("https://env.example.com", "env-token")


@pytest.mark.parametrize("missing", ["DATABRICKS_HOST", "DATABRICKS_TOKEN"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_or_empty_variable_is_named(make, monkeypatch, missing, value):
    monkeypatch.setenv("DATABRICKS_HOST", "w.example.com")
    monkeypatch.setenv("DATABRICKS_TOKEN", CANARY)
    monkeypatch.delenv(missing)
    if value is not None:
        monkeypatch.setenv(missing, value)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match=missing):
        token_of(make())


def test_an_empty_argument_does_not_fall_back_to_the_environment(make, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", "w.example.com")
    monkeypatch.setenv("DATABRICKS_TOKEN", CANARY)
    with pytest.raises(ConfigError, match="host is empty"):
        make(host="")
    with pytest.raises(ConfigError, match="token is empty"):
        make(token="")


def test_a_config_error_is_a_value_error_and_one_of_ours():
    assert issubclass(ConfigError, ValueError)
    assert issubclass(ConfigError, ServingError)


def test_no_repr_shows_the_token(make):
    client = make("w.example.com", CANARY, default_headers={"x-key": CANARY})
    access = client._caller.credentials.access
    seen = [client, client._caller.settings, access.given, access.resolved, access.given.token]
    assert token_of(client) == CANARY
    seen += [access.keeper.look(Now(0.0, 0.0)), client._caller.credentials._last]
    assert CANARY not in "".join(map(repr, seen))
    assert repr(client) == f"{make.__name__}(host='https://w.example.com')"
    assert f"{access.given.token}" == str(access.given.token) == "Secret(***)"
