import http.client
import socket
import threading
import time
from contextlib import closing, suppress

import pytest

from databricks_serving.local import LocalEndpoint, ModelUnavailableError, Task
from databricks_serving.local.backends.llama import engine


def test_nothing_happens_before_start():
    before = set(threading.enumerate())
    local = LocalEndpoint(model="smollm2")
    assert set(threading.enumerate()) <= before
    assert repr(local) == "LocalEndpoint(model='smollm2', host=None)"
    with pytest.raises(RuntimeError, match="does not run"):
        _ = local.host


def test_it_listens_on_loopback_and_hides_its_token():
    with LocalEndpoint(token="secret-token") as local:
        assert local.host.startswith("http://127.0.0.1:")
        assert local.token == "secret-token"
        assert repr(local) == f"LocalEndpoint(model='deterministic', host={local.host!r})"


def test_a_token_is_made_up_each_time():
    first, second = LocalEndpoint().token, LocalEndpoint().token
    assert first != second
    assert len(first) >= 32


@pytest.mark.parametrize("token", ["", " ", "two words", "line\nbreak", "caf\xe9"])
def test_a_token_that_cannot_stand_in_a_header_is_refused(token):
    with pytest.raises(ValueError, match="token must be printable ASCII"):
        LocalEndpoint(token=token)


def test_unknown_models_and_tasks_are_refused_at_once():
    with pytest.raises(ValueError, match="deterministic, smollm2"):
        LocalEndpoint(model="gpt")
    with pytest.raises(ValueError, match="llm/v1/poems"):
        LocalEndpoint(endpoints={"poet": "llm/v1/poems"})


def test_given_endpoints_win_over_built_in_ones(caller):
    with LocalEndpoint(endpoints={"local-chat": Task.EMBEDDING}) as local:
        assert caller(local)("local-chat", {"input": "a"}).json["object"] == "list"


def test_start_and_close_may_be_called_twice_and_again(caller):
    local = LocalEndpoint()
    for _ in range(2):
        local.start()
        host = local.host
        local.start()
        assert local.host == host
        assert caller(local)("local-embedding", {"input": "a"}).status == 200
        local.close()
        local.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2])))


def test_a_taken_port_leaves_nothing_behind():
    before = threading.active_count()
    with LocalEndpoint() as first:
        second = LocalEndpoint(port=int(first.host.rpartition(":")[2]))
        with pytest.raises(OSError, match="in use"):
            second.start()
        assert repr(second).endswith("host=None)")
    assert threading.active_count() == before


def test_close_takes_less_than_a_second_while_a_stream_runs(caller, long_stream):
    before = threading.active_count()
    local = LocalEndpoint()
    local.start()
    call = caller(local)
    with closing(call.connect()) as streaming, closing(call.connect()) as idle:
        idle.connect()
        response = call.open(streaming, "local-chat", long_stream)
        assert response.readline()
        begin = time.monotonic()
        local.close()
        assert time.monotonic() - begin < 1
        rest = b""
        with suppress(ConnectionError, http.client.IncompleteRead):
            rest = response.read()
        assert b"[DONE]" not in rest
    assert threading.active_count() <= before


def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    with pytest.raises(ModelUnavailableError, match="databricks-serving local install"):
        LocalEndpoint(model="smollm2").start()


def test_requests_are_logged_only_when_asked_and_never_their_bodies(caller, capfd):
    body = {"input": "a private text"}
    with LocalEndpoint() as quiet:
        caller(quiet)("local-embedding", body)
    assert capfd.readouterr() == ("", "")
    with LocalEndpoint(verbose=True) as verbose:
        caller(verbose)("local-embedding", body)
    logged = capfd.readouterr().err
    assert '"POST /serving-endpoints/local-embedding/invocations" 200' in logged
    assert "private" not in logged
    assert verbose.token not in logged


def test_no_query_and_no_rest_of_a_body_is_logged(capfd):
    rest = b"private text of a body whose length was wrong\r\n\r\n"
    request = b"GET /a?access_token=private HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with LocalEndpoint(verbose=True) as verbose:
        port = int(verbose.host.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(request + rest)
            while connection.recv(65536):
                pass
    logged = capfd.readouterr().err
    assert '"GET /a" 401' in logged
    assert '"-" 400' in logged
    assert "private" not in logged
