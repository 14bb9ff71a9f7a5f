"""What the bytes of a stream mean, without any connection."""

import json
from contextlib import suppress

import chance
import pytest
import wire

from databricks_serving._core.operations import CHAT, COMPLETION
from databricks_serving._core.reading import Reading
from databricks_serving._core.sse import DEFAULT_MAX_EVENT_BYTES
from databricks_serving._core.streaming import StreamSession
from databricks_serving.errors import (
    APIConnectionError,
    APITimeoutError,
    ClientClosedError,
    InvalidResponseError,
    RateLimitError,
    ResponseTooLargeError,
    ServingError,
    StreamError,
    StreamInterruptedError,
    StreamServerError,
    StreamTimeoutError,
)
from databricks_serving_api.types import ReplyMeta

STREAM = "text/event-stream; charset=utf-8"
HELLO = (wire.chunk("Hé "), wire.chunk("\U0001f600"), wire.chunk(None, "stop"))


def session_of(content_type=STREAM, operation=CHAT, **reading):
    headers = {"x-request-id": "r-1"}
    if content_type is not None:
        headers["content-type"] = content_type
    return StreamSession(operation, ReplyMeta(200, headers), Reading(**reading))


def pop(session):
    """Return the next chunk, if there is one."""
    return session.chunk() if session.advance() else None


def read(session, *pieces, ends=True):
    """Feed pieces as a shell does; return the chunks."""
    chunks = []
    for piece in (*pieces, *([None] if ends else [])):
        while (chunk := pop(session)) is not None:
            chunks.append(chunk)
        if session.finished:
            return chunks
        if piece is None:
            session.end()
        else:
            session.feed(piece)
    while (chunk := pop(session)) is not None:
        chunks.append(chunk)
    return chunks


def outcome(*pieces, content_type=STREAM, operation=CHAT):
    """Return what came, or how it failed, in a form that can be compared."""
    session = session_of(content_type, operation)
    try:
        chunks = read(session, *pieces)
    except StreamError as error:
        return type(error), str(error), error.partial and error.partial.to_dict()
    except ServingError as error:
        return type(error), str(error)
    return [c.to_dict() for c in chunks], session.snapshot().to_dict(), session.terminated_cleanly


def broken(kind, *pieces, content_type=STREAM):
    """Read what must break and return the error."""
    with pytest.raises(kind) as caught:
        read(session_of(content_type), *pieces)
    assert caught.value.request_id == "r-1"
    return caught.value


def test_a_stream_with_a_terminator_ends_well():
    session = session_of()
    assert [chunk.text for chunk in read(session, wire.sse(*HELLO, "[DONE]"))] == [
        "Hé ",
        "\U0001f600",
        "",
    ]
    assert session.terminated_cleanly
    assert session.finished
    assert session.snapshot().text == "Hé \U0001f600"
    assert session.snapshot().request_id == "r-1"


def test_a_stream_may_end_without_terminator_once_every_answer_has_finished():
    session = session_of()
    read(session, wire.sse(*HELLO))
    assert not session.terminated_cleanly
    assert session.finished


def test_a_terminator_alone_is_an_end():
    session = session_of()
    assert read(session, wire.sse("[DONE]")) == []
    assert session.snapshot().choices == []


@pytest.mark.parametrize(
    "done",
    [
        b"data: [DONE]\n\n",
        b"data:[DONE]\n\n",
        b"data:   [DONE]  \r\n\r\n",
        b'data: "[DONE]"\n\n',
        b"event: done\ndata: [DONE]\n\n",
        b"data: [DONE]\n\ndata: [DONE]\n\n",
        b"data: [DONE]\n\ndata: {broken\n\n",
        b'data: [DONE]\n\ndata: {"error": "late"}\n\n',
    ],
)
def test_the_terminator_has_many_spellings_and_ends_all(done):
    session = session_of()
    assert len(read(session, wire.sse(HELLO[0], done))) == 1
    assert session.terminated_cleanly
    session.feed(b"data: {broken\n\n")
    session.end()
    assert pop(session) is None


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b""],
        [wire.sse(HELLO[0])],
        [wire.sse(HELLO[0]), b"data: [DONE]"],
        [wire.sse(HELLO[0]), b": keep-alive\n\n"],
        [wire.sse(wire.chunk("a", "stop"), wire.chunk("b", index=1))],
        [b"event: ping\ndata: {}\n\n"],
        [b'{"error": "not an event"}'],
    ],
    ids=range(8),
)
def test_a_stream_that_just_ends_is_interrupted(pieces):
    error = broken(StreamInterruptedError, *pieces)
    assert "without a finish reason and without a terminator" in str(error)
    assert error.maybe_executed


