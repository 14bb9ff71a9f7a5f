"""What calls have used, summed over a client."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import wire

from databricks_serving import UsageMeter, UsageTotals
from databricks_serving.errors import ConfigError, StreamInterruptedError
from databricks_serving.models import Usage

CHAT = {"model": "rivers", "messages": wire.USER}
SPENT = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def reply(usage=SPENT, **headers):
    return wire.json_reply(wire.chat() | {"usage": usage}, **headers)


def test_calls_are_summed_by_endpoint_and_served_model(shell):
    client = shell.client(lambda _: reply(served_model_name="v2"), track_usage=True)
    shell.wait(client.chat.completions.create(**CHAT))
    shell.wait(client.chat.completions.create(**CHAT))
    shell.wait(client.chat.completions.create(**CHAT | {"model": "lakes"}))
    usage = client.usage
    one = UsageTotals(calls=1, prompt_tokens=10, completion_tokens=5, total_tokens=15)
    assert usage.total == one + one + one
    assert usage.by_endpoint == {"rivers": one + one, "lakes": one}
    assert usage.by_served_model == {("rivers", "v2"): one + one, ("lakes", "v2"): one}


def test_tasks_are_counted_alike(shell):
    answers = [
        wire.completion() | {"usage": SPENT},
        wire.embeddings([1.0]) | {"usage": {"prompt_tokens": 3, "total_tokens": 3}},
        {"endpoints": []},
    ]
    client = shell.client(lambda _: wire.json_reply(answers.pop(0)), track_usage=True)
    shell.wait(client.completions.create(model="m", prompt="Hi"))
    shell.wait(client.embeddings.create(model="m", input="Hi"))
    shell.wait(client.endpoints.list())
    assert client.usage.total == UsageTotals(
        calls=2, prompt_tokens=13, completion_tokens=5, total_tokens=18
    )


def test_details_of_all_families_are_counted():
    details = Usage.from_dict(
        {
            "prompt_tokens": 8,
            "completion_tokens": 4,
            "prompt_tokens_details": {"cached_tokens": 6},
            "completion_tokens_details": {"reasoning_tokens": 3},
        }
    )
    assert UsageTotals.of(details) == UsageTotals(1, 0, 8, 4, 12, 6, 3)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}, {"prompt_tokens": "7"}])
def test_an_answer_without_counts_is_a_call(shell, usage):
    client = shell.client(reply(usage), track_usage=True)
    shell.wait(client.chat.completions.create(**CHAT))
    assert client.usage.total == UsageTotals(calls=1, uncounted=1)


EVENTS = [wire.chunk("The "), wire.chunk("Po.", usage=None)]
LAST = wire.chunk(finish_reason="stop") | {"usage": SPENT}


def test_a_stream_counts_when_it_ends(shell):
    client = shell.client(lambda _: wire.stream(*EVENTS, LAST, "[DONE]"), track_usage=True)
    with shell.opened(client.chat.completions.stream(**CHAT)) as stream:
        assert client.usage.total == UsageTotals()
        shell.wait(stream.get_final_completion())
        assert client.usage.total.total_tokens == 15
    assert client.usage.total.calls == 1


def test_a_stream_that_is_left_counts_what_came(shell):
    first = wire.chunk("The ") | {"usage": SPENT}
    client = shell.client(lambda _: wire.stream(first, *EVENTS), track_usage=True)
    with shell.opened(client.chat.completions.stream(**CHAT)) as stream:
        shell.next(stream)
    assert client.usage.total.total_tokens == 15


def test_a_stream_that_breaks_counts_what_came(shell):
    client = shell.client(lambda _: wire.stream(*EVENTS), track_usage=True)
    stream = client.chat.completions.stream(**CHAT)
    with pytest.raises(StreamInterruptedError), shell.opened(stream):
        shell.wait(stream.get_final_completion())
    assert client.usage.total == UsageTotals(calls=1, uncounted=1)


def test_a_failed_call_counts_nothing(shell):
    client = shell.client(wire.json_reply({"message": "no"}, 400), track_usage=True)
    with pytest.raises(Exception, match="no"):
        shell.wait(client.chat.completions.create(**CHAT))
    assert client.usage.total == UsageTotals()


def test_copies_share_the_meter_unless_they_ask_for_their_own(shell):
    client = shell.client(lambda _: reply(), track_usage=True)
    shared, own = client.with_options(timeout=9), client.with_options(track_usage=True)
    for one in (client, shared, own, client.with_options(track_usage=False)):
        shell.wait(one.chat.completions.create(**CHAT))
    assert client.usage is shared.usage
    assert (client.usage.total.calls, own.usage.total.calls) == (2, 1)


def test_usage_that_is_not_counted_is_not_shown_as_zero(shell):
    client = shell.client(reply())
    with pytest.raises(ConfigError, match="make the client with track_usage=True"):
        _ = client.usage
    with pytest.raises(ConfigError, match="track_usage must be a bool, not str"):
        shell.client(reply(), track_usage="yes")


def test_a_reset_gives_back_what_was_counted():
    meter = UsageMeter()
    meter.add("m", None, Usage(prompt_tokens=1))
    assert meter.reset().prompt_tokens == 1
    assert meter.total == UsageTotals()
    assert repr(meter).startswith("UsageMeter(total=UsageTotals(calls=0")


def test_threads_lose_no_count():
    meter, usage = UsageMeter(), Usage(prompt_tokens=1)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: meter.add(f"m-{n % 3}", None, usage), range(3000)))
    assert meter.total == UsageTotals(calls=3000, prompt_tokens=3000, total_tokens=3000)


def finish(closing):
    """Close at once, from wherever it is."""
    if closing is not None:
        with pytest.raises(StopIteration):
            closing.send(None)


def test_a_stream_that_is_closed_while_it_is_read_counts_all_that_came(shell):
    streams = []

    def pieces():
        yield wire.sse(*EVENTS)
        finish(streams[0].close())
        yield wire.sse(LAST)

    answer = wire.pieces(*[b""])
    answer.stream.pieces = pieces()
    client = shell.client(answer, track_usage=True)
    streams.append(shell.wait(client.chat.completions.create(**CHAT, stream=True)))
    for _ in (*EVENTS, LAST):
        shell.next(streams[0])
    assert client.usage.total == UsageTotals(1, 0, 10, 5, 15)
    shell.wait(streams[0].close())
    assert client.usage.total.calls == 1
