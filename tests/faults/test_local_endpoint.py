"""The local endpoint under bad clients; row L-14."""

import resource
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress

import pytest
from raw_server import reset

from databricks_serving import ServingClient
from databricks_serving.errors import APIConnectionError, ServingError
from databricks_serving.local import LocalEndpoint

from .support import programs
from .support.house import USER


@pytest.fixture
def local():
    with LocalEndpoint() as local:
        yield local


def port_of(local):
    return int(local.host.rpartition(":")[2])


def connected(local):
    connection = socket.create_connection(("127.0.0.1", port_of(local)), 5)
    connection.settimeout(5)
    return connection


def good(local):
    """Make a good call."""
    with ServingClient(local.host, local.token, max_retries=0) as client:
        reply = client.chat.completions.create(model="local-chat", messages=USER)
    assert reply.text
    return True


def read_all(connection):
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.row("L-14")
@pytest.mark.parametrize(
    "request_bytes",
    [
        b"garbage\r\n\r\n",
        b"POST / HTTP/3.0\r\n\r\n",
        b"POST " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + b"X-A: b\r\n" * 500 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n",
        b"POST /a\x7fb HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=[
        "garbage",
        "version",
        "long line",
        "many headers",
        "NUL",
        "folded",
        "DEL",
        "negative",
        "two",
        "chunked",
    ],
)
def test_a_request_that_breaks_the_rules_is_refused_and_ends_its_connection(local, request_bytes):
    with connected(local) as connection:
        connection.sendall(request_bytes)
        answer = read_all(connection)
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5", b"HTTP/1.0 4", b"HTTP/1.0 5"))
    assert good(local)


@pytest.mark.row("L-14")
def test_clients_that_say_nothing_harm_nobody(local):
    with ExitStack() as stack:
        for number in range(200):
            connection = stack.enter_context(connected(local))
            if number % 2:
                connection.sendall(b"POST /serving-endpoints/")
        assert good(local)
        started = time.monotonic()
        local.close()
        assert time.monotonic() - started < 1


@pytest.mark.row("L-14")
def test_there_is_an_end_to_connections_and_those_that_are_open_are_served(local):
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )
    with ExitStack() as stack:
        connections = [stack.enter_context(connected(local)) for _ in range(1000)]
        with connected(local) as one_more:
            assert one_more.recv(1) == b""
        connections[0].sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connections[0].recv(100).startswith(b"HTTP/1.1 401")
        connections[1].close()
        wait_until(lambda: good(local))
        started = time.monotonic()
        local.close()
        assert time.monotonic() - started < 1


def wait_until(works):
    """Try again while a connection that was closed is not yet missed."""
    for _ in range(100):
        with suppress(APIConnectionError):
            assert works()
            return
        time.sleep(0.01)
    pytest.fail("it did not work")


@pytest.mark.row("L-14")
@pytest.mark.parametrize("kind", ["cold start", "stall", "delay"])
def test_calls_that_wait_end_with_it(kind):
    cold = {"state": "asleep", "cold_start": {"seconds": 3600, "answer": "slow"}}
    config = {
        "endpoints": {
            "mine": {
                "cold start": cold,
                "delay": {"replies": [{"delay": 3600}]},
                "stall": {},
            }[kind]
        }
    }
    with LocalEndpoint(config=config) as local:
        if kind == "stall":
            local.fail_next(fault="stall", seconds=3600)
        ended = []
        thread = threading.Thread(target=lambda: ended.append(failure(local)))
        thread.start()
        time.sleep(0.1)
        started = time.monotonic()
        local.close()
        assert time.monotonic() - started < 1
        thread.join(5)
    assert isinstance(ended[0], APIConnectionError)


def failure(local):
    """Return the error of a call."""
    with ServingClient(local.host, local.token, max_retries=0) as client:
        try:
            client.chat.completions.create(model="mine", messages=USER)
        except ServingError as error:
            return error
    return None


@pytest.mark.row("L-14")
def test_clients_that_break_off_harm_nobody(local):
    for cut in range(0, 400, 20):
        body = b'{"messages": [{"role": "user", "content": "Hi"}]}'
        whole = (
            b"POST /serving-endpoints/local-chat/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Authorization: Bearer %b\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % (local.token.encode(), len(body))
        ) + body
        connection = connected(local)
        connection.sendall(whole[:cut])
        reset(connection)
    assert good(local)


@pytest.mark.row("L-14")
def test_it_listens_to_this_machine_alone(local):
    out = subprocess.run(
        [sys.executable, "-c", LISTENERS, str(port_of(local))],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert out.split() == ["0100007F"]


# The kernel's own list; addresses are hexadecimal, last byte first.
LISTENERS = """
import sys
from pathlib import Path
rows = [line.split() for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
port = f"{int(sys.argv[1]):04X}"
print(*(row[1].split(":")[0] for row in rows if row[1].endswith(port) and row[3] == "0A"))
"""


@pytest.mark.row("L-14")
def test_a_port_that_is_taken_is_an_error_of_the_system(local):
    with pytest.raises(OSError, match="in use"):
        LocalEndpoint(port=port_of(local)).start()
    assert good(local)


@pytest.mark.row("L-14")
def test_a_killed_endpoint_is_a_broken_connection_and_frees_its_port():
    code = """
        from databricks_serving.local import LocalEndpoint
        local = LocalEndpoint(token="made-up", port=int(os.environ["PORT"]))
        local.start()
        print(local.host, flush=True)
        time.sleep(30)
    """
    hosts = []
    port = "0"
    for _ in range(2):
        program = programs.start("", code, env=programs.environment(PORT=port))
        hosts.append(program.stdout.readline().strip())
        with ServingClient(hosts[-1], "made-up", max_retries=0) as client:
            assert client.chat.completions.create(model="local-chat", messages=USER).text
        program.kill()
        programs.finish(program)
        port = hosts[0].rpartition(":")[2]
    assert hosts[0] == hosts[1]
