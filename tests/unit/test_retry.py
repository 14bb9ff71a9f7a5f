"""When a call is tried again, after how long, and when not."""

import datetime as dt

import chance
import pytest
import wire

from databricks_serving._core.attempts import Attempts
from databricks_serving._core.retry import RetryPolicy, is_retryable, parse_retry_after
from databricks_serving.errors import (
    APIConnectionError,
    APITimeoutError,
    ClientClosedError,
    InternalServerError,
    InvalidResponseError,
    RateLimitError,
    StreamInterruptedError,
    error_class,
)

NOW = dt.datetime(2026, 11, 21, 12, 0, 0, tzinfo=dt.UTC)
SERVER = "Sat, 21 Nov 2026 13:00:00 GMT"
WAITS = [
    ({}, None),
    ({"retry-after": "2"}, 2.0),
    ({"retry-after": "1.5"}, 1.5),
    ({"retry-after": " 7 "}, 7.0),
    ({"retry-after": "86400"}, 86400.0),
    ({"retry-after": "1" + "0" * 35}, 1e35),
    ({"retry-after-ms": "250"}, 0.25),
    ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
    ({"retry-after-ms": "0", "retry-after": "9"}, 9.0),
    # The three forms of an HTTP date.
    ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
    ({"retry-after": "Saturday, 21-Nov-26 12:00:30 GMT"}, 30.0),
    ({"retry-after": "Sat Nov 21 12:00:30 2026"}, 30.0),
    ({"retry-after": "Sat, 21 Nov 2026 14:00:30 +0200"}, 30.0),
    ({"retry-after": "Sat, 21 Nov 2026 12:00:30 XYZ"}, 30.0),
    # The server's clock counts where it is shown.
    ({"retry-after": "Sat, 21 Nov 2026 13:00:30 GMT", "date": SERVER}, 30.0),
    ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT", "date": SERVER}, None),
    ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT", "date": "yesterday"}, 30.0),
    ({"retry-after": "Sat, 21 Nov 2026 12:00:01 GMT"}, 1.0),
    ({"retry-after": "Sat, 21 Nov 2026 11:59:59 GMT"}, None),
    ({"retry-after": "Sat, 21 Nov 2026 12:00:00 GMT"}, None),
    *(
        ({"retry-after": junk}, None)
        for junk in (
            "",
            "0",
            "-5",
            "nan",
            "inf",
            "Infinity",
            "1e3",
            "1_000",
            "0x10",
            "\u0665",
            "soon",
            "1h",
            "10m",
            "Monday",
            "2, 3",
            "1" * 5000,
            "x" * 5000,
            "Sat, 01 Jan 100000 00:00:00 GMT",
            "Sat, 21 Nov 2026 99:00:30 GMT",
            "2027 Jan " + "1" * 50 + " 99:99 01 94-Nov-06",
        )
    ),
]


def status(code, message="no", **known):
    return error_class(code)(message, status_code=code, **known)


@pytest.mark.parametrize(("headers", "seconds"), WAITS, ids=lambda value: str(value)[:70])
def test_what_a_server_asks_to_wait(headers, seconds):
    assert parse_retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        *((status(code), code in {429, 503}) for code in (400, 401, 403, 404, 408, 409, 413, 422)),
        *((status(code), code in {429, 503}) for code in (418, 425, 429, 500, 502, 503, 504, 529)),
        (status(429, "account daily spend limit exceeded."), False),
        (status(429, "Daily limit of requests reached"), False),
        (status(429, "QUOTA EXCEEDED for the month"), False),
        (APIConnectionError("refused", maybe_executed=False), True),
        (APIConnectionError("reset"), False),
        (APIConnectionError("bad header", maybe_executed=False, retryable=False), False),
        (APITimeoutError("connect", phase="connect", maybe_executed=False), True),
        (APITimeoutError("read", phase="read"), False),
        (InvalidResponseError("html"), False),
        (StreamInterruptedError("cut"), False),
        (ClientClosedError("closed"), False),
    ],
    ids=str,
)
def test_a_call_is_repeated_only_where_the_model_did_not_run(error, retried):
    assert is_retryable(error) is retried
    assert (RetryPolicy().delay_after(error, 0) is not None) is retried


def test_waits_double_up_to_a_cap_with_full_jitter():
    policy = RetryPolicy(10, base=0.5, cap=20.0, rand=lambda: 1.0)
    waits = [policy.delay_after(status(503), n) for n in range(10)]
    assert waits == [0.5, 1, 2, 4, 8, 16, 20, 20, 20, 20]
    assert RetryPolicy(rand=lambda: 0.0).delay_after(status(503), 0) == 0.0
    drawn = [RetryPolicy().delay_after(status(503), 1) for _ in range(200)]
    assert all(0 <= wait < 1.0 for wait in drawn)
    assert len(set(drawn)) > 100


def test_a_wait_that_the_server_asks_for_is_never_shortened():
    for rand in (0.0, 0.5, 1.0):
        policy = RetryPolicy(rand=lambda rand=rand: rand)
        asked = policy.delay_after(status(429, retry_after=40.0), 0)
        assert asked == pytest.approx(40.0 * (1 + rand / 10))
    assert RetryPolicy().delay_after(status(429, retry_after=120.0), 0) >= 120.0


def test_a_wait_of_more_than_two_minutes_is_given_back_at_once():
    assert RetryPolicy().delay_after(status(429, retry_after=121.0), 0) is None