def test_an_interruption_keeps_what_had_come():
    error = broken(StreamInterruptedError, wire.sse(*HELLO[:2]))
    assert error.partial.text == "Hé \U0001f600"
    assert error.partial.finish_reason is None
    assert error.partial.request_id == "r-1"


@pytest.mark.parametrize("first", [b"", b": hi\n\n", b"event: ping\ndata: 1\n\n"])
@pytest.mark.parametrize("last", [b"", b"data: {broken\n\n", b'data: {"error": "x"}\n\n'])
def test_before_the_first_chunk_nothing_had_come(first, last):
    error = broken((StreamInterruptedError, StreamServerError, InvalidResponseError), first + last)
    assert getattr(error, "partial", None) is None
    assert getattr(error, "garbled", b"broken" in last) is (b"broken" in last)


@pytest.mark.parametrize(
    "data",
    ["{broken", "null", "[]", '"x"', "1", "true", "", "NaN", "[" * 5000],
    ids=lambda d: d[:9] or "empty",
)
def test_an_event_that_is_no_object_interrupts_and_names_its_number(data):
    error = broken(StreamInterruptedError, wire.sse(HELLO[0], data, "[DONE]"))
    assert str(error) == "the stream broke off: event 2 is not a JSON object"
    assert isinstance(error.__cause__, InvalidResponseError)
    assert error.partial.text == "Hé "


def test_an_event_that_does_not_fit_interrupts_and_names_its_number():
    odd = wire.chunk() | {"choices": [{"delta": 7}]}
    error = broken(StreamInterruptedError, wire.sse(HELLO[0], odd))
    assert str(error).startswith("the stream broke off: event 2 cannot be read: ")
    assert "choices[0].delta is not an object" in str(error)


ERRORS = [
    ({"error_code": "X", "message": "no"}, ("no", None, "X")),
    ({"error": {"message": "no", "code": 429}}, ("no", 429, "429")),
    ({"error": {"message": "no", "type": "t", "status_code": 503}}, ("no", 503, "t")),
    ({"error": "no"}, ("no", None, None)),
    ({"type": "error", "message": "no"}, ("no", None, None)),
    (b'event: error\ndata: {"message": "no"}\n\n', ("no", None, None)),
    (b'event: error\ndata: {"error": {"message": "no"}}\n\n', ("no", None, None)),
    (b'event: error\ndata: {"error_code": 500, "message": "no"}\n\n', ("no", 500, "500")),
    (b'event: error\ndata: {"odd": 1}\n\n', ('{"odd": 1}', None, None)),
    (b"event: error\ndata: no\n\n", ("no", None, None)),
    (b"event: error\ndata: two\ndata: lines\n\n", ("two lines", None, None)),
    (b'event: error\ndata: "no"\n\n', ("no", None, None)),
    (b"event: error\ndata: <p>no</p>\n\n", ("no", None, None)),
    (
        wire.chunk(" end") | {"databricks_output": {"error": {"message": "no", "code": "c"}}},
        ("no", None, "c"),
    ),
]


@pytest.mark.parametrize(("event", "expected"), ERRORS)
def test_an_error_inside_a_stream_is_typed_and_keeps_what_had_come(event, expected):
    error = broken(StreamServerError, wire.sse(HELLO[0], event, HELLO[1], "[DONE]"))
    assert (error.message, error.status_code, error.error_code) == expected
    assert error.partial.text == "Hé "
    assert error.maybe_executed
    assert error.body


def test_an_error_event_without_a_word_is_still_an_error():
    error = broken(StreamServerError, b"event: error\ndata:\n\n")
    assert error.message == "the server reported an error without a message"


@pytest.mark.parametrize(
    "event",
    [
        b"event: ping\ndata: {}\n\n",
        b'event: response.created\ndata: {"type": "x"}\n\n',
        b"event: ping\ndata: pong\n\n",
        b"event: ping\ndata: [1]\n\n",
        b": comment\n\n",
        b"id: 7\n\n",
        b"retry: 10\n\n",
        b"Data: {broken\n\n",
    ],
)
def test_an_event_that_is_none_of_ours_is_passed_over(event):
    session = session_of()
    chunks = read(session, wire.sse(event, HELLO[0], event, HELLO[1], HELLO[2], event, "[DONE]"))
    assert "".join(chunk.text for chunk in chunks) == "Hé \U0001f600"


def test_a_named_event_with_choices_is_ours():
    named = b"event: chunk\n" + wire.sse(wire.chunk("a", "stop"))
    assert [chunk.text for chunk in read(session_of(), named)] == ["a"]


