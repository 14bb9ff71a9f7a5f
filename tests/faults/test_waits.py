"""How long a call waits, and for how long; section 2.2."""

import math
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from raw_server import headers_of

from databricks_serving.errors import (
    InvalidRequestError,
    RateLimitError,
)

from .support.answers import reply

BUSY = {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "too many requests"}


THEN = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)


def limited(*headers):
    """Return a 429 with headers."""
    return reply(BUSY, 429, *headers)


@pytest.mark.row("S-01")
@pytest.mark.parametrize(("rand", "seconds"), [(0.0, 2.0), (1.0, 2.2)])
def test_a_limit_is_waited_for_as_asked_and_a_little_longer(house, rand, seconds):
    server, client = house.serve(limited("Retry-After: 2"), on_clock=True, rand=rand)
    assert house.call(client).text == "Hi"
    assert house.waited == pytest.approx(seconds)
    assert len(server.requests) == 2


RFC_1123 = "%a, %d %b %Y %H:%M:%S GMT"


RFC_850 = "%A, %d-%b-%y %H:%M:%S GMT"


ASCTIME = "%a %b %d %H:%M:%S %Y"


@pytest.mark.row("S-02")
@pytest.mark.parametrize("form", [RFC_1123, RFC_850, ASCTIME], ids=["1123", "850", "asctime"])
@pytest.mark.parametrize("off", [-3600, 0, 3600, 86400 * 365])
def test_a_date_is_read_against_the_server_s_own_clock(house, form, off):
    now = THEN + timedelta(seconds=off)
    until = (now + timedelta(seconds=7)).strftime(form)
    answer = limited(f"Date: {now.strftime(RFC_1123)}", f"Retry-After: {until}")
    _, client = house.serve(answer, on_clock=True)
    assert house.call(client).text == "Hi"
    assert house.waited == pytest.approx(7)


@pytest.mark.row("S-02")
def test_a_date_without_the_server_s_clock_is_read_against_ours(house):
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    _, client = house.serve(limited(f"Retry-After: {until}"), on_clock=True)
    assert house.call(client).text == "Hi"
    assert 25 < house.waited <= 30


@pytest.mark.row("S-02")
def test_a_date_that_is_past_leaves_the_usual_wait(house):
    now, past = THEN.strftime(RFC_1123), (THEN - timedelta(seconds=5)).strftime(RFC_1123)
    answer = limited(f"Date: {now}", f"Retry-After: {past}")
    _, client = house.serve(answer, on_clock=True, rand=1.0)
    assert house.call(client).text == "Hi"
    assert house.waited == pytest.approx(1.0)


@pytest.mark.row("S-03")
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("86400", 86400),
        ("121", 121),
        ("1" + "0" * 35, 1e35),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Fri, 31 Dec 100000 23:59:59 GMT", None),
    ],
)
def test_a_wait_that_is_too_long_is_an_error_at_once(house, value, seconds):
    server, client = house.serve(limited(f"Retry-After: {value}"), on_clock=True)
    error = house.fails(client, RateLimitError)
    assert error.retry_stopped_by == "retry_after"
    assert error.retry_after == (seconds or pytest.approx(error.retry_after))
    assert error.retry_after > 120
    assert error.retryable
    assert house.waited == 0
    assert len(server.requests) == 1


@pytest.mark.row("S-04")
@pytest.mark.parametrize(
    "value",
    ["-5", "NaN", "inf", "", "soon", "0", "1e1", "0x10", "1,5", "5" * 5000, "٣", "Mon, 99 Foo"],
)
def test_a_wait_that_makes_no_sense_leaves_the_usual_one(house, value):
    header = f"Retry-After: {value}".encode().decode("latin-1")
    _, client = house.serve(limited(header), on_clock=True, rand=1.0)
    assert house.call(client).text == "Hi"
    assert house.waited == pytest.approx(1.0)


@pytest.mark.row("S-04")
def test_a_wait_may_have_a_fraction(house):
    _, client = house.serve(limited("Retry-After: 1.5"), on_clock=True)
    assert house.call(client).text == "Hi"
    assert house.waited == pytest.approx(1.5)


@pytest.mark.row("S-04")
def test_two_waits_never_raise_and_never_shorten(house):
    _, client = house.serve(limited("Retry-After: 3", "Retry-After: 4"), on_clock=True, rand=1.0)
    assert house.call(client).text == "Hi"
    assert round(house.waited, 6) in {1.0, 3.3, 4.4}


