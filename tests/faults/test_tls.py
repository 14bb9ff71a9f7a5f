"""Encrypted connections that cannot be trusted, or break; section 2.1."""

import contextlib
import shutil
import socket
import ssl
import subprocess

import pytest
from raw_server import deaf, then_close
from tls_server import authority, client_context, server_context, tls_server

from databricks_serving.errors import (
    APIConnectionError,
    APITimeoutError,
    ConfigError,
    StreamInterruptedError,
)
from databricks_serving.options import Timeouts

from .support.answers import FIRST
from .support.house import GOOD, REPLY

OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: "


def secure(house, *answers, context=None, **options):
    """Run a server that speaks TLS, and a client that trusts its authority."""
    server = house.enter(tls_server(context or server_context(), *answers, then=GOOD))
    options = {"ssl_context": client_context()} | options
    return server, house.client(server.host, **options)


@pytest.mark.row("T-05")
def test_a_certificate_that_nobody_trusts_is_refused(house):
    server, client = secure(house, context=server_context("untrusted"))
    error = house.fails(client, APIConnectionError, "certificate")
    assert "SSL_CERT_FILE" in str(error)
    assert not error.maybe_executed
    assert not error.retryable
    assert error.attempts == server.connections == 1
    assert server.requests == []
    server.context = server_context()


@pytest.mark.row("T-06")
def test_a_wrong_name_and_an_old_certificate_are_told_apart(house):
    texts = []
    for kind in ("wrong name", "expired", "untrusted"):
        server, client = secure(house, context=server_context(kind))
        error = house.fails(client, APIConnectionError, "certificate")
        assert error.attempts == server.connections == 1
        assert not error.retryable
        texts.append(str(error))
        server.context = server_context()
    assert "127.0.0.1" in texts[0]
    assert "expired" in texts[1]
    assert len(set(texts)) == 3


def plain_answer(connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.row("T-07")
def test_tls_to_a_port_that_speaks_none_says_so(house):
    server = house.server(instead=(plain_answer,) * 3)
    client = house.client(
        f"https://127.0.0.1:{server.port}", ssl_context=client_context(), healthy=False
    )
    error = house.fails(client, APIConnectionError, "TLS")
    assert "http" in str(error)
    assert not error.maybe_executed
    assert error.attempts == server.connections == 1


# What TLS says to a request in clear: unexpected message.
ALERT = b"\x15\x03\x03\x00\x02\x02\x0a"


@pytest.mark.row("T-07")
def test_no_tls_to_a_port_that_speaks_it_says_so(house):
    _, client = house.serve(*[then_close(ALERT)] * 2)
    error = house.fails(client, APIConnectionError, "TLS.*https|https.*TLS")
    assert error.attempts <= 2


@pytest.mark.row("T-07")
def test_no_tls_to_a_port_that_hangs_up_is_no_connection(house):
    server = house.enter(tls_server(server_context()))
    client = house.client(f"http://127.0.0.1:{server.port}", healthy=False)
    error = house.fails(client, APIConnectionError)
    assert error.attempts == server.connections == 2
    assert server.requests == []


@pytest.mark.row("T-08")
def test_a_handshake_that_stalls_is_a_timeout_of_connecting(house):
    server = house.server(instead=(deaf,) * 2)
    client = house.client(
        f"https://127.0.0.1:{server.port}",
        ssl_context=client_context(),
        timeout=Timeouts(connect=0.3),
        max_retries=1,
        healthy=False,
    )
    error = house.fails(client, APITimeoutError)
    assert error.phase == "connect"
    assert not error.maybe_executed
    assert error.retryable
    assert error.attempts == server.connections == 2
    assert [attempt.elapsed for attempt in error.history] == pytest.approx([0.3, 0.6], abs=0.25)


def cut(data):
    """Answer and close the connection below TLS, without saying so inside it."""

    def answer(connection):
        connection.sendall(data)
        connection.shutdown(2)

    return answer


def ended(data):
    """Answer and say inside TLS that this is the end."""

    def answer(connection):
        connection.sendall(data)
        connection.settimeout(1)
        with contextlib.suppress(OSError):
            connection.unwrap()

    return answer


@pytest.mark.row("T-09")
def test_an_end_outside_tls_is_no_end(house):
    whole = OK + b"application/json\r\n\r\n" + REPLY
    _, client = secure(house, ended(whole), max_retries=0)
    assert house.call(client).text == "Hi"
    server, client = secure(house, cut(whole), cut(whole))
    error = house.fails(client, APIConnectionError)
    assert error.maybe_executed
    assert error.attempts == len(server.requests) == 2


@pytest.mark.row("T-09")
def test_an_end_outside_tls_interrupts_a_stream(house):
    stop = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    whole = OK + b"text/event-stream\r\n\r\n" + FIRST + stop
    _, client = secure(house, ended(whole), max_retries=0)
    assert house.text(client) == "The "
    _, client = secure(house, cut(whole), max_retries=0)
    _, error = house.breaks(house.call(client, stream=True), StreamInterruptedError)
    assert error.partial.text == "The "


@pytest.mark.row("T-10")
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_an_authority_of_one_s_own_comes_from_the_environment(
    house, monkeypatch, tmp_path, variable
):
    file = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(file))
    if variable == "SSL_CERT_DIR":
        if shutil.which("openssl") is None:
            pytest.skip("no openssl here to name the file as a directory of authorities does")
        hashed_links(tmp_path, file)
    place = file if variable == "SSL_CERT_FILE" else tmp_path
    monkeypatch.setenv(variable, str(place))
    _, client = secure(house, ssl_context=None, max_retries=0)
    assert house.call(client).text == "Hi"


