"""llmock breaks a provider in its own ways, watches the client, and gives a verdict.

It serves OpenAI's routes, so requests are sent there instead; the program under test does what ours
recommends: it asks again when a stream broke.
"""

import json
import subprocess
import sys
import urllib.request
from contextlib import suppress
from dataclasses import dataclass

import httpx
import pytest
import wire

from databricks_serving import RetryPolicy, Timeouts
from databricks_serving.errors import (
    APIStatusError,
    APITimeoutError,
    InternalServerError,
    RateLimitError,
    StreamInterruptedError,
)

POLICY = RetryPolicy(base=0.1, cap=0.4)
# httpx has one limit for reads: that of the first one.
TIMEOUTS = Timeouts(first_byte=1.5, idle=0.5)


@dataclass
class Judge:
    """The server, and what it thinks of its client."""

    host: str

    def ask(self, path, **body):
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self.host}/_llmock/{path}", data)  # noqa: S310 - loopback
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def script(self, *behaviours):
        urllib.request.urlopen(  # noqa: S310 - loopback
            urllib.request.Request(f"{self.host}/_llmock/reset", method="POST")  # noqa: S310 - loopback
        ).close()
        self.ask("scenario", behaviors=list(behaviours))

    def attempts(self):
        return self.ask("requests")["count"]

    def findings(self):
        return [finding["code"] for finding in self.ask("verdict")["findings"]]


@pytest.fixture(scope="module")
def judge():
    program = [
        *(sys.executable, "-m", "uvicorn", "--factory", "llmock.main:create_app"),
        *("--host", "127.0.0.1", "--port", "0"),
    ]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as server:
        for line in server.stderr:
            if "running on" in line:
                yield Judge(line.split("running on ")[1].split()[0])
                break
        server.terminate()
        server.stderr.read()


class _Rerouted:
    """Sends a request to OpenAI's route, with the endpoint as the model."""

    def handle_request(self, request):
        return super().handle_request(rerouted(request))

    async def handle_async_request(self, request):
        return await super().handle_async_request(rerouted(request))


class Transport(_Rerouted, httpx.HTTPTransport):
    pass


class AsyncTransport(_Rerouted, httpx.AsyncHTTPTransport):
    pass


def rerouted(request):
    body = json.dumps({"model": "gpt-4o", **json.loads(request.content)}).encode()
    headers = {k: v for k, v in request.headers.items() if k != "content-length"}
    url = request.url.copy_with(path="/v1/chat/completions")
    return httpx.Request("POST", url, headers=headers, content=body, extensions=request.extensions)


@pytest.fixture
def client(shell, judge):
    transport = AsyncTransport() if shell.name == "async" else Transport()
    client = shell.client_class(
        judge.host, wire.TOKEN, transport=transport, retry=POLICY, timeout=TIMEOUTS
    )
    # The judge needs a moment to notice the end of a try.
    client._caller.credentials.clocks.rand = lambda: 1.0
    yield client
    shell.wait(client.close())


def ask(shell, client, **arguments):
    arguments = {"model": "m", "messages": wire.USER} | arguments
    return shell.wait(client.chat.completions.create(**arguments))


def ask_in_a_stream(shell, judge, client):
    """Read a stream to its end, and once more from the start if it broke."""
    for _ in range(2):
        with suppress(StreamInterruptedError):
            stream = ask(shell, client, stream=True)
            return shell.wait(stream.get_final_completion()).text
        # The judge takes for a retry only what begins after it has noticed the end of the first.
        judge.attempts()
    raise AssertionError("it broke twice")


def fail(status, **known):
    return {"type": "fail", "status": status, **known}


def broken_stream(kind, **known):
    fault = {"type": "stream_fault", "kind": kind, "after_chunks": 3, **known}
    # So long that it is not all in the buffers of the system when the client leaves.
    return fault, {"type": "reply", "text": "word " * 20_000}


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_a_failure_that_passes_is_survived(shell, judge, client, status):
    judge.script(fail(status, retry_after=0.1))
    assert ask(shell, client).text
    assert judge.attempts() == 2
    assert judge.findings() == []


def test_a_limit_is_waited_for(shell, judge, client):
    judge.script(fail(429, retry_after=0.3, times=2))
    assert ask(shell, client).text
    assert judge.attempts() == 3
    assert judge.findings() == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_will_not_pass_is_not_asked_again(shell, judge, client, status):
    judge.script(fail(status, times=None))
    with pytest.raises(APIStatusError):
        ask(shell, client)
    assert judge.attempts() == 1
    assert judge.findings() == []


def test_an_outage_ends_after_a_few_tries(shell, judge, client):
    judge.script(fail(503, times=None, retry_after=0.1))
    with pytest.raises(InternalServerError):
        ask(shell, client)
    assert judge.attempts() == 3
    assert judge.findings() == []


def test_a_limit_that_does_not_end_is_raised(shell, judge, client):
    judge.script(fail(429, times=None, retry_after=0.1))
    with pytest.raises(RateLimitError):
        ask(shell, client)
    assert judge.findings() == []


@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
def test_a_broken_stream_is_never_taken_for_whole(shell, judge, client, kind):
    judge.script(*broken_stream(kind))
    assert ask_in_a_stream(shell, judge, client)
    assert judge.attempts() == 2
    assert judge.findings() == []


@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
def test_a_stream_that_breaks_before_it_begins_is_asked_for_again(shell, judge, client, kind):
    judge.script(*broken_stream(kind, after_chunks=0))
    assert shell.wait(ask(shell, client, stream=True).get_final_completion()).text
    assert judge.attempts() == 2
    assert judge.findings() == []


def test_a_stream_that_stalls_is_left(shell, judge, client):
    judge.script(*broken_stream("stall", stall_seconds=30))
    stream = ask(shell, client, stream=True)
    with pytest.raises(APITimeoutError) as caught:
        shell.wait(stream.get_final_completion())
    assert caught.value.partial.text
    assert ask_in_a_stream(shell, judge, client)
    assert judge.findings() == []


@pytest.mark.parametrize("behaviour", ["delay", "slow_first_token"])
def test_a_slow_answer_is_waited_for(shell, judge, client, behaviour):
    judge.script({"type": behaviour, "seconds": 0.8})
    assert ask_in_a_stream(shell, judge, client)
    assert judge.attempts() == 1
    assert judge.findings() == []
