"""How a stream ends, what it says on its way, and what is no stream at all; section 2.3."""

import json

import pytest
import wire
from raw_server import chunked, response, then_close

from databricks_serving.errors import (
    APIStatusError,
    BadRequestError,
    InternalServerError,
    InvalidResponseError,
    RateLimitError,
    ServingError,
    StreamInterruptedError,
    StreamServerError,
)

from .support.answers import FIRST, HELLO, REST, STREAM_HEAD, chunk_of, reply, stream

STOP = wire.sse(wire.chunk("Po.", "stop"))


def begun(house, *events, **options):
    """Return a stream whose first event has come, and its server."""
    server, client = house.serve(stream(*events), **({"max_retries": 0} | options))
    return house.call(client, stream=True), server


@pytest.mark.row("E-17")
@pytest.mark.parametrize(
    "block",
    [
        b"event: ping\ndata: {}\n\n",
        b"event: ping\ndata: pong\n\n",
        b'event: response.foo\ndata: {"type":"response.foo"}\n\n',
        b"event: ping\n\n",
    ],
)
def test_events_of_other_kinds_are_passed_over(house, block):
    chunks, _ = begun(house, block, FIRST, block, REST)
    assert "".join(chunk.text for chunk in house.items(chunks)) == "The Po."


ERRORS = {
    "event": (b'event: error\ndata: {"error_code":"BAD","message":"out of luck"}\n\n', None, "BAD"),
    "text": (b"event: error\ndata: out of luck\n\n", None, None),
    "openai": ({"error": {"message": "out of luck", "code": 429}}, 429, "429"),
    "databricks": ({"error_code": "429", "message": "out of luck"}, 429, "429"),
    "databricks name": ({"error_code": "SICK", "message": "out of luck"}, None, "SICK"),
    "nested": ({"databricks_output": {"error": {"message": "out of luck"}}}, None, None),
}


@pytest.mark.row("E-18")
@pytest.mark.parametrize(("event", "status", "code"), ERRORS.values(), ids=ERRORS)
def test_an_error_inside_a_stream_is_raised_with_what_had_come(house, event, status, code):
    chunks, server = begun(house, FIRST, event, REST, max_retries=2)
    read, error = house.breaks(chunks, StreamServerError, "out of luck")
    assert [chunk.text for chunk in read] == ["The "]
    assert error.partial.text == "The "
    assert error.status_code == status
    assert error.error_code == code
    assert error.maybe_executed
    assert not error.retryable
    assert error.attempts == len(server.requests) == 1


@pytest.mark.row("E-18")
@pytest.mark.parametrize(
    ("event", "requests", "kind"),
    [
        ({"error": {"message": "out of luck", "code": 429}}, 3, RateLimitError),
        ({"error": {"message": "out of luck", "code": 503}}, 3, InternalServerError),
        ({"error": {"message": "out of luck", "code": 400}}, 1, BadRequestError),
        ({"error_code": "SICK", "message": "out of luck"}, 2, StreamServerError),
        ({"error": {"message": "out of luck", "code": 500}}, 2, InternalServerError),
    ],
    ids=["429", "503", "400", "unknown", "500"],
)
def test_an_error_before_the_first_event_is_the_call_s_own(house, event, requests, kind):
    server, client = house.serve(*[stream(event)] * 3, on_clock=True)
    error = house.fails(client, kind, "out of luck", stream=True)
    assert error.attempts == len(server.requests) == requests
    assert error.maybe_executed == (requests < 3)
    server, client = house.serve(stream(event), stream(FIRST, REST), on_clock=True)
    if requests > 1:
        assert house.text(client) == "The Po."


@pytest.mark.row("E-18")
def test_an_error_before_the_first_event_is_raised_on_entry(house):
    event = {"error": {"message": "out of luck", "code": 400}}
    _, client = house.serve(stream(event))
    with house.raising(BadRequestError), house.opened(house.events(client)):
        pytest.fail("the block was entered")


@pytest.mark.row("E-19")
def test_a_stream_may_end_without_its_terminator_once_it_has_finished(house):
    chunks, _ = begun(house, FIRST, STOP)
    assert "".join(chunk.text for chunk in house.items(chunks)) == "The Po."
    assert chunks.terminated_cleanly is False
    chunks, _ = begun(house, FIRST, STOP, "[DONE]")
    house.items(chunks)
    assert chunks.terminated_cleanly is True


@pytest.mark.row("E-20")
def test_a_stream_that_ends_without_an_end_is_interrupted(house):
    chunks, server = begun(house, FIRST, max_retries=2)
    read, error = house.breaks(chunks, StreamInterruptedError, "without a finish reason")
    assert [chunk.text for chunk in read] == ["The "]
    assert error.partial.text == "The "
    assert error.maybe_executed
    assert len(server.requests) == 1


