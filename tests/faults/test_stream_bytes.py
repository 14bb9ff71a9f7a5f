"""The bytes of a stream, however they are cut, ended and written; section 2.3."""

import json

import pytest
import wire
from raw_server import chunked, drip, then_close, then_reset

from databricks_serving.errors import (
    APIConnectionError,
    ServingError,
    StreamInterruptedError,
)

from .support.answers import FIRST, HELLO, REST, STREAM_HEAD, chunk_of

PLAIN_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
# As short as events get, since every byte of them costs a connection.
EVENTS = [
    b'data:{"choices":[{"index":0,"delta":{"content":"A"}}]}\n\n',
    b'data:{"choices":[{"index":0,"delta":{"content":"B"},"finish_reason":"stop"}]}\n\n',
    b"data:[DONE]\n\n",
]
TEXT = "Zo\u00eb \U0001f600 \u6f22"


def streamed(*pieces):
    """Return a whole streamed response, one chunk for each piece of its body."""
    return chunked(*(piece for piece in pieces if piece))


def outcome(house, client):
    """Return the chunks of a streamed call and the error that ended it, or None."""
    chunks = []
    try:
        stream = house.wait(house.start(client, stream=True))
        try:
            while True:
                chunks.append(house.next(stream).text)
        except (StopIteration, StopAsyncIteration):
            return chunks, None, stream.terminated_cleanly
    except ServingError as error:
        return chunks, error, None


def delivered(data):
    """Return how many events the first bytes of a body hold."""
    return sum(data.startswith(b"".join(EVENTS[: n + 1])) for n in range(len(EVENTS)))


@pytest.mark.row("E-01")
@pytest.mark.parametrize("end", [then_close, then_reset], ids=["closed", "reset"])
def test_a_stream_that_is_cut_at_any_byte_is_never_a_success(house, end):
    body = b"".join(EVENTS)
    whole = STREAM_HEAD + chunk_of(body)
    before = len(whole) - len(body) - 2
    answers = [end(whole[:cut]) for cut in range(len(whole) + 1)]
    _, client = house.serve(*answers, max_retries=0)
    for cut in range(len(whole) + 1):
        chunks, error, clean = outcome(house, client)
        events = delivered(body[: max(cut - before, 0)])
        assert chunks == ["A", "B"][:events], cut
        assert clean is (True if events == len(EVENTS) else None), cut
        assert (error is None) == (events == len(EVENTS)), cut
        if error is not None:
            check_cut(error, "AB"[:events], head=cut >= len(STREAM_HEAD))
        if error is not None and cut % 40 == 0:
            house.show(error)


def check_cut(error, text, *, head):
    """Check what the error of a cut stream says."""
    assert error.maybe_executed
    assert not error.retryable
    if text:
        assert type(error) is StreamInterruptedError
        assert error.partial.text == text
    elif head:
        assert isinstance(error, APIConnectionError | StreamInterruptedError)
        assert getattr(error, "partial", None) is None
    else:
        assert type(error) is APIConnectionError


@pytest.mark.row("E-01")
def test_a_stream_that_ends_with_its_connection_is_a_success_only_when_it_had_finished(house):
    body = b"".join(EVENTS)
    answers = [then_close(PLAIN_HEAD + body[:cut]) for cut in range(len(body) + 1)]
    _, client = house.serve(*answers, max_retries=0)
    for cut in range(len(body) + 1):
        chunks, error, clean = outcome(house, client)
        events = delivered(body[:cut])
        assert chunks == ["A", "B"][:events], cut
        assert (error is None) == (events >= 2), cut
        assert clean is (None if events < 2 else events == 3), cut
        if error is not None:
            assert type(error) is StreamInterruptedError
            assert (error.partial.text if error.partial else "") == "AB"[:events]


@pytest.mark.row("E-01")
def test_a_stream_that_is_cut_before_its_first_event_is_begun_anew(house):
    server, client = house.serve(
        then_close(STREAM_HEAD + chunk_of(b": hello\n\n")), streamed(HELLO)
    )
    assert house.text(client) == "The Po."
    assert len(server.requests) == 2


