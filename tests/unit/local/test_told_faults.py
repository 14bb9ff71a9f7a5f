"""Faults that a test asks for, over real sockets."""

import http.client
import json
import socket
import time
from contextlib import closing

import pytest

from databricks_serving import RetryPolicy, ServingClient
from databricks_serving.errors import (
    APIConnectionError,
    APITimeoutError,
    ConfigError,
    InternalServerError,
    RateLimitError,
    ServingError,
    StreamInterruptedError,
    StreamTimeoutError,
)
from databricks_serving.local import LocalEndpoint
from databricks_serving.local.faults import FaultBox, read_fault

HELLO = {"messages": [{"role": "user", "content": "Hello, my dear friend"}]}
STREAM = {**HELLO, "stream": True}


@pytest.fixture(scope="module")
def served():
    with LocalEndpoint(endpoints={"mine": "llm/v1/chat"}) as local:
        yield local


@pytest.fixture
def local(served):
    served.clear_faults()
    served.requests.clear()
    return served


@pytest.fixture
def client(local):
    with ServingClient(local.host, local.token, max_retries=0, timeout=0.5) as client:
        yield client


def ask(client, model="local-chat"):
    return client.chat.completions.create(model=model, **HELLO)


def stream(client, **options):
    with client.chat.completions.stream(model="local-chat", **HELLO, **options) as chunks:
        return "".join(chunks.text_stream)


def test_so_many_calls_go_wrong_and_the_next_go_well(local, client):
    local.fail_next(2, 503)
    for _ in range(2):
        with pytest.raises(InternalServerError, match="TEMPORARILY_UNAVAILABLE"):
            ask(client)
    assert ask(client).text


def test_an_error_is_the_one_that_was_asked_for(local, client):
    local.fail_next(status=429, error_code="MY_LIMIT", message="Too much.", retry_after=7)
    with pytest.raises(RateLimitError, match="Too much") as caught:
        ask(client)
    assert (caught.value.error_code, caught.value.retry_after) == ("MY_LIMIT", 7.0)


def test_a_client_that_tries_again_gets_its_answer(local):
    local.fail_next(2, 503)
    retry = RetryPolicy(max_retries=3, base=0.01, cap=0.01)
    with ServingClient(local.host, local.token, retry=retry) as client:
        assert ask(client).text
    local.requests.expect("local-chat", status=503, times=2)
    local.requests.expect("local-chat", times=3)


def test_a_fault_may_be_for_one_endpoint(local, client):
    local.fail_next(endpoint="mine")
    assert ask(client).text
    with pytest.raises(InternalServerError):
        ask(client, "mine")
    assert ask(client, "mine").text


def test_a_fault_finds_an_endpoint_that_the_body_names(local, client):
    local.fail_next(endpoint="mine")
    other = client.with_options(route="openai")
    assert ask(other).text
    with pytest.raises(InternalServerError):
        ask(other, "mine")


def test_faults_wait_for_calls_of_endpoints(local, client):
    local.fail_next()
    assert client.endpoints.list()
    with pytest.raises(InternalServerError):
        ask(client)


@pytest.mark.parametrize("fault", ["close", "reset", "cut", "html"])
def test_no_answer_half_an_answer_and_a_page_are_errors(local, client, fault):
    local.fail_next(2, fault=fault)
    with pytest.raises(ServingError) as caught:
        ask(client)
    assert isinstance(caught.value, InternalServerError if fault == "html" else APIConnectionError)
    with pytest.raises(ServingError):
        stream(client)
    assert ask(client).text


@pytest.mark.parametrize("fault", ["cut", "reset"])
def test_a_stream_is_cut_after_so_many_events(local, client, fault):
    local.fail_next(fault=fault, after_events=3)
    with pytest.raises(StreamInterruptedError) as caught:
        stream(client)
    assert caught.value.partial.text == "You said:"


def test_a_stream_that_stalls_is_given_up(local, client):
    local.fail_next(fault="stall", after_events=3, seconds=30)
    with pytest.raises(StreamTimeoutError) as caught:
        stream(client)
    assert caught.value.partial.text == "You said:"


def test_a_late_answer_is_given_up(local, client):
    local.fail_next(fault="slow_first_byte", seconds=30)
    with pytest.raises(APITimeoutError):
        ask(client)


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "slow_first_byte", "seconds": 0.01},
        {"fault": "stall", "seconds": 0.01},
        {"fault": "stall", "seconds": 0.01, "after_bytes": 7},
        {"fault": "stall", "seconds": 0.01, "after_events": 10_000},
        {"fault": "drip", "seconds": 0.001},
    ],
)
def test_what_only_takes_time_ends_well(local, client, fault):
    local.fail_next(2, **fault)
    assert ask(client).text == "You said: Hello, my dear friend"
    assert stream(client) == "You said: Hello, my dear friend"