@pytest.mark.row("E-20")
@pytest.mark.parametrize("body", [b"", b": nothing\n\n"], ids=["empty", "comment"])
def test_a_stream_without_events_is_asked_for_once_more(house, body):
    server, client = house.serve(stream(body), stream(FIRST, REST))
    assert house.text(client) == "The Po."
    server, client = house.serve(stream(body), stream(body), stream(body))
    error = house.fails(client, StreamInterruptedError, stream=True)
    assert error.partial is None
    assert error.attempts == len(server.requests) == 2


@pytest.mark.row("E-20")
def test_one_answer_of_two_that_has_not_finished_is_interrupted(house):
    chunks, _ = begun(house, wire.chunk("A", "stop", index=0), wire.chunk("B", index=1))
    _, error = house.breaks(chunks, StreamInterruptedError)
    assert error.partial.choices[1].message.text == "B"


@pytest.mark.row("E-21")
@pytest.mark.parametrize("end", ["[DONE]", " [DONE] ", '"[DONE]"'])
@pytest.mark.parametrize("after", [b"", b"data: [DONE]\n\n", FIRST, b"data: {broken\n\n"])
def test_the_first_terminator_ends_a_stream(house, end, after):
    server, client = house.serve(stream(FIRST, STOP, end, after), max_retries=0)
    chunks = house.call(client, stream=True)
    assert "".join(chunk.text for chunk in house.items(chunks)) == "The Po."
    assert chunks.terminated_cleanly
    assert house.call(client).text == "Hi"
    assert server.connections == 1


@pytest.mark.row("E-21")
@pytest.mark.parametrize(("size", "connections"), [(60_000, 1), (500_000, 2)])
def test_a_long_tail_is_read_up_to_a_limit(house, size, connections):
    tail = b": " + b"x" * 998 + b"\n"
    answer = stream(FIRST, STOP, "[DONE]", tail * (size // 1000))
    server, client = house.serve(answer, max_retries=0)
    assert house.text(client) == "The Po."
    assert house.call(client).text == "Hi"
    assert server.connections == connections


@pytest.mark.row("E-21")
def test_a_tail_that_does_not_end_holds_nobody(house):
    head = STREAM_HEAD + chunk_of(FIRST + STOP + b"data: [DONE]\n\n")
    server, client = house.serve(head, max_retries=0)
    assert house.text(client) == "The Po."
    assert house.busy(client) == []
    assert house.call(client).text == "Hi"
    assert server.connections == 2


@pytest.mark.row("E-23", "E-24")
@pytest.mark.parametrize(
    "data", ['{"choices": [{"delta": ', "garbage " * 200, "null", "[]", '"x"', "1", "{]"]
)
def test_what_is_no_chunk_breaks_a_stream_and_names_its_place(house, data):
    chunks, server = begun(house, FIRST, data, REST, max_retries=2)
    read, error = house.breaks(chunks, StreamInterruptedError, "event 2")
    assert [chunk.text for chunk in read] == ["The "]
    assert error.partial.text == "The "
    assert isinstance(error.__cause__, InvalidResponseError)
    assert len(str(error)) < 400
    assert len(server.requests) == 1


@pytest.mark.row("E-23", "E-24")
def test_what_is_no_chunk_at_the_start_is_asked_for_once_more(house):
    server, client = house.serve(stream("garbage"), stream(FIRST, REST))
    assert house.text(client) == "The Po."
    server, client = house.serve(*[stream("garbage")] * 3)
    error = house.fails(client, InvalidResponseError, "event 1", stream=True)
    assert error.garbled
    assert error.attempts == len(server.requests) == 2


@pytest.mark.row("E-25")
def test_odd_chunks_are_put_together(house):
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    events = [
        {"id": "c", "choices": []},
        wire.chunk("b1", index=1),
        {"id": "c", "choices": [{"index": 0, "delta": None}]},
        {"id": "c", "choices": [{"delta": {"content": "a1"}}]},
        wire.chunk("a2", index=0),
        wire.chunk("b2", "stop", index=1),
        {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]},
        {"id": "c", "choices": [], "usage": usage},
    ]
    server, client = house.serve(stream(*events, "[DONE]"), max_retries=0)
    with house.opened(house.events(client)) as opened:
        final = house.wait(opened.get_final_completion())
    assert [choice.message.text for choice in final.choices] == ["a1a2", "b1b2"]
    assert [choice.finish_reason for choice in final.choices] == ["length", "stop"]
    assert final.usage.total_tokens == 3
    assert len(server.requests) == 1


def call_chunk(**call):
    """Return a chunk with a piece of a tool call."""
    return wire.chunk(tool_calls=[call])


@pytest.mark.row("E-26")
def test_arguments_of_a_tool_call_may_be_cut_anywhere(house):
    arguments = '{"city": "Zo\\u00eb", "days": [1, 2]}'
    answers = [
        stream(
            call_chunk(index=0, id="t", type="function", function={"name": "f", "arguments": ""}),
            call_chunk(index=0, function={"arguments": arguments[:cut]}),
            call_chunk(index=0, id="t", function={"arguments": arguments[cut:]}),
            wire.chunk(None, "tool_calls"),
            "[DONE]",
        )
        for cut in range(len(arguments) + 1)
    ]
    _, client = house.serve(*answers, max_retries=0)
    for _ in answers:
        with house.opened(house.events(client)) as opened:
            [call] = house.wait(opened.get_final_completion()).choices[0].message.tool_calls
        assert call.id == "t"
        assert call.function.arguments == arguments


@pytest.mark.row("E-26")
def test_tool_calls_with_gaps_and_broken_arguments_keep_their_text(house):
    events = [
        call_chunk(index=3, id="b", type="function", function={"name": "g", "arguments": "{bro"}),
        call_chunk(index=1, id="a", type="function", function={"name": "f", "arguments": "{}"}),
        call_chunk(index=3, function={"arguments": "ken"}),
        wire.chunk(None, "tool_calls"),
    ]
    _, client = house.serve(stream(*events, "[DONE]"), max_retries=0)
    with house.opened(house.events(client)) as opened:
        calls = house.wait(opened.get_final_completion()).choices[0].message.tool_calls
    assert {call.id: call.function.arguments for call in calls} == {"a": "{}", "b": "{broken"}


PAGE = b"<!doctype html><html><body>Log in</body></html>"


@pytest.mark.row("E-27")
@pytest.mark.parametrize("kind", ["text/html", "text/event-stream", None])
def test_a_page_instead_of_a_stream_is_no_stream(house, kind):
    headers = [] if kind is None else [f"Content-Type: {kind}"]
    server, client = house.serve(*[response(PAGE, *headers)] * 2)
    with pytest.raises(ServingError) as caught:
        house.call(client, stream=True)
    house.show(caught.value)
    if kind == "text/event-stream":
        assert type(caught.value) is StreamInterruptedError
    else:
        assert type(caught.value) is InvalidResponseError
        assert "web page" in str(caught.value)
        assert len(server.requests) == 1


@pytest.mark.row("E-27")
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error_code": "BAD_REQUEST", "message": "no"}, BadRequestError),
        ({"error": {"message": "no", "code": 429}}, RateLimitError),
        ({"error": {"message": "no", "code": 500}}, InternalServerError),
    ],
    ids=["bad request", "limit", "internal"],
)
def test_an_error_in_json_instead_of_a_stream_is_typed(house, body, kind):
    _, client = house.serve(*[reply(body)] * 3, on_clock=True)
    with pytest.raises(ServingError, match="no") as caught:
        house.call(client, stream=True)
    house.show(caught.value)
    assert isinstance(caught.value, APIStatusError)
    assert type(caught.value) in {kind, APIStatusError}


