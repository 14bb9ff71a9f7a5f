"""What happens when llama.cpp fails; no model is needed to see it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from databricks_serving.local import LocalEndpoint
from databricks_serving.local.backends.llama import LlamaBackend, backend, translate
from databricks_serving.local.backends.llama.engine import Address, Engine
from databricks_serving.local.errors import RefusedError
from databricks_serving.local.tasks import Task

CHAT = {"messages": [{"role": "user", "content": "hello"}]}


class Stub(BaseHTTPRequestHandler):
    """Sends what the server is told to send, and hangs up."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("content-length", str(max(len(body), self.server.promised)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def llama(monkeypatch) -> Iterator:
    """A backend whose llama.cpp gives the answer that a test chooses."""
    server = HTTPServer(("127.0.0.1", 0), Stub)
    server.promised = 0
    threading.Thread(target=server.serve_forever, args=(0.05,)).start()
    monkeypatch.setattr(backend, "model_file", lambda: "model.gguf")
    monkeypatch.setattr(Engine, "address", lambda _: Address(*server.server_address, "key"))
    local = LlamaBackend(verbose=False)
    local.start()

    def answers(status, body, *, promised=0):
        server.answer, server.promised = (status, body), promised
        return local

    yield answers
    server.shutdown()
    server.server_close()


def refusal(call):
    with pytest.raises(RefusedError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "expected", "message"),
    [
        (400, b'{"error": {"message": "too long"}}', 400, "Bad request: too long"),
        (404, b'{"message": "no such"}', 400, "Bad request: no such"),
        (500, b'{"error": {"message": "image input is not supported"}}', 400, "not supported"),
        (500, b'{"error": {"message": "boom"}}', 500, "boom"),
        (500, b"<html>", 500, "the model answered with an error"),
        (500, b'{"error": "text"}', 500, "the model answered with an error"),
        (503, b"[]", 500, "the model answered with an error"),
    ],
)
def test_errors_of_llama_get_a_status_and_words_of_their_own(
    llama, status, body, expected, message
):
    local = llama(status, body)
    for call in (local.reply, local.events):
        refused = refusal(lambda call=call: call(Task.CHAT, CHAT))
        assert refused.status == expected
        assert message in refused.message
        assert refused.error_code == ("BAD_REQUEST" if expected == 400 else "INTERNAL_ERROR")


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (b'data: {"choices": []}\n\n', "The model stopped."),
        (b'data: {"choices": []}\n\nerror: {"message": "boom"}\n\n', "boom"),
        (b'data: {"choices": []}\n\ndata: {"error": {"message": "boom"}}\n\n', "boom"),
    ],
)
def test_a_stream_that_breaks_off_tells_so_after_what_it_gave(llama, stream, message):
    events = llama(200, stream).events(Task.CHAT, CHAT)
    assert next(events) == {"choices": []}
    assert message in refusal(lambda: next(events)).message


def test_a_reply_that_breaks_off_is_a_503(llama):
    local = llama(200, b'{"choices": [', promised=100)
    assert refusal(lambda: local.reply(Task.CHAT, CHAT)).status == 503


def test_what_says_nothing_in_a_stream_is_left_out(llama):
    stream = b': ping\n\ndata: null\n\nevent: x\n\ndata: {"choices": []}\n\ndata: [DONE]\n\n'
    assert list(llama(200, stream).events(Task.CHAT, CHAT)) == [{"choices": []}]


def test_a_fault_in_the_middle_reaches_the_client_as_an_event_without_an_end(
    llama, monkeypatch, caller
):
    local = llama(200, b'data: {"choices": []}\n\nerror: {"message": "boom"}\n\n')
    monkeypatch.setattr(local, "close", lambda: None)
    monkeypatch.setattr("databricks_serving.local.endpoint.BACKENDS", {"smollm2": lambda _: local})
    with LocalEndpoint(model="smollm2") as served:
        answer = caller(served)("local-chat", CHAT | {"stream": True})
    assert answer.status == 200
    assert answer.body == (
        b'data: {"choices":[]}\n\ndata: {"error_code":"INTERNAL_ERROR","message":"boom"}\n\n'
    )


@pytest.mark.parametrize("task", [Task.CHAT, Task.COMPLETION])
def test_a_server_that_is_gone_is_a_503(llama, monkeypatch, task):
    local = llama(200, b"")
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    monkeypatch.setattr(Engine, "address", lambda _: Address("127.0.0.1", port, "key"))
    refused = refusal(lambda: local.reply(task, {"prompt": "a"}))
    assert (refused.status, refused.error_code) == (503, "TEMPORARILY_UNAVAILABLE")


def test_tokens_of_all_choices_add_up_to_the_usage():
    spent = {}

    def event(index, made):
        timings = {"cache_n": 2, "prompt_n": 3, "predicted_n": made}
        return translate.event_of({"choices": [{"index": index}], "timings": timings}, spent)

    assert [event(*pair)["usage"]["completion_tokens"] for pair in [(0, 1), (1, 1), (0, 2)]] == [
        1,
        2,
        3,
    ]
    assert event(1, 2)["usage"] == {
        "prompt_tokens": 5,
        "completion_tokens": 4,
        "total_tokens": 9,
    }