def test_what_is_malformed_is_an_error_of_its_own(local, client):
    local.fail_next(2, fault="malformed", after_events=2)
    with pytest.raises(ServingError, match="JSON"):
        ask(client)
    with pytest.raises(ServingError, match="JSON"):
        stream(client)


@pytest.mark.parametrize(("size", "body"), [(0, b""), (5, b'{"id"')])
def test_a_body_is_cut_after_so_many_bytes(local, caller, size, body):
    local.fail_next(fault="cut", after_bytes=size)
    call = caller(local)
    with closing(call.connect()) as connection:
        response = call.open(connection, "local-chat", HELLO)
        with pytest.raises(http.client.IncompleteRead) as caught:
            response.read()
    assert caught.value.partial == body[:size]


def test_a_stream_is_cut_in_the_middle_of_an_event(local, caller):
    local.fail_next(fault="cut", after_bytes=10)
    call = caller(local)
    with closing(call.connect()) as connection:
        response = call.open(connection, "local-chat", STREAM)
        with pytest.raises(http.client.IncompleteRead) as caught:
            response.read()
    assert caught.value.partial == b'data: {"id'


def test_a_reset_is_no_orderly_end(local):
    local.fail_next(fault="reset")
    with socket.create_connection(("127.0.0.1", int(local.host.rpartition(":")[2])), 5) as plain:
        body = json.dumps(HELLO).encode()
        plain.sendall(
            b"POST /serving-endpoints/local-chat/invocations HTTP/1.1\r\nHost: localhost\r\n"
            b"Authorization: Bearer %b\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (local.token.encode(), len(body), body)
        )
        with pytest.raises(ConnectionResetError):
            plain.recv(100)


def test_a_page_may_have_another_status(local, caller):
    local.fail_next(fault="html", status=504, retry_after=3)
    answer = caller(local)("local-chat", HELLO)
    assert (answer.status, answer.headers["retry-after"]) == (504, "3")
    assert answer.headers["content-type"] == "text/html"


@pytest.mark.parametrize("waiting", ["stall", "slow_first_byte", "drip"])
def test_close_ends_faults_that_wait(caller, waiting):
    local = LocalEndpoint()
    local.start()
    local.fail_next(50, fault=waiting, seconds=3600)
    call = caller(local)
    connections = [call.connect() for _ in range(20)]
    for connection in connections:
        body = json.dumps(STREAM)
        path = "/serving-endpoints/local-chat/invocations"
        connection.request("POST", path, body, call.headers)
    begin = time.monotonic()
    local.close()
    assert time.monotonic() - begin < 1
    for connection in connections:
        connection.close()
    with LocalEndpoint() as again:
        assert caller(again)("local-chat", HELLO).status == 200


def test_an_unauthorised_call_uses_up_no_fault(local, caller):
    local.fail_next()
    headers = {"Authorization": "Bearer wrong"}
    assert caller(local)("local-chat", HELLO, headers=headers).status == 403
    assert caller(local)("local-chat", HELLO).status == 503


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"fault": "explode"}, "fault: expected one of status, html"),
        ({"times": 0}, "times: expected a whole number from 1"),
        ({"status": 200}, "status: expected a whole number from 400 to 599"),
        ({"fault": "close", "seconds": 1}, "seconds: the fault 'close' does not take it"),
        ({"fault": "cut", "status": 500}, "status: the fault 'cut' does not take it"),
        ({"fault": "cut", "after_bytes": 1, "after_events": 1}, "not both"),
        (
            {"fault": "stall", "seconds": True},
            "seconds: expected a number from 0 to 86400, got true",
        ),
        ({"fault": "stall", "seconds": float("nan")}, "seconds: expected a number"),
    ],
)
def test_faults_that_make_no_sense_are_refused(arguments, words):
    with pytest.raises(ConfigError, match=words):
        LocalEndpoint().fail_next(**arguments)


def test_there_are_only_so_many_faults():
    box = FaultBox()
    fault = read_fault({"fault": "close", "endpoint": "a"}, "")
    for _ in range(1000):
        box.add(fault)
    with pytest.raises(ConfigError, match="1000 faults are waiting already"):
        box.add(fault)
    assert box.take("b") is None
    assert box.take("a") is fault
    box.clear()
    assert box.take("a") is None
