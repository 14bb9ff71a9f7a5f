import http.client
import json
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from databricks_serving.local import LocalEndpoint
from databricks_serving.local._connection import Limits
from databricks_serving.local.backends.deterministic import DeterministicBackend
from databricks_serving.local.server import LoopbackServer
from databricks_serving.local.workspace import Workspace

HELLO = {"messages": [{"role": "user", "content": "Hello"}]}
MEBIBYTE = 1024 * 1024


@pytest.fixture
def serve():
    """Serve with limits of the test's own; returns where."""
    servers = []

    def start(**limits):
        workspace = Workspace(DeterministicBackend(), "secret", {})
        server = LoopbackServer(workspace, port=0, limits=Limits(**limits))
        servers.append(server)
        server.start()
        return server.server_address

    yield start
    for server in servers:
        server.close()


def exchange(address, data):
    """Send bytes and read until the server closes."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(data)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


def send_for_ever(connection):
    while True:
        connection.sendall(b" ")


def test_every_reply_names_request_model_type_and_server(call):
    for answer in (call("local-chat", HELLO), call("local-chat", {}), call("nowhere", HELLO)):
        assert uuid.UUID(answer.headers["x-request-id"]).version == 4
        assert answer.headers["served-model-name"] == "deterministic-echo"
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["server"] == "databricks-serving-local"


def test_a_pinned_served_model_is_named_in_the_reply(call):
    answer = call("", HELLO, path="/serving-endpoints/local-chat/served-models/v1.2/invocations")
    assert answer.status == 200
    assert answer.headers["served-model-name"] == "v1.2"


def test_a_served_model_name_that_could_forge_headers_is_not_found(call):
    path = "/serving-endpoints/local-chat/served-models/a%0d%0ax:1/invocations"
    answer = call("", HELLO, path=path)
    assert answer.status == 404
    assert answer.json["error_code"] == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize("name", ["local-chat", "local-chat-small", "my-own", "local%2Dchat"])
def test_built_in_names_their_extensions_and_given_names_are_served(call, name):
    assert call(name, HELLO).json["object"] == "chat.completion"


def test_an_unknown_endpoint_does_not_exist(call):
    answer = call("nowhere", HELLO)
    assert answer.status == 404
    assert answer.json == {
        "error_code": "RESOURCE_DOES_NOT_EXIST",
        "message": "Endpoint with name 'nowhere' does not exist.",
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", "/serving-endpoints/local-chat/invocations/"),
        ("POST", "/serving-endpoints/local-chat"),
        ("GET", "/api/2.0/serving-endpoints/local-chat/metrics"),
    ],
)
def test_an_unknown_path_is_not_an_api(call, method, path):
    answer = call("", HELLO, path=path, method=method)
    assert answer.status == 404
    assert answer.json == {
        "error_code": "ENDPOINT_NOT_FOUND",
        "message": f"No API found for '{method} {path}'",
    }


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_post_is_allowed_on_a_known_path(call, method):
    answer = call("local-chat", HELLO, method=method)
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


def test_the_answer_to_head_has_no_body(call):
    answer = call("local-chat", HELLO, method="HEAD")
    assert (answer.status, answer.body) == (405, b"")


def test_a_method_that_http_does_not_know_is_refused(call):
    answer = call("local-chat", HELLO, method="BREW")
    assert answer.status == 405
    assert answer.json["error_code"] == "METHOD_NOT_ALLOWED"


def test_a_query_in_the_target_is_ignored(call):
    path = "/serving-endpoints/local-chat/invocations?o=1"
    assert call("", HELLO, path=path).status == 200


@pytest.mark.parametrize("value", [None, "Basic dG9rZW46eA==", "Bearer", "Bearer "])
def test_a_missing_credential_gets_401_with_a_number_as_code(call, value):
    answer = call("local-chat", HELLO, headers={"Authorization": value})
    assert answer.status == 401
    assert answer.json == {
        "error_code": 401,
        "message": "Credential was not sent or was of an unsupported type for this API.",
    }


@pytest.mark.parametrize("token", ["wrong", "\xe9"])
def test_a_wrong_token_gets_403(call, token):
    answer = call("local-chat", HELLO, headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 403
    assert answer.json == {"error_code": 403, "message": "Invalid access token."}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:8080"])
def test_a_host_header_that_names_this_machine_is_accepted(call, host):
    assert call("local-chat", HELLO, headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "host", ["example.com", "localhost.example.com", "127.0.0.1.example.com", "127.0.0.2", ""]
)
def test_a_host_header_that_names_another_machine_is_refused(call, host):
    answer = call("local-chat", HELLO, headers={"Host": host})
    assert answer.status == 403
    assert answer.json["error_code"] == "PERMISSION_DENIED"


def test_one_connection_serves_many_requests_and_survives_errors(call):
    with closing(call.connect()) as connection:
        connection.connect()
        first = connection.sock
        statuses = []
        for body in (HELLO, {"unknown": 1}, HELLO | {"stream": True}, HELLO):
            response = call.open(connection, "local-chat", body)
            statuses.append(response.status)
            response.read()
            assert connection.sock is first
    assert statuses == [200, 400, 200, 200]


def test_a_body_of_4_mebibytes_is_read_and_one_byte_more_is_not(call):
    body = json.dumps(HELLO).encode()
    assert call("local-chat", body.ljust(4 * MEBIBYTE)).status == 200
    with closing(call.connect()) as connection:
        connection.connect()
        first = connection.sock
        path = "/serving-endpoints/local-chat/invocations"
        connection.request("POST", path, body.ljust(4 * MEBIBYTE + 1), call.headers)
        response = connection.getresponse()
        assert response.status == 413
        assert json.loads(response.read())["error_code"] == "MAX_REQUEST_SIZE_EXCEEDED"
        assert call.open(connection, "local-chat", HELLO).status == 200
        assert connection.sock is first


def test_a_body_too_large_to_discard_is_answered_before_it_is_sent(serve):
    reply = exchange(
        serve(discard_bytes=10, body_bytes=5), b"POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n"
    )
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close\r\n" in reply


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"Transfer-Encoding: chunked\r\n", b"411"),
        (b"Content-Length: 1\r\nContent-Length: 2\r\n", b"400"),
        (b"Content-Length: -1\r\n", b"400"),
        (b"Content-Length: 1e1\r\n", b"400"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n", b"400"),
    ],
)
def test_a_body_of_unclear_length_ends_the_connection(serve, fields, status):
    reply = exchange(serve(), b"POST / HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n0")
    assert reply.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close\r\n" in reply


def test_a_line_that_is_no_header_cannot_hide_the_length_of_the_body(serve):
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nnonsense\r\nContent-Length: 18\r\n\r\n"
    reply = exchange(serve(), head + b"GET /a HTTP/1.1\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 400")
    assert b"The head of the request has a line that is no header." in reply
    assert reply.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST / HTTP/2.0\r\n\r\n", b"505"),
        (b"POST /" + b"x" * 70000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"POST / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"431"),
    ],
)
def test_what_is_not_http_is_answered_with_json_and_ends_the_connection(serve, line, status):
    reply = exchange(serve(), line)
    assert reply.startswith(b"HTTP/1.1 " + status)
    assert json.loads(reply.partition(b"\r\n\r\n")[2])["error_code"] == "BAD_REQUEST"


def test_a_client_of_http_1_0_gets_a_stream_without_chunks(serve):
    body = json.dumps(HELLO | {"stream": True, "max_tokens": 1}).encode()
    reply = exchange(
        serve(),
        b"POST /serving-endpoints/local-chat/invocations HTTP/1.0\r\nHost: localhost\r\n"
        b"Authorization: Bearer secret\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body),
    )
    head, _, stream = reply.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert stream.startswith(b"data: {")
    assert stream.endswith(b"data: [DONE]\n\n")


def test_an_idle_connection_is_closed(serve):
    assert exchange(serve(idle_seconds=0.05), b"") == b""


def test_a_request_that_never_ends_is_cut_off(serve):
    address = serve(request_seconds=0.05)
    assert exchange(address, b"POST / HTTP/1.1\r\nHost: loc") == b""
    assert exchange(address, b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{") == b""


def test_a_request_that_drips_is_cut_off_all_the_same(serve):
    with socket.create_connection(serve(request_seconds=0.3), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n")
        connection.settimeout(0.02)
        for _ in range(500):
            try:
                connection.sendall(b"a: b\r\n")
                if connection.recv(1) == b"":
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
    pytest.fail("the connection stayed open for 10 seconds")


def test_a_client_that_takes_nothing_is_cut_off(serve, long_stream):
    body = json.dumps(long_stream).encode()
    with socket.create_connection(serve(write_seconds=0.2), timeout=10) as connection:
        connection.sendall(
            b"POST /serving-endpoints/local-chat/invocations HTTP/1.1\r\nHost: localhost\r\n"
            b"Authorization: Bearer secret\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        head = connection.recv(17)
        with pytest.raises(ConnectionError):
            send_for_ever(connection)
    assert head == b"HTTP/1.1 200 OK\r\n"


def test_a_client_that_leaves_in_the_middle_harms_nobody(caller, long_stream, capfd):
    with LocalEndpoint() as local:
        call = caller(local)
        for _ in range(3):
            with closing(call.connect()) as connection:
                assert call.open(connection, "local-chat", long_stream).readline()
        with socket.create_connection(call.address.split(":")) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
        assert call("local-chat", HELLO).status == 200
    assert capfd.readouterr().err == ""


def test_two_streams_run_at_once(call, long_stream):
    with closing(call.connect()) as slow, closing(call.connect()) as fast:
        stuck = call.open(slow, "local-chat", long_stream)
        assert stuck.readline().startswith(b"data: ")
        whole = call.open(fast, "local-chat", HELLO | {"stream": True}).read()
        assert whole.endswith(b"data: [DONE]\n\n")
        assert stuck.read().endswith(b"data: [DONE]\n\n")


def test_many_calls_at_once_get_their_own_answers(call):
    def ask(number):
        return call("local-completion", {"prompt": f"number {number}"}).json["choices"][0]["text"]

    with ThreadPoolExecutor(32) as pool:
        texts = list(pool.map(ask, range(64)))
    assert texts == [f" You said: number {number}" for number in range(64)]


def test_a_stream_is_sent_in_chunks_as_server_sent_events(call):
    answer = call("local-chat", HELLO | {"stream": True})
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert uuid.UUID(answer.headers["x-request-id"])


def test_a_fault_of_the_server_is_an_answer_that_hides_its_reason():
    class Faulty(DeterministicBackend):
        def reply(self, _task, _request):
            raise KeyError("Hello")

    server = LoopbackServer(Workspace(Faulty(), "secret", {}), port=0, limits=Limits())
    server.start()
    with closing(http.client.HTTPConnection(*server.server_address)) as connection:
        headers = {"Authorization": "Bearer secret", "Content-Type": "application/json"}
        path = "/serving-endpoints/local-chat/invocations"
        connection.request("POST", path, json.dumps(HELLO), headers)
        response = connection.getresponse()
        assert response.status == 500
        assert json.loads(response.read()) == {
            "error_code": "INTERNAL_ERROR",
            "message": "The local endpoint failed with KeyError.",
        }
    server.close()


def test_a_fault_in_the_middle_of_a_stream_breaks_it_off_and_is_reported(capfd):
    class Faulty(DeterministicBackend):
        def events(self, _task, _request):
            yield {"choices": []}
            raise KeyError("Hello")

    server = LoopbackServer(Workspace(Faulty(), "secret", {}), port=0, limits=Limits())
    server.start()
    with closing(http.client.HTTPConnection(*server.server_address)) as connection:
        headers = {"Authorization": "Bearer secret", "Content-Type": "application/json"}
        path = "/serving-endpoints/local-chat/invocations"
        connection.request("POST", path, json.dumps(HELLO | {"stream": True}), headers)
        response = connection.getresponse()
        with pytest.raises(http.client.IncompleteRead):
            response.read()
    server.close()
    reported = capfd.readouterr().err
    assert reported.endswith("databricks-serving: KeyError\n")
    assert "Hello" not in reported.replace('raise KeyError("Hello")', "")