@pytest.mark.row("S-05")
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["retry-after-ms: 1500"], 1.5),
        (["retry-after-ms: 0.5"], 0.0005),
        (["retry-after-ms: 250", "Retry-After: 9"], 0.25),
        (["retry-after-ms: soon", "Retry-After: 9"], 9),
        (["retry-after-ms: -1"], 0),
    ],
)
def test_milliseconds_are_honoured(house, headers, seconds):
    _, client = house.serve(limited(*headers), on_clock=True)
    assert house.call(client).text == "Hi"
    assert house.waited == pytest.approx(seconds)


@pytest.mark.row("S-05")
def test_milliseconds_have_the_same_limit(house):
    server, client = house.serve(limited("retry-after-ms: 120001"), on_clock=True)
    assert house.fails(client, RateLimitError).retry_after == pytest.approx(120.001)
    assert len(server.requests) == 1


@pytest.mark.row("S-06")
@pytest.mark.parametrize("rand", [0.3, 1.0])
def test_a_limit_that_lasts_ends_at_the_deadline(house, rand):
    server = house.server(*[limited()] * 50)
    client = house.client(server.host, on_clock=True, rand=rand, max_retries=10)
    error = house.fails(client, RateLimitError, deadline=8)
    assert error.retry_stopped_by == "deadline"
    assert house.waited <= 8
    waits = [attempt.wait for attempt in error.history]
    bounds = [min(2.0**n, 20.0) * rand for n in range(len(waits) - 1)]
    assert waits[:-1] == pytest.approx(bounds)
    assert waits[-1] is None
    assert sum(waits[:-1]) == pytest.approx(house.waited)
    assert error.attempts == len(waits)
    assert error.elapsed == pytest.approx(house.waited)
    assert {attempt.cause for attempt in error.history} == {"RateLimitError 429"}


@pytest.mark.row("S-06")
def test_a_wait_that_passes_the_deadline_is_not_begun(house):
    server, client = house.serve(limited("Retry-After: 9"), on_clock=True)
    error = house.fails(client, RateLimitError, deadline=4)
    assert error.retry_stopped_by == "deadline"
    assert error.retry_after == 9
    assert house.waited == 0
    assert len(server.requests) == 1


@pytest.mark.row("S-07")
@pytest.mark.parametrize(
    "message",
    [
        "Daily spend limit reached",
        "You exceeded the daily limit of output tokens",
        "quota exceeded for this workspace",
        "the hourly limit of tokens is reached",
    ],
)
def test_a_limit_of_hours_is_not_waited_for(house, message):
    answer = reply({"error_code": "REQUEST_LIMIT_EXCEEDED", "message": message}, 429)
    server, client = house.serve(answer, on_clock=True)
    error = house.fails(client, RateLimitError, message)
    assert "hours" in error.hint
    assert not error.retryable
    assert len(server.requests) == 1
    assert house.waited == 0


@pytest.mark.row("S-26")
@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_wall_clock_that_jumps_changes_nothing(house, monkeypatch, jump):
    server, client = house.serve(limited(), limited(), on_clock=True, rand=1.0)
    real, sleep = time.time, house.clock.sleep

    def sleep_and_jump(seconds):
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        sleep(seconds)

    monkeypatch.setattr(house.clock, "sleep", sleep_and_jump)
    client._caller.credentials.clocks.sleep = house.shell._sleep
    assert house.call(client, deadline=10).text == "Hi"
    assert house.waited == pytest.approx(3.0)
    assert len(server.requests) == 3


@pytest.mark.row("S-27")
def test_a_body_that_can_be_read_once_is_refused(house, tmp_path):
    server, client = house.serve()
    generator = (message for message in [{"role": "user", "content": "Hi"}])
    house.fails(client, InvalidRequestError, "messages", messages=generator)
    with (tmp_path / "a").open("w+") as file:
        house.fails(client, InvalidRequestError, extra_body={"file": file})
    assert server.connections == 0


@pytest.mark.row("S-27")
def test_every_try_of_a_call_sends_the_same(house):
    server, client = house.serve(limited(), limited(), on_clock=True)
    house.call(client)
    assert len(set(server.requests)) == 1
    house.call(client)
    ids = [headers_of(request)["idempotency-key"] for request in server.requests]
    assert len(set(ids[:3])) == 1
    assert ids[3] != ids[0]


@pytest.mark.row("S-06")
def test_a_deadline_holds_on_the_real_clock(house):
    server = house.server(*[limited("Retry-After: 0.1")] * 20)
    client = house.client(server.host, max_retries=10)
    error = house.fails(client, RateLimitError, deadline=0.5)
    assert error.retry_stopped_by == "deadline"
    assert error.elapsed < 0.5 + 0.25
    assert math.isclose(error.attempts, 5, abs_tol=1)
