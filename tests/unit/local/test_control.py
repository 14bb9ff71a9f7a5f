"""The routes under `/_local`, and the log of requests."""

from base64 import b64encode
from email.message import Message

import pytest

from databricks_serving.errors import ConfigError
from databricks_serving.local import LocalEndpoint, RequestLog
from databricks_serving.local import log as log_module
from databricks_serving.local.messages import HttpRequest

HELLO = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}
TOKENS = "/oidc/v1/token"


@pytest.fixture
def local():
    with LocalEndpoint(client_id="me", client_secret="shh") as local:
        yield local


@pytest.fixture
def call(local, caller):
    return caller(local)


def control(call, path, body=b"", method="POST", **headers):
    return call("", body, path=f"/_local/{path}", method=method, headers=headers)


def test_faults_are_told_and_forgotten(call):
    fault = {"fault": "status", "status": 500, "times": 3, "endpoint": "local-chat"}
    assert control(call, "faults", fault).json == {}
    assert call("local-chat", HELLO).status == 500
    assert control(call, "faults", method="DELETE").status == 200
    assert call("local-chat", HELLO).status == 200


def test_states_are_told(call):
    path = "endpoints/local%2Dchat/state"
    assert control(call, path, {"state": "not_ready", "ready_after": 100}).status == 200
    assert call("local-chat", HELLO).status == 503
    assert control(call, path, {"state": "ready"}).status == 200
    assert call("local-chat", HELLO).status == 200


def test_requests_are_shown_and_forgotten(call, local):
    call("local-chat", HELLO)
    call("local-chat", b"\xff{", path="/serving-endpoints/nowhere/invocations?a=1")
    first, second = control(call, "requests", method="GET").json["requests"]
    assert first["body"] == HELLO
    assert first["headers"]["content-type"] == "application/json"
    assert "authorization" not in first["headers"]
    del first["headers"], first["body"]
    assert first == {
        "method": "POST",
        "path": "/serving-endpoints/local-chat/invocations",
        "endpoint": "local-chat",
        "status": 200,
    }
    assert (second["status"], second["endpoint"], second["body"]) == (400, "nowhere", "\ufffd{")
    assert local.token not in str(local.requests[0])
    assert control(call, "requests", method="DELETE").status == 200
    assert len(local.requests) == 0


def ask_token(call, secret=None):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    form["Authorization"] = "Basic " + b64encode(f"me:{secret or 'shh'}".encode()).decode()
    return call("", b"grant_type=client_credentials", path=TOKENS, headers=form)


def test_the_token_service_is_told(call, local):
    given = ask_token(call).json["access_token"]
    bearer = {"Authorization": f"Bearer {given}"}
    assert call("local-chat", HELLO, headers=bearer).status == 200
    assert control(call, "tokens/expire").status == 200
    assert call("local-chat", HELLO, headers=bearer).json["message"] == "Invalid Token"
    rotated = control(call, "tokens/rotate").json
    assert rotated == {"client_id": "me", "client_secret": local.oauth.client_secret}
    assert ask_token(call).status == 401
    assert ask_token(call, rotated["client_secret"]).status == 200
    assert control(call, "tokens/fail", {"times": 1, "status": 500}).status == 200
    assert ask_token(call, rotated["client_secret"]).status == 500
    assert ask_token(call, rotated["client_secret"]).status == 200


def test_the_log_keeps_no_secret_of_the_token_service(call, local):
    ask_token(call)
    assert local.requests[-1].path == TOKENS
    assert local.requests[-1].body == b""


def test_a_token_is_wanted(call):
    answer = control(call, "requests", method="GET", Authorization="Bearer wrong")
    assert answer.status == 403


