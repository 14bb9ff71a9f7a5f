"""Streams as users read them, and when they let go of their connection."""

import asyncio
import json
import zlib
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx
import pytest
import wire

from databricks_serving import AsyncServingClient, ServingClient
from databricks_serving._core.operations import COMPLETION
from databricks_serving.errors import (
    InvalidResponseError,
    NotFoundError,
    ServingError,
    StreamInterruptedError,
    StreamServerError,
    StreamUseError,
)
from databricks_serving.models import ChatCompletionChunk

HELLO = [wire.chunk("The "), wire.chunk("Po."), wire.chunk(None, "stop")]
WORDS = [wire.text_chunk(" wet"), wire.text_chunk(" days", "stop")]


class Boom(Exception):  # noqa: N818 - a user's own
    pass


def chunks_of(shell, response, **arguments):
    """Start a streamed call and return its chunks."""
    client = shell.client(response)
    arguments = {"model": "m", "messages": wire.USER, "stream": True} | arguments
    return shell.wait(client.chat.completions.create(**arguments))


def events_of(shell, response):
    """Return a stream of events that is not open yet."""
    return shell.client(response).chat.completions.stream(model="m", messages=wire.USER)


def body_of(response):
    return response.stream


def test_chunks_come_one_by_one(shell):
    stream = chunks_of(shell, wire.stream(*HELLO, "[DONE]", x_request_id="r-1", x_served="a"))
    assert shell.next(stream).text == "The "
    assert stream.snapshot.text == "The "
    assert [event.type for event in stream.news] == ["chunk", "text.delta"]
    assert not stream.terminated_cleanly
    assert [chunk.text for chunk in shell.items(stream)] == ["Po.", ""]
    assert stream.terminated_cleanly
    assert stream.request_id == "r-1"
    assert stream.meta.status_code == 200
    assert stream.meta.headers["x-served"] == "a"
    assert stream.snapshot.text == "The Po."
    assert stream.snapshot.request_id == "r-1"


def test_a_stream_is_iterated_once_and_stays_at_its_end(shell):
    stream = chunks_of(shell, wire.stream(*HELLO, "[DONE]"))
    assert len(shell.items(stream)) == 3
    with pytest.raises(StreamUseError, match="iterated before"):
        shell.items(stream)
    with pytest.raises((StopIteration, StopAsyncIteration)):
        shell.next(stream)


def test_chunks_give_the_whole_reply_as_well(shell):
    stream = chunks_of(shell, wire.stream(*HELLO, "[DONE]"))
    shell.next(stream)
    assert shell.wait(stream.get_final_completion()).text == "The Po."


def test_completions_stream_alike(shell):
    client = shell.client(lambda _: wire.stream(*WORDS, "[DONE]"))
    stream = shell.wait(client.completions.create(model="m", prompt="Rain", stream=True))
    assert [chunk.text for chunk in shell.items(stream)] == [" wet", " days"]
    with shell.opened(client.completions.stream(model="m", prompt="Rain")) as events:
        assert [event.type for event in shell.items(events)] == [
            "chunk",
            "text.delta",
            "chunk",
            "text.delta",
            "finish",
        ]
    assert events.snapshot.text == " wet days"


def test_stream_false_and_a_variable_choose_the_answer(shell):
    client = shell.client(lambda r: wire.stream("[DONE]") if b"stream" in r.content else whole)
    whole = wire.json_reply(wire.chat())
    for stream in (False, True):
        reply = shell.wait(
            client.chat.completions.create(model="m", messages=wire.USER, stream=stream)
        )
        assert hasattr(reply, "choices") is not stream
        if stream:
            assert shell.items(reply) == []


def test_events_are_typed_in_order(shell):
    with shell.opened(events_of(shell, wire.stream(*HELLO, "[DONE]"))) as stream:
        events = shell.items(stream)
    assert [event.type for event in events] == [
        "chunk",
        "text.delta",
        "chunk",
        "text.delta",
        "chunk",
        "finish",
    ]
    assert events[1].text == "The "
    assert events[-1].finish_reason == "stop"
    assert stream.chunks.terminated_cleanly
    assert stream.snapshot.text == "The Po."


