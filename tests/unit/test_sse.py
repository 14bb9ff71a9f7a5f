"""The decoder follows the WHATWG rules however the bytes are cut, in bounded memory and work."""

import json
import random
import re
import sys
from pathlib import Path

import pytest

from databricks_serving._core.sse import ServerSentEvent, SSEDecoder, SSELimitError

Events = list[tuple[str, str, str]]
RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"


def plain(*data: str) -> Events:
    """Return events with nothing but data."""
    return [("message", each, "") for each in data]


# Each case: the bytes of a whole stream, and the events as (event, data, id).
CASES: dict[str, tuple[bytes, Events]] = {
    "one line of data": (b"data: a\n\n", plain("a")),
    "several lines of data are joined": (b"data: a\ndata: b\n\n", plain("a\nb")),
    "only one leading space is removed": (b"data:  a\n\n", plain(" a")),
    "a tab is not removed": (b"data:\ta \n\n", plain("\ta ")),
    "no space is needed": (b"data:a\n\n", plain("a")),
    "a second colon is data": (b"data: a: b\n\n", plain("a: b")),
    "empty data is an event": (b"data:\n\n", plain("")),
    "a single space is empty data": (b"data: \n\n", plain("")),
    "data without a colon is empty data": (b"data\n\n", plain("")),
    "two empty lines of data are a newline": (b"data\ndata\n\n", plain("\n")),
    "a last event without its blank line is none": (b"data: a\n\ndata: b\n", plain("a")),
    "a last line without its end is none": (b"data: a\n\ndata: b", plain("a")),
    "nothing": (b"", []),
    "blank lines only": (b"\n\n\n\r\r\n\n", []),
    "blank lines around an event": (b"\n\n\ndata: a\n\n\n\n", plain("a")),
    "LF": (b"data: a\ndata: b\n\n", plain("a\nb")),
    "CR": (b"data: a\rdata: b\r\r", plain("a\nb")),
    "CRLF": (b"data: a\r\ndata: b\r\n\r\n", plain("a\nb")),
    "every line end mixed": (
        b"data: a\rdata: b\r\ndata: c\n\rdata: d\r\n\n",
        plain("a\nb\nc", "d"),
    ),
    "CR in what ends in LF": (b"data: a\n\ndata: b\rdata: c\n\n", plain("a", "b\nc")),
    "LF CR is two line ends": (b"data: a\n\rdata: b\n\n", plain("a", "b")),
    "a byte order mark is dropped": (b"\xef\xbb\xbfdata: a\n\n", plain("a")),
    "a byte order mark before a line end": (b"\xef\xbb\xbf\ndata: a\n\n", plain("a")),
    "a second byte order mark is part of the name": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
    "a later byte order mark is part of the name": (
        b"data: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n",
        plain("a", "c"),
    ),
    "a byte order mark in data stays": (b"data:\xef\xbb\xbfa\n\n", plain("\ufeffa")),
    "half a byte order mark is no mark": (b"\xef\xbbdata: a\n\ndata: b\n\n", plain("b")),
    "a comment": (b":\n: a\n:data: b\ndata: c\n\n", plain("c")),
    "comments alone": (b": ping\n\n: ping\n\n", []),
    "a long comment": (b":" + b"x" * 2000 + b"\ndata: a\n\n", plain("a")),
    "an unknown field": (b"foo: a\nfoo\ndata: b\n\n", plain("b")),
    "names are lower case": (b"Data: a\nDATA: b\n\n", []),
    "a space before the name": (b" data: a\n\n", []),
    "a space before the colon": (b"data : a\n\n", []),
    "a NUL in the name": (b"da\0ta: a\ndata\0: b\n\n", []),
    "a NUL in data stays": (b"data: \0\n\n", plain("\0")),
    "a name for the event": (b"event: a\ndata: x\n\n", [("a", "x", "")]),
    "the name is reset": (
        b"event: a\ndata: x\n\ndata: y\n\n",
        [("a", "x", ""), ("message", "y", "")],
    ),
    "the name is reset without data": (b"event: a\n\ndata: y\n\n", plain("y")),
    "the last name counts": (b"event: a\nevent: b\ndata: x\n\n", [("b", "x", "")]),
    "an empty name is message": (b"event: a\nevent:\ndata: x\n\n", plain("x")),
    "the name after the data": (b"data: x\nevent: a\n\n", [("a", "x", "")]),
    "an id stays": (
        b"id: 1\ndata: x\n\ndata: y\n\n",
        [("message", "x", "1"), ("message", "y", "1")],
    ),
    "an id without data stays": (b"id: 1\n\ndata: y\n\n", [("message", "y", "1")]),
    "an empty id resets": (
        b"id: 1\ndata: x\n\nid\ndata: y\n\n",
        [("message", "x", "1"), ("message", "y", "")],
    ),
    "an id with NUL is ignored": (b"id: 1\nid: 2\x003\ndata: x\n\n", [("message", "x", "1")]),
    "only an event, an id or a retry": (b"event: a\n\nid: 1\n\nretry: 5\n\n", []),
    "UTF-8": ("data: ok…日本🙂\n\n".encode(), plain("ok…日本🙂")),
    "UTF-8 in a name and an id": ("event: é\nid: ü\ndata: x\n\n".encode(), [("é", "x", "ü")]),
    "bytes that are no UTF-8": (b"data: a\xffb\xe6\x97\n\n", plain("a\ufffdb\ufffd")),
    "a cut character before a line end": (b"data: \xf0\x9f\ndata: x\n\n", plain("\ufffd\nx")),
    "other separators are data": (
        "data: a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n\n".encode(),
        plain("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"),
    ),
    "JSON over several lines": (b'data: {\ndata: "a": 1}\n\n', plain('{\n"a": 1}')),
    "the end of a stream": (
        b"data: {}\n\ndata: [DONE]\n\n",
        [("message", "{}", ""), ("message", "[DONE]", "")],
    ),
}