def test_an_event_over_several_lines_is_one():
    lines = json.dumps(wire.chunk("a", "stop"), indent=1).splitlines()
    data = "".join(f"data: {line}\n" for line in lines).encode() + b"\n"
    assert [chunk.text for chunk in read(session_of(), data)] == ["a"]


def test_a_line_that_is_too_long_interrupts():
    session = session_of()
    session.feed(wire.sse(HELLO[0]))
    pop(session)
    with pytest.raises(StreamInterruptedError, match="more than") as caught:
        session.feed(b"data: " + b"x" * (17 * 1024 * 1024))
    assert caught.value.partial.text == "Hé "


STREAMS = {
    "done": wire.sse(*HELLO, "[DONE]"),
    "no done": wire.sse(*HELLO),
    "cut": wire.sse(*HELLO)[:-20],
    "crlf": wire.sse(*HELLO, "[DONE]").replace(b"\n", b"\r\n"),
    "cr": wire.sse(*HELLO, "[DONE]").replace(b"\n", b"\r"),
    "bom": b"\xef\xbb\xbf" + wire.sse(*HELLO, "[DONE]"),
    "comments": b": a\n\n".join([b"", *(wire.sse(e) for e in (*HELLO, "[DONE]")), b""]),
    "error": wire.sse(HELLO[0], {"error": {"message": "boom", "code": 500}}),
    "named error": wire.sse(HELLO[0]) + b"event: error\ndata: boom\n\n",
    "broken": wire.sse(HELLO[0], "{broken"),
    "bad utf-8": wire.sse(HELLO[0])[:-10].replace("é".encode(), b"\xff") + b"\n\n",
    "raw utf-8": json.dumps(HELLO[1], ensure_ascii=False).join(["data: ", "\n\n"]).encode(),
    "whole": json.dumps(wire.chat("Hé \U0001f600")).encode(),
    "whole error": json.dumps({"error_code": "X", "message": "no"}).encode(),
}


@pytest.mark.parametrize("content_type", [STREAM, None, "application/octet-stream"])
@pytest.mark.parametrize("name", STREAMS)
def test_how_the_bytes_are_cut_makes_no_difference(name, content_type):
    data = STREAMS[name]
    expected = outcome(data, content_type=content_type)
    assert outcome(*(bytes([byte]) for byte in data), content_type=content_type) == expected
    for place in range(0, len(data), 5):
        assert outcome(data[:place], data[place:], content_type=content_type) == expected
    source = chance.source(9)
    for _ in range(20):
        cuts = sorted(source.randrange(len(data)) for _ in range(6))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert outcome(*pieces, content_type=content_type) == expected


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/octet-stream", ""])
@pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf", b"\r\n\r\n", b": hi\n\n"])
def test_a_stream_is_recognised_without_its_content_type(content_type, head):
    session = session_of(content_type)
    session.feed(head + wire.sse(HELLO[0]))
    assert pop(session).text == "Hé "
    assert not session.finished


@pytest.mark.parametrize("content_type", ["application/json", None, "text/json; charset=utf-8"])
@pytest.mark.parametrize(
    "body",
    [
        wire.chat("Hi"),
        wire.chat(None, "tool_calls", tool_calls=[{"function": {"name": "f"}}] * 2),
        wire.chat({"city": "Bergen"}),
        wire.chat("Hi", None, annotations=[{"n": 1}], audio={"data": "x"}),
        wire.chat("Hi") | {"usage": {"total_tokens": 3}, "metadata": {"a": 1}, "new": 1},
        {"choices": [], "databricks_service_policy": {"action": "deny"}},
    ],
    ids=["text", "tools", "object", "extras", "usage", "denied"],
)
def test_a_whole_answer_is_a_stream_of_one_chunk(content_type, body):
    session = session_of(content_type)
    chunks = read(session, json.dumps(body).encode())
    whole = json.loads(json.dumps(body))
    CHAT.check(whole)
    assert len(chunks) == 1
    assert session.finished
    assert not session.terminated_cleanly
    reply = session.snapshot()
    assert reply.to_dict() == CHAT.parse(whole).to_dict()
    assert reply.request_id == "r-1"


def test_the_calls_of_a_whole_answer_stay_apart_in_its_events():
    calls = [{"index": None, "function": {"name": name}} for name in "fg"]
    session = session_of("application/json")
    session.feed(json.dumps(wire.chat(None, "tool_calls", tool_calls=calls)).encode())
    session.end()
    pop(session)
    done = [event for event in session.news if event.type == "tool_call.done"]
    assert [event.tool_call.function.name for event in done] == ["f", "g"]


