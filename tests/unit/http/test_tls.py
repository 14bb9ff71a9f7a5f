"""TLS by real handshakes, and proxies that lead to it."""

import contextlib
import logging
import socket
import ssl
import threading
import time

import pytest
import raw_server
import tls_server
import wire
from raw_server import response, then_close

from databricks_serving._core.proxies import Proxy
from databricks_serving._core.secret import Secret
from databricks_serving._http import tls
from databricks_serving._http.nested_tls import NestedTls
from databricks_serving.errors import APIConnectionError, APITimeoutError, ConfigError
from databricks_serving.options import Timeouts

OK = response(b"{}")


@pytest.fixture
def serve_tls():
    """Start servers behind TLS that are stopped after the test."""
    with contextlib.ExitStack() as stack:

        def start(context, *answers, **options):
            return stack.enter_context(tls_server.tls_server(context, *answers, **options))

        yield start


@pytest.fixture
def start_proxy():
    with contextlib.ExitStack() as stack:

        def start(*arguments, **options):
            return stack.enter_context(tls_server.proxy_server(*arguments, **options))

        yield start


@pytest.fixture(autouse=True)
def own_contexts(monkeypatch):
    monkeypatch.setattr(tls, "_contexts", {})
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def failed(kit, sender, request, kind=APIConnectionError):
    with pytest.raises(kind) as caught:
        kit.call(sender, request)
    assert type(caught.value) is kind
    return caught.value


def test_a_trusted_server_is_called_twice_over_one_connection(kit, serve_tls, build):
    server = serve_tls(tls_server.server_context(), OK, OK)
    sender = kit.sender(ssl_context=tls_server.client_context())
    for _ in range(2):
        assert kit.call(sender, build(server.host)).body == b"{}"
    assert server.connections == 1