@pytest.mark.parametrize(
    ("path", "method", "body", "status", "words"),
    [
        ("faults", "POST", {"fault": "explode"}, 400, "fault: expected one of status"),
        ("faults", "POST", {}, 400, "fault: is missing"),
        ("faults", "POST", [], 400, "must be an object"),
        ("faults", "GET", b"", 405, "use POST or DELETE"),
        ("requests", "POST", {}, 405, "use GET or DELETE"),
        ("tokens/expire", "GET", b"", 405, "use POST"),
        ("tokens/expire", "POST", {"a": 1}, 400, "a: unknown key"),
        ("tokens/fail", "POST", {"status": 200}, 400, "status: expected a whole number from 400"),
        ("tokens/eat", "POST", {}, 404, "No API found"),
        ("endpoints/nowhere/state", "POST", {"state": "ready"}, 404, "does not exist"),
        ("endpoints/local-chat/state", "POST", {"state": "odd"}, 400, "state: expected one of"),
        ("endpoints/local-chat/state", "POST", {}, 400, "state: is missing"),
        ("endpoints/local-chat", "POST", {}, 404, "No API found"),
    ],
)
def test_what_makes_no_sense_is_refused(call, path, method, body, status, words):
    answer = control(call, path, body, method)
    assert answer.status == status
    assert words in answer.json["message"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"fault": "close", "endpoint": "local-caht"}),
        ("endpoints/local-caht/state", {"state": "ready"}),
    ],
)
def test_an_endpoint_that_is_not_there_is_refused_with_those_that_are(caller, path, body):
    with LocalEndpoint(endpoints={"mine": "llm/v1/chat"}) as local:
        answer = control(caller(local), path, body)
    assert answer.status == 404
    assert answer.json["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    said = answer.json["message"]
    assert said.startswith("Endpoint with name 'local-caht' does not exist. There are local-chat, ")
    assert "local-custom, mine, and names that begin with local-chat, " in said


def test_a_fault_may_befall_any_endpoint_that_can_be_called(call, local):
    for name in ("local-chat", "local-chat-small"):
        local.fail_next(endpoint=name)
        assert control(call, "faults", {"fault": "status", "endpoint": name}).status == 200


def test_python_refuses_a_fault_of_an_endpoint_that_is_not_there():
    local = LocalEndpoint(endpoints={"mine": "llm/v1/chat"})
    for _ in range(2):
        local.fail_next(endpoint="mine")
        with pytest.raises(
            ConfigError, match=r"'local-caht' does not exist\..* local-custom, mine,"
        ):
            local.fail_next(endpoint="local-caht")
        local.start()
    local.close()


def test_a_test_says_what_it_expects(call, local):
    for number in (1, 2):
        call("local-chat", {**HELLO, "max_tokens": number})
    requests = local.requests
    assert [one.json["max_tokens"] for one in requests] == [1, 2]
    assert len(requests.expect("local-chat")) == 2
    assert requests.expect(json={"max_tokens": 2, "messages": [{"role": "user"}]}) == [requests[1]]
    assert requests.expect("local-embedding", times=0) == []
    assert requests.of("local-chat") == list(requests) == list(requests[:2])
    with pytest.raises(AssertionError) as caught:
        requests.expect("local-chat", times=3)
    assert str(caught.value) == (
        "expected 3 requests of this kind, found 2; there came\n"
        "  POST /serving-endpoints/local-chat/invocations 200 with max_tokens, messages\n"
        "  POST /serving-endpoints/local-chat/invocations 200 with max_tokens, messages"
    )
    for wanted in ({"max_tokens": 3}, {"messages": []}, {"seed": 1}, {"max_tokens": True}):
        with pytest.raises(AssertionError, match="expected at least one request"):
            requests.expect(json=wanted)
    requests.clear()
    with pytest.raises(AssertionError, match="nothing"):
        requests.expect()


def test_a_body_that_is_no_json_holds_nothing(call, local):
    call("local-chat", b"{")
    assert len(local.requests.expect("local-chat", status=400)) == 1
    with pytest.raises(AssertionError, match="found 0"):
        local.requests.expect("local-chat", json={})
    with pytest.raises(ValueError, match="Expecting"):
        _ = local.requests[0].json


def test_a_call_without_an_answer_has_no_status(local, call):
    local.fail_next(fault="close")
    with pytest.raises(ConnectionError):
        call("local-chat", HELLO)
    assert local.requests[-1].status is None


def fill(log, bodies):
    for body in bodies:
        log.add(request_of(body), "mine", 200)


def request_of(body):
    headers = Message()
    for name in ("Cookie", "X-Databricks-Azure-SP-Management-Token", "X-Api-Key", "Accept"):
        headers[name] = "value"
    return HttpRequest("POST", "/", headers, body)


def test_the_log_forgets_the_oldest(monkeypatch):
    log = RequestLog()
    fill(log, (b"%d" % number for number in range(1500)))
    assert (len(log), log[0].json, log[-1].json) == (1000, 500, 1499)
    assert log[0].headers == {"accept": "value"}
    monkeypatch.setattr(log_module, "_MOST_BYTES", 100)
    fill(log, [b"1" * 60, b"2" * 60])
    assert len(log) == 1
    assert repr(log) == "<RequestLog of 1 requests>"
    assert "222" not in repr(log[0])
    log.clear()
    fill(log, [b"3" * 60])
    assert len(log) == 1