def test_a_whole_completion_is_a_stream_of_one_chunk():
    session = session_of("application/json", COMPLETION)
    chunks = read(session, json.dumps(wire.completion(" wet")).encode())
    assert [chunk.text for chunk in chunks] == [" wet"]
    assert session.snapshot().text == " wet"


@pytest.mark.parametrize("text", ["[NaN, \ud800]", "\ud800", '{"a": Infinity}'])
def test_a_whole_answer_may_hold_what_json_cannot(text):
    body = json.dumps(wire.chat(text)).encode().replace(b'"c"', b"NaN")
    session = session_of("application/json")
    assert read(session, body)[0].text == text


def test_an_error_instead_of_a_stream_is_typed():
    body = json.dumps({"error": {"message": "no", "code": 429}}).encode()
    error = broken(RateLimitError, body, content_type="application/json")
    assert (error.message, error.status_code, error.error_code) == ("no", 429, "429")
    body = json.dumps({"error": "no"}).encode()
    assert broken(ServingError, body, content_type=None).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        ("text/html", b"<html>Sign in</html>", "web page"),
        (None, b"<html>Sign in</html>", "web page"),
        ("application/json", b"", "the body is empty"),
        (None, b" \n", "the body is empty"),
        ("application/json", b"[]", "a JSON list, not an object"),
        ("application/json", b"{}", "choices is not a list"),
        ("application/json", b"{", "the body is not JSON"),
        ("application/json", wire.sse(*HELLO), "the body is not JSON"),
    ],
)
def test_what_is_neither_stream_nor_answer_is_invalid(content_type, body, reason):
    error = broken(InvalidResponseError, body, content_type=content_type)
    assert reason in str(error)
    assert error.content_type == content_type


def test_a_broken_connection_keeps_what_had_come():
    session = session_of()
    read(session, wire.sse(HELLO[0]), ends=False)
    reset = APIConnectionError("reset")
    error = session.broken(reset)
    assert isinstance(error, StreamInterruptedError)
    assert str(error) == "the stream broke off: reset"
    assert error.partial.text == "Hé "
    assert error.__cause__ is reset
    assert session_of().broken(reset) is reset


def test_a_stream_that_stops_coming_is_a_timeout_too():
    session = session_of()
    read(session, wire.sse(HELLO[0]), ends=False)
    error = session.broken(APITimeoutError("stalled", phase="idle"))
    assert type(error) is StreamTimeoutError
    assert isinstance(error, APITimeoutError)
    assert (error.phase, error.partial.text, error.maybe_executed) == ("idle", "Hé ", True)
    assert not error.retryable


def test_a_client_that_was_closed_keeps_what_had_come():
    session = session_of()
    read(session, wire.sse(HELLO[0]), ends=False)
    closed = ClientClosedError("closed")
    assert session.broken(closed) is closed
    assert closed.partial.text == "Hé "


@pytest.mark.parametrize("content_type", [STREAM, "application/json", None])
def test_a_first_event_that_is_too_large_is_named(content_type):
    session = session_of(content_type)
    with pytest.raises(ResponseTooLargeError, match="more than"):
        session.feed(b"[" + b" " * (17 * 1024 * 1024))


def test_news_are_those_of_the_last_chunk():
    session = session_of()
    assert list(session.news) == []
    session.feed(wire.sse(*HELLO))
    kinds = []
    while (chunk := pop(session)) is not None:
        news = list(session.news)
        assert news[0].chunk is chunk
        kinds.append([event.type for event in news])
    assert kinds == [["chunk", "text.delta"], ["chunk", "text.delta"], ["chunk", "finish"]]


def test_no_event_is_too_odd():
    source = chance.source(2)
    for _ in range(4000):
        events = [chance.json_value(source, 3) for _ in range(3)]
        operation = source.choice((CHAT, COMPLETION))
        head = source.choice((b"", b"event: error\n", b"event: x\n", b"event: message\n"))
        data = head + wire.sse(*(json.dumps(event) for event in events), "[DONE]")
        # Whatever else is raised fails the test.
        with suppress(InvalidResponseError):
            outcome(data, operation=operation)
            outcome(json.dumps(events[0]).encode(), content_type=None, operation=operation)


@pytest.mark.parametrize("tail", [0, 9])
def test_an_event_past_the_limit_is_named_however_the_bytes_are_cut(tail):
    whole = wire.sse(HELLO[0]) + b"data: " + b"x" * DEFAULT_MAX_EVENT_BYTES
    pieces = [whole[:-tail], whole[-tail:]] if tail else [whole]
    error = broken(StreamInterruptedError, *pieces)
    assert "finish reason" not in str(error)
    assert error.partial.text == "Hé "