def test_text_alone_can_be_read_of_the_first_choice(shell):
    events = [wire.chunk("a"), wire.chunk("x", index=1), wire.chunk("b", "stop")]
    with shell.opened(events_of(shell, wire.stream(*events, "[DONE]"))) as stream:
        assert shell.items(stream.text_stream) == ["a", "b"]


def test_text_alone_is_read_once_and_without_models(shell, monkeypatch):
    def refuse(_cls, _data):
        raise AssertionError("a model of an event was made")

    monkeypatch.setattr(ChatCompletionChunk, "from_dict", classmethod(refuse))
    with shell.opened(events_of(shell, wire.stream(*HELLO, "[DONE]"))) as stream:
        assert shell.items(stream.text_stream) == ["The ", "Po."]
        with pytest.raises(StreamUseError, match="iterated before"):
            shell.items(stream.text_stream)
    assert stream.snapshot.text == "The Po."
    with shell.opened(events_of(shell, wire.stream(*HELLO, "[DONE]"))) as stream:
        assert shell.wait(stream.get_final_completion()).text == "The Po."


def test_an_error_ends_the_text_and_keeps_what_had_come(shell):
    broken = wire.stream(HELLO[0], {"error": {"message": "out of memory"}})
    with (
        shell.opened(events_of(shell, broken)) as stream,
        pytest.raises(StreamServerError, match="out of memory") as caught,
    ):
        shell.items(stream.text_stream)
    assert caught.value.partial.text == "The "


def test_the_whole_reply_can_be_had_at_any_point(shell):
    with shell.opened(events_of(shell, wire.stream(*HELLO, "[DONE]"))) as stream:
        shell.next(stream)
        reply = shell.wait(stream.get_final_completion())
        assert (reply.text, reply.finish_reason) == ("The Po.", "stop")
        again = shell.wait(stream.get_final_completion())
    assert again == reply


def test_a_stream_that_is_not_open_says_so(shell):
    stream = events_of(shell, wire.stream(*HELLO))
    for use in (
        lambda: shell.items(stream),
        lambda: shell.items(stream.text_stream),
        lambda: shell.wait(stream.get_final_completion()),
        lambda: stream.snapshot,
        lambda: stream.chunks,
    ):
        with pytest.raises(ServingError, match="as a context manager"):
            use()
    shell.wait(stream.close())
    assert shell.transport.requests == []


def test_an_error_status_is_raised_on_entry(shell):
    response = wire.json_reply({"error_code": "X", "message": "none"}, status=404)
    stream = events_of(shell, response)
    with pytest.raises(NotFoundError) as caught, shell.opened(stream):
        pass
    assert caught.value.endpoint == "m"
    assert response.is_closed


# When the connection is let go of.


def test_the_end_lets_go(shell):
    response = wire.stream(*HELLO, "[DONE]")
    shell.items(chunks_of(shell, response))
    assert body_of(response).closed == 1


@pytest.mark.parametrize("read", [0, 1])
def test_leaving_the_block_early_lets_go(shell, read):
    response = wire.pieces(*(wire.sse(event) for event in HELLO))
    with shell.opened(chunks_of(shell, response)) as stream:
        for _ in range(read):
            shell.next(stream)
        assert body_of(response).closed == 0
    assert body_of(response).closed == 1
    # The first event is read by the call itself.
    assert body_of(response).given == 1


def test_leaving_the_block_of_events_early_lets_go(shell):
    response = wire.pieces(*(wire.sse(event) for event in HELLO))
    with shell.opened(events_of(shell, response)) as stream:
        shell.next(stream)
    assert body_of(response).closed == 1
    assert body_of(response).given == 1


@pytest.mark.parametrize("start", [chunks_of, events_of])
def test_an_exception_in_the_block_lets_go_and_is_not_changed(shell, start):
    response = wire.pieces(*(wire.sse(event) for event in HELLO))
    boom = Boom()

    def use():
        with shell.opened(start(shell, response)) as stream:
            shell.next(stream)
            raise boom

    with pytest.raises(Boom) as caught:
        use()
    assert caught.value is boom
    assert boom.__cause__ is None
    assert body_of(response).closed == 1