@pytest.mark.row("E-27", "E-28")
@pytest.mark.parametrize("kind", ["application/json", "text/plain", None])
def test_a_whole_answer_instead_of_a_stream_is_a_stream_of_one(house, kind):
    headers = [] if kind is None else [f"Content-Type: {kind}"]
    _, client = house.serve(response(json.dumps(wire.chat("Hi")).encode(), *headers))
    with house.opened(house.events(client)) as opened:
        final = house.wait(opened.get_final_completion())
    assert final.text == "Hi"
    assert final.choices[0].finish_reason == "stop"


@pytest.mark.row("E-27")
@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", None])
def test_a_stream_is_known_by_its_bytes(house, kind):
    headers = [] if kind is None else [f"Content-Type: {kind}"]
    _, client = house.serve(response(HELLO, *headers), max_retries=0)
    assert house.text(client) == "The Po."


@pytest.mark.row("E-28")
def test_a_stream_instead_of_a_whole_answer_is_put_together(house):
    server, client = house.serve(chunked(HELLO), max_retries=0)
    assert house.call(client).text == "The Po."
    assert len(server.requests) == 1


@pytest.mark.row("E-28")
def test_a_stream_instead_of_a_whole_answer_that_is_cut_is_none(house):
    server, client = house.serve(then_close(STREAM_HEAD + chunk_of(FIRST)), max_retries=0)
    with pytest.raises(ServingError) as caught:
        house.call(client)
    house.show(caught.value)
    assert caught.value.maybe_executed
    assert len(server.requests) == 1


@pytest.mark.row("E-18", "E-20")
def test_text_completions_stream_alike(house):
    words = [wire.text_chunk(" wet"), wire.text_chunk(" days", "stop")]
    _, client = house.serve(stream(*words, "[DONE]"), stream(words[0]), max_retries=0)
    assert house.text(client, "completions") == " wet days"
    chunks = house.call(client, "completions", stream=True)
    _, error = house.breaks(chunks, StreamInterruptedError)
    assert error.partial.text == " wet"