def test_the_documented_defaults_are_the_defaults():
    assert RetryPolicy() == RetryPolicy(max_retries=2, base=0.5, cap=20.0)


def test_the_number_of_retries_is_a_limit():
    assert RetryPolicy(0).delay_after(status(503), 0) is None
    assert RetryPolicy(2).delay_after(status(503), 1) is not None
    assert RetryPolicy(2).delay_after(status(503), 2) is None


def test_attempts_tell_the_error_which_call_it_ended():
    attempts = Attempts(RetryPolicy(1, rand=lambda: 1.0), "rivers", 10.0)
    first, second = status(503), status(500)
    assert attempts.delay_after(first, 12.0) == 0.5
    assert attempts.delay_after(second, 15.5) is None
    seen = [(e.endpoint, e.attempts, e.elapsed, e.retryable) for e in (first, second)]
    assert seen == [("rivers", 1, 2.0, True), ("rivers", 2, 5.5, False)]


def test_no_date_is_too_odd():
    words = """Fri, 01 Jan 2027 00:00:00 12:30:59 GMT -0000 +9999 +99999999999 XYZ a 11 - : , 1.2
        Jan-01-99 06-Nov-94 (c \\ " AM Feb 31 99 1e9"""
    source = chance.source(4)
    for _ in range(5000):
        value = " ".join(source.choice(words.split()) for _ in range(source.randrange(4, 9)))
        wait = parse_retry_after({"retry-after": value}, NOW)
        assert wait is None or wait > 0


def call(shell, client):
    return shell.wait(client.chat.completions.create(model="m", messages=wire.USER))


def failing(shell, *answers):
    """Answer in turn, the last one for ever."""

    def answer(_):
        given = answers[min(len(shell.transport.requests), len(answers)) - 1]
        return given() if callable(given) else given

    return answer


@pytest.mark.parametrize("code", [429, 503])
def test_a_call_succeeds_after_what_a_server_asks_to_wait(shell, code):
    busy = wire.json_reply({}, status=code, retry_after="2")
    client = shell.client(failing(shell, busy, wire.json_reply(wire.chat())), rand=0.5)
    assert call(shell, client).text == "The Po."
    assert shell.clock.slept == [pytest.approx(2.1)]
    first, second = shell.transport.requests
    assert first.content == second.content
    assert dict(first.headers) == dict(second.headers)


def test_a_call_gives_up_with_the_last_error(shell):
    client = shell.client(wire.json_reply({"message": "full"}, status=503), rand=1.0, max_retries=3)
    with pytest.raises(InternalServerError) as caught:
        call(shell, client)
    assert shell.clock.slept == [0.5, 1.0, 2.0]
    assert len(shell.transport.requests) == 4
    error = caught.value
    assert (error.attempts, error.elapsed, error.endpoint) == (4, 3.5, "m")
    assert error.retryable
    assert not error.maybe_executed


@pytest.mark.parametrize("code", [400, 401, 404, 408, 409, 500, 502, 504, 529])
def test_a_status_that_may_stand_for_a_run_is_final(shell, code):
    client = shell.client(wire.json_reply({}, status=code))
    with pytest.raises(error_class(code)) as caught:
        call(shell, client)
    assert caught.value.attempts == len(shell.transport.requests) == 1
    assert shell.clock.slept == []


@pytest.mark.parametrize("seconds", ["121", "86400", "Sat, 21 Nov 2099 12:00:00 GMT"])
def test_a_limit_that_lasts_is_raised_at_once_with_its_length(shell, seconds):
    client = shell.client(wire.json_reply({}, status=429, retry_after=seconds))
    with pytest.raises(RateLimitError) as caught:
        call(shell, client)
    assert caught.value.retry_after > 120
    assert shell.clock.slept == []


def test_a_wait_in_the_body_counts_as_well(shell):
    body = {"error": {"message": "slow down", "code": 429, "retry_after": 15}}
    busy = wire.json_reply(body, status=429)
    client = shell.client(failing(shell, busy, wire.json_reply(wire.chat())))
    call(shell, client)
    assert shell.clock.slept == [15.0]


def test_a_copy_of_a_client_has_its_own_number_of_retries(shell):
    client = shell.client(wire.json_reply({}, status=503)).with_options(max_retries=0)
    with pytest.raises(InternalServerError):
        call(shell, client)
    assert len(shell.transport.requests) == 1


def test_raw_calls_and_streams_are_repeated_alike(shell):
    busy = wire.json_reply({}, status=503)
    client = shell.client(failing(shell, busy, wire.json_reply(wire.chat())))
    raw = client.chat.completions.with_raw_response
    assert shell.wait(raw.create(model="m", messages=wire.USER)).status_code == 200
    done = lambda: wire.stream(wire.chunk("Po", "stop"), "[DONE]")  # noqa: E731 - a body is read once
    client = shell.client(failing(shell, busy, done))
    stream = shell.wait(client.chat.completions.create(model="m", messages=wire.USER, stream=True))
    assert [chunk.text for chunk in shell.items(stream)] == ["Po"]
    assert len(shell.transport.requests) == 2


def test_a_stream_that_has_begun_is_not_repeated(shell):
    client = shell.client(lambda _: wire.stream(wire.chunk("Po")))
    stream = shell.wait(client.chat.completions.create(model="m", messages=wire.USER, stream=True))
    with pytest.raises(StreamInterruptedError) as caught:
        shell.items(stream)
    assert len(shell.transport.requests) == 1
    assert (caught.value.endpoint, caught.value.attempts) == ("m", 1)
    assert not caught.value.retryable
