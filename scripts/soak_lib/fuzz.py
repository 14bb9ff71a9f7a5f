"""Inputs that no server should send: each gives a typed reply or an error of ours, at once."""

import json
import random
import time
from collections.abc import Callable
from typing import Any, Final

from databricks_serving._core.operations import CHAT, COMPLETION, EMBEDDING
from databricks_serving._core.reading import Reading
from databricks_serving._core.replies import Response, read_reply
from databricks_serving._core.streaming import StreamSession
from databricks_serving.errors import ServingError
from databricks_serving_api.types import ReplyMeta
from soak_lib.measure import expect

_SLOW = 0.05
_STREAM = ReplyMeta(200, {"content-type": "text/event-stream"})
_JSON = ReplyMeta(200, {"content-type": "application/json"})
_PIECES = (
    *(b'{"choices": [{"index": 0, "delta": {"content": "a"}}]}', b"[DONE]", b"data: ", b"data:"),
    *(b"\n", b"\r", b"\r\n", b"\n\n", b":", b"event: error\n", b"id: 1\n", b"retry: 10\n"),
    *(b"\xef\xbb\xbf", b"\xff", b"\xe2\x80\xa8", b"\x00", b"null", b"[]", b"{}", b"NaN", b"1e999"),
    *(b'"', b"\\ud800", b"[" * 300, b"9" * 5000, b'{"error": {"message": "x", "code": 429}}'),
    *(b'{"error_code": 1}', b'"finish_reason": "stop"', b'"tool_calls": [{"index": 3}]', b"<html>"),
)
_CHAT: Any = {
    "id": "c",
    "choices": [
        {
            "index": 0,
            "message": {
                "content": [{"type": "text", "text": "a"}],
                "tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "{}"}}],
            },
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 0}},
}
_EMBEDDINGS: Any = {
    "data": [{"index": 0, "embedding": [0.5, -1]}, {"index": 1, "embedding": "AAAAAAAAAAA="}]
}
_ODD: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 2**70, 0.5, "", "x", "\ud800"),
    *([], {}, [None], {"a": 1}, [[]]),
)


def inputs(count: int, seed: int = 1) -> tuple[int, float, str]:
    """Read `count` made-up inputs.

    Returns:
        The number of those that were read as replies, the slowest in seconds, and its kind.
    """
    source = random.Random(seed)  # noqa: S311 - to be repeatable
    kinds: tuple[Callable[[random.Random], bool], ...] = (_soup, _soup, _cut, _mutant, _mutant)
    read, slowest = 0, (0.0, "")
    for number in range(count):
        kind = kinds[number % len(kinds)]
        started = time.thread_time()
        try:
            read += kind(source)
        except ServingError:
            pass
        except Exception as error:
            raise AssertionError(f"input {number} of seed {seed} raised {error!r}") from error
        slowest = max(slowest, (time.thread_time() - started, f"{kind.__name__} {number}"))
    return read, *slowest


def figure(*, long: bool) -> str:
    """F-3: no foreign exception and no slow input among a million."""
    count = 1_000_000 if long else 50_000
    started = time.monotonic()
    read, slowest, which = inputs(count)
    expect(slowest <= _SLOW, f"{which} took {slowest * 1000:.0f} ms")
    expect(0 < read < count, f"{read} of {count} inputs were read: nothing is tested")
    rate = count / (time.monotonic() - started)
    return (
        f"{count} inputs, {read} read, 0 foreign exceptions, "
        f"slowest {slowest * 1000:.1f} ms, {rate:.0f} a second"
    )


def _soup(source: random.Random) -> bool:
    """Bytes of a stream put together at random and cut at random."""
    body = b"".join(source.choices(_PIECES, k=source.randrange(1, 12)))
    return _stream(source, body)


def _cut(source: random.Random) -> bool:
    """A good stream with some bytes changed, or cut off."""
    events = [_PIECES[0]] * source.randrange(4) + [b"[DONE]"]
    body = bytearray(b"".join(b"data: %b\n\n" % event for event in events))
    for _ in range(source.randrange(3)):
        body[source.randrange(len(body))] = source.randrange(256)
    return _stream(source, bytes(body[: source.randrange(len(body) + 1)]))


def _stream(source: random.Random, body: bytes) -> bool:
    operation: Any = source.choice((CHAT, COMPLETION))
    meta = source.choice((_STREAM, _JSON, ReplyMeta(200, {})))
    session: Any = StreamSession(operation, meta, Reading())
    place = 0
    while place < len(body):
        step = source.randrange(1, 64)
        session.feed(body[place : place + step])
        place += step
        _take(session)
    session.end()
    _take(session)
    return bool(session.snapshot().to_dict())


def _take(session: Any) -> None:
    while session.advance():
        list(session.news)


def _mutant(source: random.Random) -> bool:
    """A good reply in which something was replaced or removed."""
    operation: Any
    operation, whole = source.choice(((CHAT, _CHAT), (EMBEDDING, _EMBEDDINGS)))
    data = json.loads(json.dumps(whole))
    for _ in range(source.randrange(1, 3)):
        _change(source, data)
    body = json.dumps(data).encode()
    if source.random() < 0.2:  # noqa: PLR2004 - one in five
        body = body[: source.randrange(len(body))]
    reply = read_reply(operation, Response(_JSON, body))
    return bool(reply.to_dict())


def _change(source: random.Random, data: Any) -> None:
    while True:
        places: list[Any] = list(data.keys() if hasattr(data, "keys") else range(len(data)))
        if not places:
            return
        place = source.choice(places)
        inner: Any = data[place]
        if hasattr(inner, "pop") and inner and source.random() < 0.8:  # noqa: PLR2004 - deep as a rule
            data = inner
            continue
        if source.random() < 0.3:  # noqa: PLR2004 - nearly one in three
            del data[place]
        else:
            data[place] = source.choice(_ODD)
        return
