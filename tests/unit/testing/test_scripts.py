"""The seam of the test kit: scripts instead of connections, and time that costs nothing."""

import json
from math import inf

import anyio
import httpx
import pytest
import wire

from databricks_serving import Timeouts, errors
from databricks_serving._core.script import Break, Head, Wait
from databricks_serving._http.scripted import ScriptedTransport
from databricks_serving._http.stand_ins import installed
from databricks_serving.testing._time import FakeTime

ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hello?"}]}
JSON = Head(200, (("content-type", "application/json"),))
EVENTS = Head(200, (("content-type", "text/event-stream"),))


@pytest.fixture
def kit():
    return Kit()


class Kit:
    """A stand-in that answers with one script after the other."""

    replaces = True

    def __init__(self):
        self.own_time = FakeTime()
        self.scripts = []
        self.sent = []
        self.transport = ScriptedTransport(self.answer, self.own_time)

    def answer(self, sent):
        self.sent.append(sent)
        return self.scripts.pop(0)

    def blocking(self, inner):
        assert inner is None
        return self.transport

    asynchronous = blocking


def reply(text):
    return [JSON, json.dumps(wire.chat(text)).encode()]


def client_of(shell, kit, **options):
    return shell.client_class(wire.HOST, wire.TOKEN, transport=kit.transport, **options)


def test_a_script_is_an_answer(shell, kit):
    kit.scripts = [reply("Hi.")]
    client = client_of(shell, kit)
    assert shell.wait(client.chat.completions.create(**ASKED)).text == "Hi."
    assert json.loads(kit.sent[0].content)["messages"] == ASKED["messages"]
    assert wire.TOKEN not in repr(kit.sent[0])


def test_waits_between_tries_pass_on_the_transports_own_time(shell, kit):
    limited = Head(429, (("content-type", "application/json"), ("retry-after", "20")))
    kit.scripts = [[limited, b"{}"], [limited, b"{}"], reply("Hi.")]
    client = client_of(shell, kit)
    assert shell.wait(client.chat.completions.create(**ASKED)).text == "Hi."
    assert len(kit.own_time.slept) == 2
    assert all(20 <= seconds < 25 for seconds in kit.own_time.slept)


def test_an_answer_that_never_comes_ends_at_the_limit(shell, kit):
    kit.scripts = [[Wait(inf)]]
    client = client_of(shell, kit, max_retries=0, timeout=Timeouts(first_byte=7))
    with pytest.raises(errors.APITimeoutError) as caught:
        shell.wait(client.chat.completions.create(**ASKED))
    assert caught.value.phase == "first_byte"
    assert caught.value.elapsed == pytest.approx(7)


def test_a_stream_that_stalls_ends_at_the_limit_between_events(shell, kit):
    first = b"data: " + json.dumps(wire.chunk("Hi")).encode() + b"\n\n"
    kit.scripts = [[EVENTS, first, Wait(4), first, Wait(6), first]]
    client = client_of(shell, kit, timeout=Timeouts(idle=5))
    with (
        pytest.raises(errors.ServingError) as caught,
        shell.opened(client.chat.completions.stream(**ASKED)) as stream,
    ):
        shell.items(stream)
    assert caught.value.partial.text == "HiHi"
    assert kit.own_time.monotonic() == pytest.approx(9)


@pytest.mark.parametrize("kind", ["refused", "connect_timeout", "reset", "closed", "malformed"])
def test_a_connection_that_breaks_is_an_error_of_ours(shell, kit, kind):
    kit.scripts = [[Break(kind)]]
    client = client_of(shell, kit, max_retries=0)
    with pytest.raises(errors.APIConnectionError) as caught:
        shell.wait(client.chat.completions.create(**ASKED))
    assert caught.value.maybe_executed is (kind not in {"refused", "connect_timeout"})


def test_a_stand_in_serves_clients_that_were_made_before_it(shell, kit):
    kit.scripts = [[Head(503), b""], reply("Hi.")]
    client = shell.client_class(wire.HOST, wire.TOKEN)
    with installed(kit):
        assert shell.wait(client.chat.completions.create(**ASKED)).text == "Hi."
    assert len(kit.own_time.slept) == 1


def test_a_clients_own_transport_goes_before_a_stand_in(shell, kit):
    other = httpx.MockTransport(lambda _: httpx.Response(200, json=wire.chat("Mine.")))
    client = shell.client_class(wire.HOST, wire.TOKEN, transport=other)
    with installed(kit):
        assert shell.wait(client.chat.completions.create(**ASKED)).text == "Mine."
    assert kit.sent == []


def test_what_a_script_raises_of_its_own_is_not_taken_for_a_fault_of_the_network(shell, kit):
    kit.transport = ScriptedTransport(lambda _: kit.scripts.pop(), kit.own_time)
    client = client_of(shell, kit)
    with pytest.raises(IndexError):
        shell.wait(client.chat.completions.create(**ASKED))


def test_waits_of_tasks_overlap_and_the_shortest_ends_first():
    clock, ended = FakeTime(), []

    async def wait(seconds):
        await clock.sleep_async(seconds)
        ended.append((seconds, clock.monotonic()))

    async def main():
        async with anyio.create_task_group() as tasks:
            for seconds in (50, 2, 30):
                tasks.start_soon(wait, seconds)

    anyio.run(main)
    assert ended == [(2, 2), (30, 30), (50, 50)]


def test_a_wait_that_is_cancelled_passes_no_time_and_holds_up_nobody():
    clock = FakeTime()

    async def main():
        with anyio.CancelScope() as scope:
            scope.cancel()
            await clock.sleep_async(5)
        await clock.sleep_async(7)

    anyio.run(main)
    assert clock.monotonic() == 7
