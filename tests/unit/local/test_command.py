import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from types import SimpleNamespace

import pytest

from databricks_serving.local import command

BANNER_LINES = 7
OPTIONS = {"model": "deterministic", "token": None, "port": 0, "endpoints": {}, "verbose": False}


@contextmanager
def running(*arguments):
    """Run the command and yield it with the lines that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "databricks_serving", "local", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, [process.stdout.readline().rstrip("\n") for _ in range(BANNER_LINES)]
    finally:
        process.kill()
        process.communicate()


def exported(lines):
    words = next(line for line in lines if line.startswith("export ")).split()[1:]
    variables = dict(word.split("=", 1) for word in words)
    return SimpleNamespace(host=variables["DATABRICKS_HOST"], token=variables["DATABRICKS_TOKEN"])


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_what_is_printed_can_be_pasted_into_a_shell():
    with running("--endpoint", "mine=llm/v1/chat", "--token", "my-token") as (_, lines):
        assert exported(lines).token == "my-token"
        assert f"deterministic model on {exported(lines).host} " in lines[0]
        assert "local-chat, local-completion, local-embedding, " in lines[1]
        assert lines[1].endswith("local-custom, mine")
        script = "\n".join(lines[3:]).replace("curl ", "curl -sS --max-time 20 ")
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert '"content":"You said: Hello"' in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_within_a_second_while_a_stream_runs(number, caller, long_stream):
    with running() as (process, lines):
        call = caller(exported(lines))
        with closing(call.connect()) as connection:
            assert call.open(connection, "local-chat", long_stream).readline()
            begin = time.monotonic()
            process.send_signal(number)
            assert process.wait(5) == 0
            assert time.monotonic() - begin < 1
        assert process.stderr.read() == ""


def test_a_taken_port_ends_with_status_1(local, capsys):
    port = int(local.host.rpartition(":")[2])
    assert command.serve(**OPTIONS | {"port": port}) == 1
    assert capsys.readouterr().err.startswith(f"databricks-serving: cannot listen on port {port}: ")


def test_a_signal_stops_it_while_the_model_loads(monkeypatch):
    class Slow:
        model = "slow"
        closed = False

        def start(self):
            signal.raise_signal(signal.SIGTERM)
            pytest.fail("loading went on")

        def close(self):
            # A second signal must not disturb the cleaning up.
            signal.raise_signal(signal.SIGINT)
            self.closed = True

    slow = Slow()
    monkeypatch.setattr("databricks_serving.local.endpoint.BACKENDS", {"slow": lambda _: slow})
    before = signal.getsignal(signal.SIGTERM)
    assert command.serve(**OPTIONS | {"model": "slow"}) == 0
    assert slow.closed
    assert signal.getsignal(signal.SIGTERM) is before