@pytest.mark.row("E-01")
def test_a_stream_that_is_cut_after_its_first_event_is_not_begun_anew(house):
    server, client = house.serve(then_close(STREAM_HEAD + chunk_of(FIRST)))
    chunks, error = house.breaks(house.call(client, stream=True), StreamInterruptedError)
    assert [chunk.text for chunk in chunks] == ["The "]
    assert error.partial.text == "The "
    assert error.attempts == len(server.requests) == 1
    assert error.endpoint == "m"
    assert [attempt.cause for attempt in error.history] == ["StreamInterruptedError"]


@pytest.mark.row("E-01")
def test_both_ways_to_stream_break_alike(house):
    server, client = house.serve(then_close(STREAM_HEAD + chunk_of(FIRST)))
    with house.opened(house.events(client)) as events:
        with house.raising(StreamInterruptedError) as caught:
            house.items(events)
        assert events.snapshot.text == "The "
    assert caught.value.partial.text == "The "
    assert len(server.requests) == 1


@pytest.mark.row("E-02")
def test_a_character_may_be_cut_anywhere(house):
    event = json.dumps(wire.chunk(TEXT, "stop"), ensure_ascii=False).encode()
    body = b"data: " + event + b"\n\n"
    answers = [streamed(body[:cut], body[cut:]) for cut in range(len(body))]
    answers.append(drip(streamed(*(body[n : n + 1] for n in range(len(body))))))
    server, client = house.serve(*answers, max_retries=0)
    assert {house.text(client) for _ in answers} == {TEXT}
    assert len(server.requests) == len(answers)


@pytest.mark.row("E-03")
def test_broken_characters_become_replacement_characters(house):
    good = json.dumps(wire.chunk("a?b", "stop")).encode()
    bad = b"data: " + good.replace(b"?", b"\xff\xc3") + b"\n\n"
    _, client = house.serve(streamed(bad), streamed(b": \xff\n" + HELLO), max_retries=0)
    assert house.text(client) == "a\ufffd\ufffdb"
    assert house.text(client) == "The Po."


@pytest.mark.row("E-04")
@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"], ids=["LF", "CR", "CRLF"])
def test_lines_may_end_in_three_ways_and_be_cut_anywhere(house, end):
    body = b"".join(EVENTS).replace(b"\n", end)
    answers = [streamed(body[:cut], body[cut:]) for cut in range(len(body))]
    _, client = house.serve(*answers, max_retries=0)
    assert {house.text(client) for _ in answers} == {"AB"}


@pytest.mark.row("E-04")
def test_lines_may_end_in_all_three_ways_at_once(house):
    data = EVENTS[0].removesuffix(b"\n\n"), EVENTS[1].removesuffix(b"\n\n")
    bodies = [
        data[0] + b"\r\n\n" + data[1] + b"\r\r\n",
        data[0] + b"\n\r" + data[1] + b"\r\n\r",
        data[0] + b"\r\r" + data[1] + b"\n\r\n",
    ]
    answers = [streamed(*(body[n : n + 1] for n in range(len(body)))) for body in bodies]
    _, client = house.serve(*answers, max_retries=0)
    assert [house.text(client) for _ in bodies] == ["AB"] * 3


@pytest.mark.row("E-05")
def test_one_byte_order_mark_at_the_start_is_passed_over(house):
    bom = b"\xef\xbb\xbf"
    answers = [streamed(bom[:cut], bom[cut:] + HELLO) for cut in range(4)]
    answers.append(streamed(FIRST, bom + b"data: no event\n" + REST))
    _, client = house.serve(*answers, max_retries=0)
    assert [house.text(client) for _ in range(5)] == ["The Po."] * 5


@pytest.mark.row("E-05")
def test_a_second_byte_order_mark_belongs_to_a_field_that_nobody_knows(house):
    bom = b"\xef\xbb\xbf"
    _, client = house.serve(streamed(bom + bom + FIRST, REST), max_retries=0)
    assert house.text(client) == "Po."


