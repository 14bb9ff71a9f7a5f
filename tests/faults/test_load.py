"""Endpoints that sleep, are sick and recover; section 2.2."""

import itertools

import pytest

from databricks_serving.errors import (
    EndpointNotReadyError,
    InternalServerError,
    ServingError,
)
from databricks_serving.options import RetryPolicy

from .support.answers import Script, reply

SICK = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "try again"}


# What the quota of an endpoint allows at once: 500 tokens at 14 a retry.
BURST = 35


COLD = {
    "error_code": "TEMPORARILY_UNAVAILABLE",
    "message": "The endpoint is scaling from zero. Please try again in a few minutes.",
}


@pytest.mark.row("S-08")
def test_an_endpoint_that_sleeps_is_told_apart(house):
    server = house.server(*[reply(COLD, 503)] * 3)
    client = house.client(server.host, on_clock=True, rand=1.0)
    error = house.fails(client, EndpointNotReadyError, "scaling from zero")
    assert not error.maybe_executed
    assert error.retryable
    assert error.attempts == len(server.requests) == 3
    assert "cold_start_timeout" in error.hint


@pytest.mark.row("S-08")
def test_an_endpoint_that_wakes_up_is_waited_for_with_news(house):
    seen = []
    policy = RetryPolicy(cold_start_timeout=300, on_cold_start=seen.append)
    server = house.server(*[reply(COLD, 503)] * 20)
    client = house.client(server.host, on_clock=True, retry=policy)
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 21
    steps = [1, 2, 4, 8] + [15] * 16
    assert [news.next_try for news in seen] == pytest.approx(steps)
    assert [news.elapsed for news in seen] == pytest.approx([0, *itertools.accumulate(steps[:-1])])
    assert {news.endpoint for news in seen} == {"m"}
    assert all("scaling from zero" in news.message for news in seen)
    assert house.waited == pytest.approx(sum(steps))


@pytest.mark.row("S-08")
def test_an_endpoint_that_sleeps_on_is_given_up(house):
    policy = RetryPolicy(cold_start_timeout=60)
    server = house.server(*[reply(COLD, 503)] * 20)
    client = house.client(server.host, on_clock=True, rand=1.0, retry=policy)
    error = house.fails(client, EndpointNotReadyError)
    assert error.retry_stopped_by == "cold_start"
    assert house.waited <= 60
    assert house.waited > 30


@pytest.mark.row("S-08")
def test_waiting_for_an_endpoint_takes_nothing_from_the_quota(house):
    script = Script()
    server = house.server(then=script)
    policy = RetryPolicy(cold_start_timeout=3000)
    client = house.client(server.host, on_clock=True, retry=policy, deadline=4000)
    script.next = [reply(COLD, 503)] * 100
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 101
    assert retries_left(house, client, server, script) == BURST


def good_ends(house, client, count):
    """Make calls one after the other; return how many gave a reply."""
    good = 0
    for _ in range(count):
        try:
            house.wait(house.start(client))
        except ServingError:
            continue
        good += 1
    return good


def retries_left(house, client, server, script):
    """Return how many requests more than calls a service gets that has fallen sick."""
    before = len(server.requests)
    script.always = reply(SICK, 503)
    assert good_ends(house, client, 50) == 0
    script.always = reply()
    return len(server.requests) - before - 50


@pytest.mark.row("S-23")
def test_a_sick_service_gets_hardly_more_requests_than_there_are_calls(house):
    script = Script()
    server = house.server(then=script)
    client = house.client(server.host, on_clock=True)
    script.always = reply(SICK, 503)
    assert good_ends(house, client, 1000) == 0
    assert 1000 < len(server.requests) <= 1000 + BURST
    error = house.fails(client, InternalServerError)
    assert error.retry_stopped_by == "quota"
    assert error.attempts == 1
    script.always = reply()


@pytest.mark.row("S-24")
def test_a_service_that_recovers_gets_its_retries_back(house):
    script = Script()
    server = house.server(then=script)
    client = house.client(server.host, on_clock=True)
    assert retries_left(house, client, server, script) == BURST
    assert retries_left(house, client, server, script) == 0
    assert good_ends(house, client, 14) == 14
    script.next = [reply(SICK, 503)]
    assert house.call(client).text == "Hi"
    assert good_ends(house, client, 500) == 500
    assert retries_left(house, client, server, script) == BURST


@pytest.mark.row("S-23")
def test_the_quota_of_one_endpoint_is_not_that_of_another(house):
    script = Script()
    server = house.server(then=script)
    client = house.client(server.host, on_clock=True)
    assert retries_left(house, client, server, script) == BURST
    script.next = [reply(SICK, 503)]
    assert house.call(client, model="other").text == "Hi"
