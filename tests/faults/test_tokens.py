"""The life of a token: who fetches it, how long it is used, and what follows a refusal."""

import asyncio
import math
import threading
import time

import pytest
from raw_server import chunked, silence, wait_for

from databricks_serving.auth import Token
from databricks_serving.errors import (
    AuthenticationError,
    PermissionDeniedError,
    ServingError,
    TokenError,
)
from databricks_serving.options import Limits

from .support.answers import FIRST, REST, reply
from .support.canary import TOKEN
from .support.kinds import only_async, only_sync
from .support.leaks import gone
from .support.oauth import INVALID, UNAUTHORIZED, Site, after, crowd, keeper_of, texts, waiting

# All callers at once, but not more connections than a process may have.
FEW = Limits(connections=50)
HELLO = chunked(FIRST, REST)
HOUR = 3600.0


@pytest.fixture
def site(house):
    return Site(house)


def size_of_crowd(house):
    """Return callers and calls of each: a thousand calls in all."""
    return (1000, 1) if house.kind == "async" else (200, 5)


def settled(house, client):
    """Wait until no token is being fetched."""
    assert gone(lambda: keeper_of(client)._flights._flight, house._turn, 10) is None


@pytest.mark.row("K-03")
@pytest.mark.parametrize(
    ("told", "good_for"),
    [
        (..., 60),
        (None, 60),
        (-5, 60),
        ("soon", 60),
        (True, 60),
        ([], 60),
        (1, 1),
        (30.5, 30.5),
        ("30", 30),
        # Less the margin at the end of a token that lives longer than two minutes.
        ("3600", HOUR - 40),
        (1e12, HOUR - 40),
        (10**400, 60),
        (math.nan, 60),
        (math.inf, HOUR - 40),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_token_is_used_for_as_long_as_makes_sense(house, site, told, good_for):
    site.tokens = [site.good(expires_in=told)]
    client = site.client(on_clock=True)
    house.call(client)
    house.clock.advance(good_for / 2 - 0.01)
    house.call(client)
    assert len(site.asked) == 1
    house.clock.advance(good_for / 2 + 0.02)
    house.call(client)
    assert len(site.asked) == 2
    assert site.used() == ["1", "1", "2"]


@pytest.mark.row("K-03")
def test_a_token_that_is_over_at_once_is_used_once(house, site):
    site.life = 0
    client = site.client()
    for _ in range(3):
        house.call(client)
    assert site.used() == ["1", "2", "3"]


@pytest.mark.row("K-05")
def test_a_thousand_cold_callers_ask_for_one_token(house, site):
    callers, calls = size_of_crowd(house)
    client = site.client(limits=FEW)
    site.tokens = [after(lambda: waiting(client) == callers - 1, site.good())]
    assert texts(crowd(house, client, callers, calls)) == {"Hi"}
    assert len(site.asked) == 1
    assert len(site.called) == 1000


@pytest.mark.row("K-06")
def test_a_thousand_callers_do_not_wait_for_the_renewal_of_a_token_that_is_good(house, site):
    client = site.client(on_clock=True, limits=FEW)
    house.call(client)
    house.clock.advance(HOUR - 1100)
    over = threading.Event()
    site.tokens = [wait_for(over, site.good())]
    assert texts(crowd(house, client, *size_of_crowd(house))) == {"Hi"}
    assert set(site.used()) == {"1"}
    over.set()
    settled(house, client)
    house.call(client)
    assert site.used()[-1] == "2"
    assert len(site.asked) == 2


@pytest.mark.row("K-06")
def test_a_thousand_callers_at_the_end_of_a_token_ask_for_one(house, site):
    callers, calls = size_of_crowd(house)
    client = site.client(on_clock=True, limits=FEW)
    house.call(client)
    house.clock.advance(HOUR)
    site.revoke()
    site.tokens = [after(lambda: waiting(client) == callers - 1, site.good())]
    assert texts(crowd(house, client, callers, calls)) == {"Hi"}
    assert set(site.used()) == {"1", "2"}
    assert len(site.asked) == 2
    assert len(site.called) == 1001


@pytest.mark.row("K-06")
@pytest.mark.parametrize(
    ("rand", "fresh", "good"), [(0.0, 2400, 3560), (1.0, 2520, 3540)], ids=["least", "most"]
)
def test_renewal_begins_before_the_end_at_a_time_that_chance_spreads(
    house, site, rand, fresh, good
):
    client = site.client(on_clock=True)
    keeper_of(client)._rand = lambda: rand
    begun = house.clock.monotonic()
    for seconds, requests in [(0, 1), (fresh - 1, 1), (fresh + 1, 2)]:
        house.clock.advance(begun + seconds - house.clock.monotonic())
        house.call(client)
        settled(house, client)
        assert len(site.asked) == requests
    house.clock.advance(good + 1)
    site.revoke()
    house.call(client)
    assert site.used()[-1] == "3"


@only_async
@pytest.mark.row("K-07")
def test_a_task_that_is_cancelled_while_it_fetches_leaves_that_to_another(house, site):
    client = site.client()
    site.tokens = [silence]

    async def until(ready):
        async with asyncio.timeout(10):
            while not ready():  # noqa: ASYNC110 - what it waits for sets no event
                await asyncio.sleep(0.001)

    async def scene():
        leader = asyncio.create_task(house.start(client))
        await until(lambda: len(site.asked) == 1)
        others = [asyncio.create_task(house.start(client)) for _ in range(100)]
        await until(lambda: waiting(client) == 100)
        leader.cancel()
        replies = await asyncio.gather(*others)
        with pytest.raises(asyncio.CancelledError):
            await leader
        return replies

    assert {one.text for one in house.wait(scene())} == {"Hi"}
    assert len(site.asked) == 2


@only_sync
@pytest.mark.row("K-07")
def test_a_thread_that_ends_while_it_fetches_leaves_that_to_another(house, site):
    asked = []

    def fetch():
        asked.append(1)
        if len(asked) > 1:
            return TOKEN
        gone(lambda: waiting(client) < 99, seconds=10)
        raise SystemExit

    site.accepted.add(TOKEN)
    client = site.client(auth=fetch)
    ends = crowd(house, client, 100)
    assert sum(isinstance(end, SystemExit) for end in ends) == 1
    assert texts([end for end in ends if not isinstance(end, SystemExit)]) == {"Hi"}
    assert len(asked) == 2


@pytest.mark.row("K-07")
def test_one_whose_time_is_over_while_it_fetches_leaves_that_to_another(house, site):
    client = site.client()
    # Time enough to ask, on a machine that is busy.
    hasty = client.with_options(deadline=1.5)
    site.tokens = [silence]
    first = [lambda: house.start(hasty)]
    ended, *others = house.together(first + [late(house, site, client)] * 20)
    assert isinstance(ended, ServingError)
    assert {getattr(one, "text", one) for one in others} == {"Hi"}
    assert len(site.asked) == 2


def late(house, site, client):
    """Return a call that begins when a token was asked for."""

    def in_thread():
        end = time.monotonic() + 10
        while not site.asked and time.monotonic() < end:
            time.sleep(0.01)
        return house.start(client)

    async def in_task():
        while not site.asked:  # noqa: ASYNC110 - what it waits for sets no event
            await asyncio.sleep(0.001)
        return await house.start(client)

    return in_task if house.kind == "async" else in_thread


@pytest.mark.row("K-07")
def test_those_who_wait_do_not_wait_for_ever(house, site):
    client = site.client(healthy=False, deadline=0.3)
    site.tokens = [silence] * 9
    begun = time.monotonic()
    ends = crowd(house, client, 20)
    assert all(isinstance(end, BaseException) for end in ends)
    assert time.monotonic() - begun < 5
    for end in ends:
        house.show(end)


@pytest.mark.row("K-08")
def test_tokens_of_a_second_are_fetched_once_a_second(house, site):
    site.life = 1
    client = site.client(on_clock=True)
    for _ in range(100):
        house.call(client)
        house.clock.advance(0.1)
    assert len(site.called) == 100
    assert len(site.asked) <= 11


@pytest.mark.row("K-09")
@pytest.mark.parametrize("offset", [-HOUR, HOUR], ids=["behind", "ahead"])
def test_a_calendar_that_is_wrong_from_the_start_changes_nothing(house, site, offset):
    client = site.client(on_clock=True)
    client._caller.credentials.clocks.wall = lambda: house.clock.monotonic() + offset
    house.call(client)
    house.clock.advance(HOUR / 2)
    house.call(client)
    assert len(site.asked) == 1
    site.revoke()
    house.call(client)
    assert site.used() == ["1", "1", "1", "2"]


@pytest.mark.row("K-09", "S-26")
def test_a_calendar_that_is_set_back_does_not_lengthen_a_life(house, site):
    client = site.client(on_clock=True)
    offset = [0.0]
    client._caller.credentials.clocks.wall = lambda: house.clock.monotonic() + offset[0]
    house.call(client)
    offset[0] = -HOUR
    house.clock.advance(HOUR)
    house.call(client)
    assert site.used() == ["1", "2"]


@pytest.mark.row("K-10")
def test_a_machine_that_slept_fetches_a_token_before_it_calls(house, site):
    client = site.client(on_clock=True)
    slept = [0.0]
    client._caller.credentials.clocks.wall = lambda: house.clock.monotonic() + slept[0]
    house.call(client)
    # The monotonic clock stands still while a machine sleeps.
    slept[0] = 8 * HOUR
    site.revoke()
    house.call(client)
    assert site.used() == ["1", "2"]


@pytest.mark.row("K-11")
def test_a_function_is_asked_again_when_its_token_is_refused(house, site):
    tokens = [f"{TOKEN}-old", f"{TOKEN}-new"]
    site.accepted = {tokens[0]}
    asked = []

    def current():
        asked.append(1)
        return Token(tokens[0], expires_in=HOUR)

    client = site.client(auth=current)
    house.call(client)
    tokens.pop(0)
    site.accepted = {tokens[0]}
    house.call(client)
    assert site.used() == ["old", "old", "new"]
    assert len(asked) == 2


@pytest.mark.row("K-11")
@pytest.mark.parametrize("place", ["variable", "profile"])
def test_a_token_that_was_replaced_where_it_stands_is_read_again(
    house, site, monkeypatch, tmp_path, place
):
    file = tmp_path / "profiles"
    file.touch(0o600)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(file))
    monkeypatch.delenv("DATABRICKS_TOKEN", raising=False)

    def put(token):
        site.accepted = {token}
        if place == "variable":
            monkeypatch.setenv("DATABRICKS_TOKEN", token)
        else:
            file.write_text(f"[p]\ntoken = {token}\n")

    put(f"{TOKEN}-old")
    profile = "p" if place == "profile" else None
    client = site.client(auth=None, profile=profile)
    house.call(client)
    put(f"{TOKEN}-new")
    house.call(client)
    assert site.used() == ["old", "old", "new"]


@pytest.mark.row("K-11")
def test_a_secret_that_was_replaced_is_said_to_be_refused(house, site):
    client = site.client()
    house.call(client)
    site.revoke()
    site.tokens = [reply({"error": "invalid_client"}, 401)]
    error = house.fails(client, TokenError, "oauth-m2m.* refused: 401 invalid_client")
    assert not error.retryable
    assert len(site.asked) == 2


@pytest.mark.row("K-15", "S-14")
def test_64_workers_whose_token_is_taken_back_fetch_one_and_lose_no_call(house, site):
    client = site.client()
    site.on_call = lambda number: site.revoke() if number == 200 else None
    assert texts(crowd(house, client, 64, 10)) == {"Hi"}
    assert len(site.asked) == 2
    refused = len(site.called) - 640
    assert 1 <= refused <= 64
    assert set(site.used()) == {"1", "2"}


@pytest.mark.row("K-15")
def test_a_refusal_that_comes_late_is_that_of_the_old_token(house, site):
    client = site.client()
    house.call(client)
    site.revoke()
    site.refusals = [after(lambda: "2" in site.used(), INVALID)]
    assert texts(crowd(house, client, 2)) == {"Hi"}
    assert sorted(site.used()) == ["1", "1", "1", "2", "2"]
    assert len(site.asked) == 2


@pytest.mark.row("S-14")
@pytest.mark.parametrize("refusal", [INVALID, UNAUTHORIZED], ids=["403", "401"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_token_that_is_refused_is_replaced_once_and_for_free(house, site, refusal, stream):
    client = site.client(max_retries=0)
    house.call(client)
    site.refusal = refusal
    site.revoke()
    if stream:
        site.reply = HELLO
        assert house.text(client) == "The Po."
        site.reply = reply()
    else:
        house.call(client)
    assert site.used() == ["1", "1", "2"]
    assert len(site.asked) == 2


@pytest.mark.row("S-14")
def test_a_token_that_was_accepted_is_replaced_again_when_it_is_refused(house, site):
    client = site.client()
    house.call(client)
    for _ in range(3):
        site.revoke()
        house.call(client)
        house.call(client)
    assert site.used() == ["1", "1", "2", "2", "2", "3", "3", "3", "4", "4"]


@pytest.mark.row("S-15")
@pytest.mark.parametrize(
    ("refusal", "kind"),
    [(UNAUTHORIZED, AuthenticationError), (INVALID, PermissionDeniedError)],
    ids=["401", "403"],
)
def test_a_new_token_that_is_refused_too_is_an_error_and_no_storm(house, site, refusal, kind):
    client = site.client(on_clock=True)
    house.call(client)
    site.refusal = refusal
    site.revoke()
    site.tokens = [reply({"access_token": f"{TOKEN}-bad", "expires_in": 3600})]
    error = house.fails(client, kind)
    assert error.attempts == 2
    assert not error.retryable
    for _ in range(20):
        house.fails(client, kind)
    assert len(site.asked) == 2
    house.clock.advance(31)
    house.call(client)
    assert len(site.asked) == 3


@pytest.mark.row("S-16")
@pytest.mark.parametrize(
    "message",
    [
        "User does not have permission 'Query' on the endpoint",
        "Source IP address: 10.0.0.1 is blocked by Databricks IP access list",
        "Provided OAuth token does not have required scopes: model-serving",
    ],
    ids=["permission", "address", "scope"],
)
def test_a_refusal_that_no_token_helps_against_fetches_none(house, site, message):
    client = site.client()
    house.call(client)
    site.refusal = reply({"error_code": "PERMISSION_DENIED", "message": message}, 403)
    accepted = set(site.accepted)
    site.revoke()
    error = house.fails(client, PermissionDeniedError)
    assert error.hint
    assert len(site.asked) == 1
    assert len(site.called) == 2
    site.accepted = accepted