@pytest.mark.parametrize("form", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_private_authority_is_named_by_the_environment(
    kit, serve_tls, build, monkeypatch, tmp_path, form
):
    path = tmp_path / "ca.pem"
    tls_server.authority().cert_pem.write_to_path(path)
    if form == "SSL_CERT_DIR":
        # A directory holds certificates under a hash of their subject.
        name = tls_server.subject_hash()
        if name is None:
            pytest.skip("openssl is not installed here")
        path.rename(tmp_path / f"{name}.0")
        path = tmp_path
    monkeypatch.setenv(form, str(path))
    server = serve_tls(tls_server.server_context(), OK)
    assert kit.call(kit.sender(), build(server.host)).body == b"{}"


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_path_without_certificates_is_named(kit, serve_tls, build, monkeypatch, tmp_path, name):
    monkeypatch.setenv(name, str(tmp_path / "missing"))
    server = serve_tls(tls_server.server_context(), OK)
    error = failed(kit, kit.sender(), build(server.host), ConfigError)
    assert name in str(error)


def test_the_default_context_is_made_once_and_only_for_tls(kit, serve, build):
    server = serve(OK)
    kit.call(kit.sender(), build(server.host))
    assert tls._contexts == {}
    context = tls.shared_context()
    assert tls.shared_context() is context
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


FAULTS = {
    "untrusted": r"not trusted .*SSL_CERT_FILE.*ssl_context=",
    "wrong name": "not one for 127.0.0.1",
    "expired": "has expired",
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_certificate_that_is_no_good_says_why(kit, serve_tls, build, kind):
    server = serve_tls(tls_server.server_context(kind), then=OK)
    sender = kit.sender(ssl_context=tls_server.client_context())
    with pytest.raises(APIConnectionError, match=FAULTS[kind]) as caught:
        kit.call(sender, build(server.host))
    assert (caught.value.maybe_executed, caught.value.transient) == (False, False)
    assert server.requests == []


def test_a_self_signed_server_is_not_trusted_by_default(kit, serve_tls, build):
    server = serve_tls(tls_server.server_context(), then=OK)
    assert "not trusted" in str(failed(kit, kit.sender(), build(server.host)))


def test_a_plain_port_does_not_speak_tls(kit, serve, build):
    def plain(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        connection.recv(1)

    server = serve(instead=(plain,))
    error = failed(kit, kit.sender(), build(f"https://127.0.0.1:{server.port}"))
    assert "does not speak TLS" in str(error)
    assert (error.maybe_executed, error.transient) == (False, False)


def test_plain_http_to_a_port_of_tls_says_so(kit, serve, build):
    def alert(connection):
        connection.recv(65536)
        connection.sendall(b"\x15\x03\x03\x00\x02\x02\x46")
        connection.shutdown(socket.SHUT_RDWR)

    server = serve(instead=(alert,))
    error = failed(kit, kit.sender(), build(server.host))
    assert "the port speaks TLS" in str(error)
    assert (error.maybe_executed, error.transient) == (False, False)


def test_plain_http_to_a_real_server_of_tls_fails(kit, serve_tls, build):
    server = serve_tls(tls_server.server_context(), then=OK)
    failed(kit, kit.sender(), build(f"http://127.0.0.1:{server.port}"))


def test_a_client_certificate_is_asked_for_and_given(kit, serve_tls, build):
    context = tls_server.server_context(client_certificate=True)
    server = serve_tls(context, then=OK)
    error = failed(kit, kit.sender(ssl_context=tls_server.client_context()), build(server.host))
    assert "client certificate" in str(error)
    assert (error.maybe_executed, error.transient) == (False, False)
    sender = kit.sender(ssl_context=tls_server.client_context(certificate=True))
    assert kit.call(sender, build(server.host)).body == b"{}"


def test_a_handshake_that_stalls_is_a_connect_timeout(kit, serve, build):
    server = serve(instead=(stalled,))
    host = f"https://127.0.0.1:{server.port}"
    request = build(host, timeouts=Timeouts(connect=0.3))
    started = time.monotonic()
    error = failed(kit, kit.sender(), request, APITimeoutError)
    assert 0.25 < time.monotonic() - started < 1
    assert (error.phase, error.maybe_executed) == ("connect", False)


def stalled(connection):
    connection.recv(65536)
    connection.recv(65536)


def test_a_handshake_that_is_cut_is_no_connection(kit, serve, build):
    def cut(connection):
        connection.recv(65536)

    server = serve(instead=(cut,))
    error = failed(kit, kit.sender(), build(f"https://127.0.0.1:{server.port}"))
    assert "no connection" in str(error)
    assert (error.maybe_executed, error.transient) == (False, True)


def test_another_client_may_use_the_same_context(kit, serve_tls, build):
    spoken = []

    def answer(connection):
        spoken.append(connection.selected_alpn_protocol())
        connection.sendall(response(b"{}", "Connection: close"))

    theirs, ours = tls_server.server_context(), tls_server.client_context()
    theirs.set_alpn_protocols(["h2", "http/1.1"])
    server, sender = serve_tls(theirs, answer, answer), kit.sender(ssl_context=ours)
    for _ in range(2):
        ours.set_alpn_protocols(["h2", "http/1.1"])
        assert kit.call(sender, build(server.host)).body == b"{}"
    assert spoken == ["http/1.1"] * 2


def test_a_server_without_a_protocol_in_common_is_asked_all_the_same(kit, serve_tls, build):
    context = tls_server.server_context()
    context.set_alpn_protocols(["h2"])
    server = serve_tls(context, then=OK)
    sender = kit.sender(ssl_context=tls_server.client_context())
    assert kit.call(sender, build(server.host)).body == b"{}"


def test_an_answer_cut_off_without_a_farewell_is_not_whole(
    kit, serve_tls, build, monkeypatch, tmp_path
):
    path = tmp_path / "ca.pem"
    tls_server.authority().cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))

    def cut(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n{}")
        time.sleep(0.05)
        socket.socket.shutdown(connection, socket.SHUT_RDWR)

    server = serve_tls(tls_server.server_context(), cut)
    error = failed(kit, kit.sender(), build(server.host))
    assert "broke before the answer was whole" in str(error)


def test_an_answer_that_ends_with_a_farewell_is_whole(kit, serve_tls, build):
    def farewell(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n{}")
        with contextlib.suppress(OSError):
            connection.unwrap()

    server = serve_tls(tls_server.server_context(), farewell)
    sender = kit.sender(ssl_context=tls_server.client_context())
    assert kit.call(sender, build(server.host)).body == b"{}"


def test_a_stale_connection_is_replaced(kit, serve_tls, build):
    server = serve_tls(tls_server.server_context(), then=then_close(OK))
    sender = kit.sender(ssl_context=tls_server.client_context())
    for _ in range(3):
        assert kit.call(sender, build(server.host)).body == b"{}"
        time.sleep(0.02)


def two_answers(connection):
    """Answer the first request twice, in two records of one packet; then leave."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    secure = tls_server.server_context().wrap_bio(incoming, outgoing, server_side=True)

    def step(function):
        while True:
            try:
                return function()
            except ssl.SSLWantReadError:
                if outgoing.pending:
                    connection.sendall(outgoing.read())
                incoming.write(connection.recv(65536))

    step(secure.do_handshake)
    step(lambda: secure.read(65536))
    secure.write(response(b'{"true": 1}'))
    secure.write(response(b'{"evil": 1}'))
    connection.sendall(outgoing.read())
    connection.recv(1)


def test_a_record_that_nobody_asked_for_is_not_the_next_answer(kit, serve_tls, build):
    server = serve_tls(tls_server.server_context(), then=OK, instead=(two_answers,))
    sender = kit.sender(ssl_context=tls_server.client_context())
    assert kit.call(sender, build(server.host)).body == b'{"true": 1}'
    time.sleep(0.05)
    assert kit.call(sender, build(server.host)).body == b"{}"
    assert server.connections == 2


def test_an_early_refusal_is_heard_through_tls(kit, serve_tls, build):
    def refuse(connection):
        with tls_server.server_context().wrap_socket(connection, server_side=True) as secure:
            secure.recv(1000)
            secure.sendall(response(b"big", status="413 Payload Too Large"))
            raw_server.linger(secure)

    server = serve_tls(tls_server.server_context(), instead=(refuse,))
    sender = kit.sender(ssl_context=tls_server.client_context())
    started = time.monotonic()
    reply = kit.call(sender, build(server.host, b"a" * 12_000_000))
    assert (reply.meta.status_code, reply.body) == (413, b"big")
    assert time.monotonic() - started < 1


def test_each_limit_holds_inside_two_layers_of_tls():
    ours, theirs = socket.socketpair()

    def drip():
        outer = tls_server.server_context().wrap_socket(theirs, server_side=True)
        inner = NestedServer(outer)
        for byte in inner.record(OK):
            time.sleep(0.02)
            outer.sendall(bytes([byte]))
        outer.close()

    thread = threading.Thread(target=drip)
    thread.start()
    outer = tls_server.client_context().wrap_socket(ours, server_hostname="localhost")
    nested = NestedTls(outer, tls_server.client_context(), "localhost")
    nested.do_handshake()
    nested.settimeout(0.2)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        nested.recv(100)
    assert 0.1 < time.monotonic() - started < 0.6
    nested.settimeout(5)
    assert nested.recv(100) == OK
    thread.join(5)
    nested.close()


class NestedServer:
    """The inner layer of a server, over the outer one."""

    def __init__(self, outer):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = tls_server.server_context()
        self.layer = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        while True:
            try:
                self.layer.do_handshake()
                break
            except ssl.SSLWantReadError:
                if self.outgoing.pending:
                    outer.sendall(self.outgoing.read())
                self.incoming.write(outer.recv(65536))
        outer.sendall(self.outgoing.read())

    def record(self, data):
        self.layer.write(data)
        return self.outgoing.read()


def socks(target, *, verdict=b"\0"):
    """Lead to a port on loopback as a SOCKS proxy does, or refuse the password."""

    def lead(connection):
        connection.recv(100)
        connection.sendall(b"\x05\x02")
        connection.recv(500)
        connection.sendall(b"\x01" + verdict)
        if verdict != b"\0" or not connection.recv(500):
            return
        with socket.create_connection(("127.0.0.1", target)) as onward:
            connection.sendall(b"\x05\0\0\x01\x7f\0\0\x01\0\0")
            back = threading.Thread(target=tls_server.copy, args=[onward, connection])
            back.start()
            tls_server.copy(connection, onward)
            back.join(5)

    return lead


def through_socks(kit, port):
    proxy = Proxy(f"socks5://127.0.0.1:{port}", Secret("user"), Secret("hush-password"))
    return kit.sender(ssl_context=tls_server.client_context(), proxy=proxy)


def test_a_socks_proxy_leads_to_the_host_and_its_password_is_not_logged(
    kit, serve, serve_tls, build, caplog
):
    caplog.set_level(logging.DEBUG)
    server = serve_tls(tls_server.server_context(), OK, OK)
    sender = through_socks(kit, serve(instead=(socks(server.port),)).port)
    for _ in range(2):
        assert kit.call(sender, build(server.host)).body == b"{}"
    assert "hush" not in caplog.text


def test_a_socks_proxy_that_refuses_leaves_nothing_open(kit, serve, build, caplog):
    caplog.set_level(logging.DEBUG)
    proxy = serve(instead=(socks(0, verdict=b"\1"),) * 3)
    sender = through_socks(kit, proxy.port)
    for _ in range(3):
        error = failed(kit, sender, build("https://host.example.test"))
        assert f"through the proxy 127.0.0.1:{proxy.port}" in str(error)
    assert kit.streams(sender) == set()
    assert "hush" not in caplog.text


def test_a_large_request_and_a_large_answer_pass(kit, serve_tls, build):
    body = b"a" * 3_000_000
    server = serve_tls(tls_server.server_context(), response(body))
    sender = kit.sender(ssl_context=tls_server.client_context())
    request = build(server.host, body, limit=4_000_000)
    assert kit.call(sender, request).body == body
    assert server.requests[0].endswith(body)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_leads_to_the_host_and_sees_nothing(
    kit, serve_tls, start_proxy, build, monkeypatch, tmp_path, scheme
):
    path = tmp_path / "ca.pem"
    tls_server.authority().cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    server = serve_tls(tls_server.server_context(), OK, OK)
    context = tls_server.server_context() if scheme == "https" else None
    proxy = start_proxy(server.port, context=context)
    address = Proxy(f"{scheme}://127.0.0.1:{proxy.port}", Secret("user"), Secret("pass word"))
    sender = kit.sender(proxy=address)
    for _ in range(2):
        assert kit.call(sender, build(server.host)).body == b"{}"
    (head,) = proxy.heads
    assert head.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n".encode())
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=" in head
    assert wire.TOKEN.encode() not in head + proxy.carried
    assert proxy.carried
    assert b"pass word" not in repr(address).encode()


REFUSED = {
    "407": (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "407"),
    "403": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403"),
    "nothing": (b"", "proxy"),
    "garbage": (b"garbage\r\n\r\n", "proxy"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_proxy_that_refuses_is_named(kit, start_proxy, build, name):
    refusal, words = REFUSED[name]
    proxy = start_proxy(9, refusal)
    sender = kit.sender(
        proxy=Proxy(f"http://127.0.0.1:{proxy.port}"), ssl_context=tls_server.client_context()
    )
    error = failed(kit, sender, build("https://workspace.example.com"))
    assert "through the proxy" in str(error)
    assert words in str(error)
    assert not error.maybe_executed
    assert error.transient == (name in {"nothing", "garbage"})


def test_a_proxy_that_is_down_may_come_back(kit, build):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    sender = kit.sender(proxy=Proxy(f"http://127.0.0.1:{port}"))
    error = failed(kit, sender, build("https://workspace.example.com"))
    assert "through the proxy" in str(error)
    assert (error.maybe_executed, error.transient) == (False, True)


def test_a_proxy_that_stalls_is_a_connect_timeout(kit, serve, build):
    server = serve(raw_server.silence)
    sender = kit.sender(proxy=Proxy(f"http://127.0.0.1:{server.port}"))
    request = build("https://workspace.example.com", timeouts=Timeouts(connect=0.3))
    error = failed(kit, sender, request, APITimeoutError)
    assert (error.phase, error.maybe_executed) == ("connect", False)


def test_threads_share_one_context():
    contexts = []
    threads = [
        threading.Thread(target=lambda: contexts.append(tls.shared_context())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len({id(context) for context in contexts}) == 1