def decoded(pieces: list[bytes], limit: int = 1 << 20) -> tuple[Events, bool]:
    """Return the events, and whether the limit was passed."""
    decoder = SSEDecoder(max_event_bytes=limit)
    events: Events = []
    try:
        for piece in pieces:
            events += [(e.event, e.data, e.id) for e in decoder.feed(piece)]
        decoder.flush()
    except SSELimitError:
        return events, True
    return events, False


def single(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


@pytest.mark.parametrize(("data", "expected"), list(CASES.values()), ids=CASES)
def test_a_stream_gives_its_events_whole_and_however_it_is_cut(data: bytes, expected: Events):
    assert decoded([data]) == (expected, False)
    assert decoded(single(data)) == (expected, False)
    assert decoded([b"", *re.split(rb"(?<=\n\n)", data)]) == (expected, False)
    for cut in range(len(data) + 1):
        assert decoded([data[:cut], b"", data[cut:]]) == (expected, False), cut


def test_recorded_streams_give_their_events():
    texts = [file.read_bytes() for file in sorted(RECORDINGS.glob("*.json"))]
    recordings = [json.loads(text) for text in texts if b'"expected"' in text]
    if not recordings:
        pytest.skip("no recorded event streams lie beside the checkout")
    for recording in recordings:
        data = recording["body"].encode()
        expected = [tuple(event) for event in recording["expected"]]
        assert decoded([data]) == (expected, False), recording["quirk"]
        assert decoded(single(data)) == (expected, False), recording["quirk"]


# Many streams against a plain reading of the standard


def reference(data: bytes) -> Events:
    """Decode a whole stream as the standard's text says, without a thought for speed."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    events: Events = []
    name, lines, last_id = "", [], ""
    for line in re.split("\r\n|\r|\n", text)[:-1]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if lines:
                events.append((name or "message", "\n".join(lines), last_id))
            name, lines = "", []
        elif field == "data":
            lines.append(value)
        elif field == "event":
            name = value
        elif field == "id" and "\0" not in value:
            last_id = value
    return events


FRAGMENTS = [b"data: ", b"data:", b"data", b"event: a", b"event", b"id: 1", b"id", b": c", b":"]
FRAGMENTS += [
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\r",
    b'data: {"a": 1}\n\n',
    b"retry: 5",
]
FRAGMENTS += [b" ", b"x" * 40, b"\0", b"\xef\xbb\xbf", b"\xef", b"\xf0\x9f\x99\x82", b"\x82\xff"]
FRAGMENTS += ["\u2028\x85\f".encode()]


@pytest.mark.parametrize("seed", range(10))
def test_20000_random_streams_agree_with_the_standard_however_they_are_cut(seed: int):
    rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
    for _ in range(20_000):
        data = b"".join(rng.choices(FRAGMENTS, k=rng.randrange(1, 12)))
        cuts = sorted(rng.choices(range(len(data) + 1), k=2))
        pieces = [data[: cuts[0]], data[cuts[0] : cuts[1]], data[cuts[1] :]]
        assert decoded(pieces) == (reference(data), False), pieces


@pytest.mark.parametrize("limit", [1, 6, 20, 45])
def test_random_streams_pass_the_limit_at_the_same_place_however_they_are_cut(limit: int):
    rng = random.Random(limit)  # noqa: S311 - repeatable on purpose
    for _ in range(2_000):
        data = b"".join(rng.choices(FRAGMENTS, k=rng.randrange(1, 12)))
        cut = rng.randrange(len(data) + 1)
        whole = decoded([data], limit)
        assert decoded([data[:cut], data[cut:]], limit) == whole, data
        assert decoded(single(data), limit) == whole, data


# State


@pytest.mark.parametrize(
    ("data", "pending"),
    [
        (b"", False),
        (b"data: a\n\n", False),
        (b"data: a\r\n\r\n", False),
        (b": ping\nid: 1\nretry: 5\n", False),
        (b"data: a\n", True),
        (b"data\n", True),
        (b"event: a\n", True),
        (b"data: a\n\nda", True),
        (b"\xef\xbb", True),
    ],
)
def test_pending_tells_whether_an_event_has_begun_and_not_ended(data: bytes, pending: bool):
    for pieces in ([data], single(data)):
        decoder = SSEDecoder()
        for piece in pieces:
            decoder.feed(piece)
        decoder.flush()
        assert decoder.pending is pending


def test_an_event_is_given_as_soon_as_its_blank_line_is_there():
    decoder = SSEDecoder()
    given = [len(decoder.feed(byte)) for byte in single(b"data: a\r\rdata: b\r\n\r\ndata: c\n\n")]
    assert [i for i, count in enumerate(given) if count] == [8, 18, 28]


def test_the_repr_of_an_event_does_not_show_its_data():
    event = ServerSentEvent("message", b"secret", "")
    assert repr(event) == "<ServerSentEvent message, 6 bytes>"


# Limits

LIMIT = 1000


def line_of(size: int) -> bytes:
    return b"data: " + b"x" * (size - len("data: "))


def lines_of(size: int) -> bytes:
    """Return two lines of data whose joined data has a size."""
    return b"data: " + b"x" * 499 + b"\ndata: " + b"x" * (size - 500)


@pytest.mark.parametrize("make", [line_of, lines_of])
@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
@pytest.mark.parametrize(("size", "too_large"), [(999, False), (1000, False), (1001, True)])
def test_the_limit_is_exact(make, end: bytes, size: int, too_large: bool):
    data = b"data: first\n\n" + make(size).replace(b"\n", end[: len(end) // 2]) + end
    for pieces in ([data], single(data), [data[:600], data[600:]], [b"data: first\n\n", data[13:]]):
        events, failed = decoded(pieces, LIMIT)
        assert failed is too_large
        assert [event[1][:5] for event in events] == (
            ["first"] if too_large else ["first", "xxxxx"]
        )


def test_a_line_without_end_is_refused_at_the_limit():
    decoder = SSEDecoder(max_event_bytes=LIMIT)
    decoder.feed(b"x" * LIMIT)
    with pytest.raises(SSELimitError, match="line of more than the 1000 bytes"):
        decoder.feed(b"x")


def test_data_lines_without_end_are_refused_at_the_limit():
    decoder = SSEDecoder(max_event_bytes=LIMIT)
    with pytest.raises(SSELimitError, match="event of more than the 1000 bytes"):
        decoder.feed(b"data\n" * 2 * LIMIT)


def test_small_events_and_comments_without_number_stay_under_the_limit():
    decoder = SSEDecoder(max_event_bytes=LIMIT)
    chunk = b": ping\ndata: a\n\n" * 200
    assert [len(decoder.feed(chunk)) for _ in range(10)] == [200] * 10
    for _ in range(2 * LIMIT):
        decoder.feed(b": no blank line\n")
    assert not decoder.pending


def test_events_before_the_limit_are_given_and_the_next_call_raises():
    data = b"data: a\n\n" + line_of(LIMIT + 1) + b"\n\n"
    for then in (SSEDecoder.flush, lambda decoder: decoder.feed(b"data: b\n\n")):
        decoder = SSEDecoder(max_event_bytes=LIMIT)
        assert [event.data for event in decoder.feed(data)] == ["a"]
        for _ in range(2):
            with pytest.raises(SSELimitError):
                then(decoder)


def test_a_decoder_that_passed_its_limit_gives_no_more_events():
    decoder = SSEDecoder(max_event_bytes=LIMIT)
    decoder.feed(b"data: a\n\n")
    for chunk in (line_of(LIMIT + 1) + b"\n\n", b"data: b\n\n"):
        with pytest.raises(SSELimitError):
            decoder.feed(chunk)


# Work


def work(pieces: list[bytes]) -> int:
    """Return how many bytes the methods that the decoder calls have gone over, and its lines."""
    gone_over = 0

    def count(_frame, event, argument):
        nonlocal gone_over
        owner = getattr(argument, "__self__", None)
        if event == "c_call" and isinstance(owner, bytes | bytearray):
            gone_over += len(owner)
        gone_over += 1

    decoder = SSEDecoder()
    previous = sys.getprofile()
    sys.setprofile(count)
    try:
        for piece in pieces:
            decoder.feed(piece)
    finally:
        sys.setprofile(previous)
    return gone_over


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


MEGABYTE = b"x" * 1_000_000
EVENT = b"data: " + b"x" * 292 + b"\n\n"


@pytest.mark.parametrize(
    ("data", "size", "most"),
    [
        (b"data: " + MEGABYTE + b"\n\n", 1000, 10),
        (b"data: " + MEGABYTE + b"\n\n", 1_000_008, 10),
        (MEGABYTE, 100, 4),
        (b": " + MEGABYTE + b"\r\n", 1000, 10),
        (EVENT * 3000, 300, 10),
        (EVENT * 3000, 1448, 10),
        (EVENT * 3000, 900_000, 10),
        (EVENT * 300, 1, 60),
        (b"data: x\n" * 10_000, 16_384, 40),
        (b"\n" * 100_000, 100_000, 40),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else f"{value[:8]!r}",
)
def test_the_work_is_linear_in_the_bytes(data: bytes, size: int, most: int):
    assert work(cut(data, size)) < most * len(data)