def test_closing_lets_go_once(shell):
    response = wire.pieces(*(wire.sse(event) for event in HELLO))
    stream = chunks_of(shell, response)
    for _ in range(3):
        shell.wait(stream.close())
    assert body_of(response).closed == 1


def test_a_closed_stream_gives_no_more_and_does_not_pass_for_whole(shell):
    stream = chunks_of(shell, wire.pieces(*(wire.sse(event) for event in HELLO)))
    shell.next(stream)
    shell.wait(stream.close())
    with pytest.raises(StreamInterruptedError, match="closed before its end") as caught:
        shell.items(stream)
    assert caught.value.partial.text == "The "


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        ([wire.sse({"error": "boom"})], StreamServerError),
        ([wire.sse("{broken")], StreamInterruptedError),
        ([], StreamInterruptedError),
        ([httpx.ReadError("reset")], StreamInterruptedError),
        ([httpx.ReadTimeout("stalled")], StreamInterruptedError),
    ],
    ids=["error event", "broken event", "cut", "reset", "stall"],
)
@pytest.mark.parametrize("start", [chunks_of, events_of])
def test_an_error_lets_go_and_says_which_call_it_was(shell, start, last, kind):
    response = wire.pieces(wire.sse(HELLO[0]), *last, x_request_id="r-1")

    def use():
        with shell.opened(start(shell, response)) as stream:
            shell.clock.advance(2.5)
            shell.items(stream)

    with pytest.raises(kind) as caught:
        use()
    assert body_of(response).closed == 1
    error = caught.value
    assert error.partial.text == "The "
    assert (error.endpoint, error.attempts, error.elapsed) == ("m", 1, 2.5)
    assert error.request_id == "r-1"
    assert error.maybe_executed
    assert not error.retryable


def test_the_same_error_is_not_followed_by_a_good_end(shell):
    stream = chunks_of(shell, wire.stream(HELLO[0], {"error": "boom"}, *HELLO, "[DONE]"))
    with pytest.raises(StreamServerError) as caught:
        shell.items(stream)
    first = caught.value
    for _ in range(2):
        with pytest.raises(StreamServerError) as caught:
            shell.next(stream)
        assert caught.value is first
    with pytest.raises(StreamServerError):
        shell.wait(stream.get_final_completion())
    assert len(first.history) == 1


def test_a_break_after_the_finish_reason_is_not_followed_by_a_good_end(shell):
    response = wire.pieces(wire.sse(wire.chunk("a", "stop")), httpx.ReadError("cut"))
    stream = chunks_of(shell, response)
    with pytest.raises(StreamInterruptedError):
        shell.items(stream)
    with pytest.raises(StreamInterruptedError):
        shell.wait(stream.get_final_completion())


def test_an_answer_is_whole_whatever_a_transport_raises_after_it(shell):
    response = wire.pieces(wire.sse(wire.chunk("a", "stop"), "[DONE]"), RuntimeError("own"))
    assert [c.text for c in shell.items(chunks_of(shell, response))] == ["a"]


@pytest.mark.parametrize(
    ("ended", "whole"),
    [(["[DONE]"], True), ([], False), ([wire.chunk("b", "stop", index=1)], True)],
    ids=["terminated", "cut", "both"],
)
def test_as_many_answers_must_end_as_were_asked_for(shell, ended, whole):
    client = shell.client(wire.stream(wire.chunk("a", "stop"), *ended))
    create = client.chat.completions.create
    stream = shell.wait(create(model="m", messages=wire.USER, n=2, stream=True))
    if whole:
        assert shell.wait(stream.get_final_completion()).text == "a"
    else:
        with pytest.raises(StreamInterruptedError):
            shell.wait(stream.get_final_completion())


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ({"prompt": "a"}, 1),
        ({"prompt": ["a", "b"]}, 2),
        ({"prompt": ["a", "b"], "n": 3}, 6),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": "a", "n": True}, 1),
    ],
)
def test_completions_are_counted_by_their_prompts(body, parts):
    assert COMPLETION.count_parts(body) == parts


def test_a_page_instead_of_a_stream_lets_go(shell):
    response = wire.pieces(b"<html>Sign in</html>", content_type="text/html", x_request_id="r-1")
    with pytest.raises(InvalidResponseError, match="web page") as caught:
        shell.items(chunks_of(shell, response))
    assert body_of(response).closed == 1
    assert (caught.value.endpoint, caught.value.request_id) == ("m", "r-1")