def hashed_links(folder, file):
    """Name a certificate as a directory of authorities does: by a hash of its subject."""
    command = ["openssl", "x509", "-subject_hash", "-noout", "-in", file]
    digest = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    (folder / f"{digest}.0").symlink_to(file)


@pytest.mark.row("T-10")
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_path_of_authorities_that_is_not_there_is_named(house, monkeypatch, tmp_path, variable):
    monkeypatch.setenv(variable, str(tmp_path / "nothing"))
    server, client = secure(house, ssl_context=None, healthy=False)
    error = house.fails(client, ConfigError, variable)
    assert not error.maybe_executed
    assert server.connections == 0


def asking(version):
    """Return the context of a server that wants a certificate of its clients."""
    context = server_context(client_certificate=True)
    context.maximum_version = version
    return context


def refusing(context):
    """Shake hands in vain, and wait until the client has read why."""

    def handler(connection):
        secure = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with secure, contextlib.suppress(OSError):
            with contextlib.suppress(ssl.SSLError):
                secure.do_handshake()
            # Hanging up on what the client has sent would drop the reason on its way.
            while socket.socket.recv(secure, 65536):
                pass

    return handler


@pytest.mark.row("T-11")
@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"]
)
def test_a_server_that_asks_for_a_certificate_is_told_apart(house, version):
    context = asking(version)
    server = house.server(instead=(refusing(context),) * 3)
    client = house.client(
        f"https://127.0.0.1:{server.port}", ssl_context=client_context(), healthy=False
    )
    error = house.fails(client, APIConnectionError, "client certificate")
    assert not error.maybe_executed
    assert not error.retryable
    assert error.attempts == server.connections == 1


@pytest.mark.row("T-11")
def test_a_certificate_of_one_s_own_is_shown(house):
    context = asking(ssl.TLSVersion.TLSv1_3)
    _, client = secure(house, context=context, ssl_context=client_context(certificate=True))
    assert house.call(client).text == "Hi"


# What a server that speaks HTTP/2 alone says first: its settings.
SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"


@pytest.mark.row("T-30")
def test_a_server_that_speaks_another_http_is_no_connection(house):
    context = server_context()
    context.set_alpn_protocols(["h2"])
    server, client = secure(house, *[cut(SETTINGS)] * 2, context=context)
    error = house.fails(client, APIConnectionError, "HTTP")
    assert error.attempts <= 2
    assert len(server.requests) == error.attempts


@pytest.mark.row("T-30")
def test_one_http_is_offered_and_no_more(house):
    offered = []
    context = server_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    server, client = secure(house, context=context, max_retries=0)

    def answer(connection):
        offered.append(connection.selected_alpn_protocol())
        connection.sendall(GOOD)

    server.skip(answer)
    assert house.call(client).text == "Hi"
    assert offered in (["http/1.1"], [None])