@pytest.mark.row("E-10")
def test_a_long_stream_may_come_byte_by_byte(house):
    body = wire.sse(*[wire.chunk("word ")] * 160, wire.chunk("end", "stop"), "[DONE]")
    answer = drip(PLAIN_HEAD + body)
    _, client = house.serve(lambda c: (answer(c), c.shutdown(2)), max_retries=0)
    assert len(body) > 20_000
    assert house.text(client) == "word " * 160 + "end"


def one_line(chunk):
    return json.dumps(chunk).encode()


LAST = one_line(wire.chunk("B", "stop"))


@pytest.mark.row("E-12")
@pytest.mark.parametrize(
    "line",
    [
        b"data:" + LAST,
        b"data:  " + LAST,
        b"data:\t" + LAST,
        b"data\ndata: " + LAST,
        b"data:\ndata: " + LAST,
    ],
    ids=["no space", "two spaces", "tab", "bare field before", "empty field before"],
)
def test_spaces_after_the_field_change_nothing(house, line):
    _, client = house.serve(streamed(FIRST + line + b"\n\n"), max_retries=0)
    assert house.text(client) == "The B"


@pytest.mark.row("E-12")
@pytest.mark.parametrize("block", [b"data\n\n", b"data:\n\n", b"data: \n\n"])
def test_data_without_anything_in_it_is_no_json(house, block):
    _, client = house.serve(streamed(FIRST, block, REST), max_retries=0)
    chunks, error = house.breaks(house.call(client, stream=True), StreamInterruptedError, "event 2")
    assert len(chunks) == 1
    assert error.partial.text == "The "


@pytest.mark.row("E-13")
def test_data_over_several_lines_is_one_text(house):
    pretty = json.dumps(wire.chunk("B", "stop"), indent=2).replace("\n", "\ndata: ")
    _, client = house.serve(streamed(FIRST + f"data: {pretty}\n\n".encode()), max_retries=0)
    assert house.text(client) == "The B"


@pytest.mark.row("E-14", "E-15")
@pytest.mark.parametrize(
    "block",
    [
        b"event: message\n\n",
        b"id: 1\n\n",
        b"retry: 10\n\n",
        b"unknown: x\nalso unknown\n\n",
        b"Data: {}\n\n",
        b" data: {}\n\n",
        b":data: {}\n\n",
        b"\n\n\n",
        b"id: a\0b\n\n",
        b"retry: -1\n\nretry: 1x\n\nretry: " + b"9" * 5000 + b"\n\n",
        b"id: 1\n\nid\n\nid:\n\n",
    ],
)
def test_blocks_without_data_are_no_events(house, block):
    _, client = house.serve(streamed(block, FIRST, block, REST, block), max_retries=0)
    assert house.text(client) == "The Po."


@pytest.mark.row("E-16")
@pytest.mark.parametrize("letter", ["\u2028", "\u2029", "\u0085", "\x0c", "\x0b", "\x1c"])
def test_only_line_ends_of_the_standard_end_a_line(house, letter):
    text = f"a{letter}b"
    # Control characters must be escaped in JSON; here they stand beside it.
    raw = json.dumps(wire.chunk(text, "stop"), ensure_ascii=False)
    escaped = f": a{letter}data: no\ndata: {raw}\n\n"
    _, client = house.serve(streamed(escaped.encode()), max_retries=0)
    assert house.text(client) == text


@pytest.mark.row("E-22")
def test_a_last_event_without_a_blank_line_is_lost(house):
    last = b"data: " + LAST + b"\n"
    _, client = house.serve(streamed(FIRST, last), max_retries=0)
    chunks, error = house.breaks(house.call(client, stream=True), StreamInterruptedError)
    assert [chunk.text for chunk in chunks] == ["The "]
    assert error.partial.text == "The "


@pytest.mark.row("E-22")
def test_a_terminator_without_a_blank_line_ends_a_stream_that_has_finished(house):
    _, client = house.serve(streamed(FIRST, EVENTS[1], b"data: [DONE]"), max_retries=0)
    stream = house.call(client, stream=True)
    assert len(house.items(stream)) == 2
    assert not stream.terminated_cleanly