def test_what_follows_the_terminator_is_read_so_that_the_connection_can_be_used_again(shell):
    response = wire.pieces(wire.sse(*HELLO, "[DONE]"), b"\n", b": bye\n\n")
    assert len(shell.items(chunks_of(shell, response))) == 3
    assert body_of(response).given == 3


def test_not_much_is_read_after_the_terminator(shell):
    response = wire.pieces(wire.sse(*HELLO, "[DONE]"), *[b"x" * 30_000] * 100)
    assert len(shell.items(chunks_of(shell, response))) == 3
    assert body_of(response).given == 4
    assert body_of(response).closed == 1


def test_a_connection_that_breaks_after_the_terminator_does_no_harm(shell):
    response = wire.pieces(wire.sse(*HELLO, "[DONE]"), httpx.ReadError("reset"))
    assert len(shell.items(chunks_of(shell, response))) == 3
    assert body_of(response).closed == 1


def test_a_compressed_stream_is_read(shell):
    packer = zlib.compressobj(wbits=31)
    data = [packer.compress(wire.sse(e)) + packer.flush(zlib.Z_SYNC_FLUSH) for e in HELLO]
    stream = chunks_of(shell, wire.pieces(*data, packer.flush(), content_encoding="gzip"))
    assert [chunk.text for chunk in shell.items(stream)] == ["The ", "Po.", ""]


def test_an_answer_in_one_piece_passes_for_a_stream(shell):
    with shell.opened(events_of(shell, wire.json_reply(wire.chat("The Po.")))) as stream:
        assert [event.type for event in shell.items(stream)] == ["chunk", "text.delta", "finish"]
        assert stream.snapshot.text == "The Po."


def test_a_cancelled_read_lets_go_and_stays_a_cancellation():
    class Stalling(wire.Body):
        async def __aiter__(self):
            yield wire.sse(HELLO[0])
            await anyio.sleep_forever()

    body = Stalling()
    headers = {"content-type": "text/event-stream"}
    response = httpx.Response(200, headers=headers, stream=body)
    client = AsyncServingClient(
        wire.HOST, wire.TOKEN, transport=httpx.MockTransport(lambda _: response)
    )

    async def read(scope):
        async with client.chat.completions.stream(model="m", messages=wire.USER) as stream:
            async for event in stream:
                if event.type == "text.delta":
                    scope.cancel()

    async def run():
        with anyio.CancelScope() as scope:
            await read(scope)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        return scope.cancelled_caught, tasks

    assert asyncio.run(run()) == (True, set())
    assert body.closed == 1


def test_threads_share_a_client_without_mixing_their_answers():
    def echo(request):
        text = json.loads(request.content)["messages"][0]["content"]
        if text.startswith("stream"):
            return wire.stream(wire.chunk(text), wire.chunk(None, "stop"), "[DONE]")
        return wire.json_reply(wire.chat(text))

    client = ServingClient(wire.HOST, wire.TOKEN, transport=httpx.MockTransport(echo))

    def ask(number):
        kind = "stream" if number % 2 else "whole"
        messages = [{"role": "user", "content": f"{kind} {number}"}]
        if number % 2 == 0:
            return client.chat.completions.create(model="m", messages=messages).text
        with client.chat.completions.stream(model="m", messages=messages) as stream:
            return "".join(stream.text_stream)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(300)))
    assert answers == [f"{'stream' if n % 2 else 'whole'} {n}" for n in range(300)]


def test_a_stream_sends_its_request_once(shell):
    stream = events_of(shell, wire.stream(*HELLO, "[DONE]"))
    with shell.opened(stream):
        pass
    with pytest.raises(ServingError, match="a second call"), shell.opened(stream):
        pass
    assert len(shell.transport.requests) == 1


def test_a_broken_stream_says_which_call_it_was(shell):
    stream = chunks_of(shell, wire.stream(HELLO[0]))
    with pytest.raises(StreamInterruptedError, match=r"\(endpoint 'm', 1 try in 0.0 s\)$"):
        shell.items(stream)
