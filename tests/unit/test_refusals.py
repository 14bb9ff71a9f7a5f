"""Refusals that cannot be read in full, and what errors never hold."""

import gzip
import pickle

import httpx
import pytest
import wire

from databricks_serving import Limits
from databricks_serving._core.scrub import scrub
from databricks_serving._core.secret import Secret
from databricks_serving.errors import (
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    RateLimitError,
    ServingError,
)

SAID = b'{"message": "not now"}'
HEADERS = {"retry-after": "2"}


BOMB = gzip.compress(b"\0" * 100_000_000)


UNREADABLE = {
    "cut off": (lambda: wire.pieces(SAID, httpx.ReadError("cut"), content_type=None), {}),
    "stalled": (lambda: wire.pieces(SAID, httpx.ReadTimeout("slow"), content_type=None), {}),
    "empty gzip": (lambda: wire.pieces(b"", content_type=None), {"content-encoding": "gzip"}),
    "unknown packing": (lambda: wire.pieces(SAID, content_type=None), {"content-encoding": "br"}),
    "bomb": (lambda: wire.pieces(BOMB, content_type=None), {"content-encoding": "gzip"}),
}


def unreadable(name, status):
    make, headers = UNREADABLE[name]

    def answer(_):
        response = make()
        response.status_code = status
        response.headers.update(HEADERS | headers)
        return response

    return answer


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize(
    ("status", "kind", "tries"),
    [(401, AuthenticationError, 1), (429, RateLimitError, 3), (503, InternalServerError, 3)],
)
def test_a_refusal_that_cannot_be_read_is_that_refusal(shell, stream, name, status, kind, tries):
    client = shell.client(unreadable(name, status), idempotent=False)
    with pytest.raises(kind) as caught:
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER, stream=stream))
    error = caught.value
    assert (error.attempts, error.maybe_executed, error.retry_after) == (tries, False, 2.0)
    assert (error.message == "not now") == (name in {"cut off", "stalled"})


def test_a_refusal_that_is_still_coming_at_the_deadline_is_that_refusal(shell):
    class Late(wire.Body):
        def __iter__(self):
            for piece in super().__iter__():
                yield piece
                shell.clock.advance(20)

    client = shell.client(lambda _: httpx.Response(503, stream=Late(SAID, b"x")), deadline=10)
    with pytest.raises(InternalServerError) as caught:
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER))
    assert caught.value.message == "not now"
    assert caught.value.retry_stopped_by == "deadline"


def test_a_refusal_of_a_stream_is_no_larger_than_any_refusal(shell):
    body = b"x" * 3_000_000
    client = shell.client(httpx.Response(400, stream=wire.Body(body)))
    with pytest.raises(BadRequestError) as caught:
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER, stream=True))
    assert len(caught.value.body) <= 1024 * 1024
    small = shell.client(
        httpx.Response(400, stream=wire.Body(body)), limits=Limits(response_bytes=99)
    )
    with pytest.raises(BadRequestError) as caught:
        shell.wait(small.chat.completions.create(model="m", messages=wire.USER))
    assert len(caught.value.body) <= 99


ECHOES = {
    "refusal": lambda t: httpx.Response(400, json={"message": f"bad {t}", "a": [{t: t}]}),
    "header": lambda t: httpx.Response(401, headers={"www-authenticate": f"no {t}"}),
    "request id": lambda t: httpx.Response(400, headers={"x-request-id": t}),
    "redirect": lambda t: httpx.Response(307, headers={"location": f"https://a.test/{t}"}),
    "error at 200": lambda t: wire.json_reply({"error_code": "BAD_REQUEST", "message": f"no {t}"}),
    "first event": lambda t: wire.stream({"error": {"message": f"no {t}", "code": 400}}),
    "later event": lambda t: wire.stream(wire.chunk("a"), {"error": {"message": t, t: [t]}}),
    "named event": lambda t: wire.pieces(f"event: error\ndata: no {t}\n\n".encode()),
}


def everything(error):
    parts = [error]
    while (error := error.__cause__) is not None:
        parts.append(error)
    return "".join(f"{one}{one!r}{vars(one)}{one.args}" for one in parts)


@pytest.mark.parametrize("name", ECHOES)
def test_no_error_holds_the_token_wherever_a_server_repeats_it(shell, name):
    client = shell.client(lambda _: ECHOES[name](wire.TOKEN))
    stream = "event" in name

    def read():
        create = client.chat.completions.create
        shell.items(shell.wait(create(model="m", messages=wire.USER, stream=stream)))

    with pytest.raises(ServingError) as caught:
        read()
    assert wire.TOKEN not in everything(caught.value)
    assert wire.TOKEN.encode() not in pickle.dumps(caught.value)
    assert "***" in everything(caught.value)


def test_a_body_that_is_nested_without_end_is_dropped_rather_than_kept_unread():
    nested = wire.TOKEN
    for _ in range(5000):
        nested = [nested]
    error = BadRequestError("no", status_code=400, body=nested)
    scrub(error, [Secret(wire.TOKEN)])
    assert error.body == "***"


def test_an_error_can_be_shown_however_short_the_token_is():
    error = APITimeoutError("no answer", phase="first_byte")
    error.endpoint = "m"
    error.retry_stopped_by = "retries"
    scrub(error, [Secret("t")])
    assert error.phase == "first_byte"
    assert "max_retries reached" in str(error)


def test_no_error_of_a_raw_response_holds_the_token(shell):
    client = shell.client(ECHOES["error at 200"](wire.TOKEN))
    raw = client.chat.completions.with_raw_response
    response = shell.wait(raw.create(model="m", messages=wire.USER))
    for read in (response.parse, response.json):
        with pytest.raises(APIStatusError, match=r"no \*\*\*") as caught:
            read()
        assert wire.TOKEN not in everything(caught.value)
