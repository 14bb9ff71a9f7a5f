"""What states endpoints go through, and what they answer meanwhile."""

import asyncio

import pytest

from databricks_serving import AsyncServingClient, RetryPolicy, ServingClient
from databricks_serving.errors import (
    BadRequestError,
    ConfigError,
    EndpointNotReadyError,
    EndpointWaitError,
    PermissionDeniedError,
)
from databricks_serving.local import EndpointState, LocalEndpoint

USER = [{"role": "user", "content": "Hello"}]
HELLO = {"messages": USER}
COLD = RetryPolicy(max_retries=0, cold_start_timeout=5)


def test_an_endpoint_becomes_ready_after_its_time(desk):
    ask = desk(mine={"state": "not_ready", "ready_after": 3})
    assert ask.state("mine") == ("NOT_READY", "IN_PROGRESS")
    refused = ask("mine", HELLO)
    assert (refused.status, refused.json["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert "not ready" in refused.json["message"]
    ask.pace.time += 2.9
    assert ask("mine", HELLO).status == 503
    ask.pace.time += 0.1
    assert ask("mine", HELLO).status == 200
    assert ask.state("mine") == ("READY", "NOT_UPDATING")


def test_an_endpoint_without_such_a_time_never_becomes_ready(desk):
    ask = desk(mine={"state": "not_ready"})
    ask.pace.time += 1e6
    assert ask("mine", HELLO).status == 503


@pytest.mark.parametrize(
    ("state", "ready", "status", "words"),
    [
        ("failed", ("NOT_READY", "UPDATE_FAILED"), 400, "its deployment failed"),
        ("stopped", ("NOT_READY", "NOT_UPDATING"), 400, "is stopped"),
        ("disabled", ("READY", "NOT_UPDATING"), 403, "rate limit of 0"),
    ],
)
def test_an_endpoint_that_cannot_answer_says_why(desk, state, ready, status, words):
    ask = desk(mine={"state": state})
    answer = ask("mine", HELLO)
    assert answer.status == status
    assert words in answer.json["message"]
    assert ask.state("mine") == ready


def test_a_deployment_says_of_itself_what_it_was_told(desk):
    ask = desk(mine={"state": "failed", "state_message": "no such image"})
    entities = ask("", path="/api/2.0/serving-endpoints/mine", method="GET").json["config"]
    assert entities["served_entities"][0]["state"] == {
        "deployment": "DEPLOYMENT_FAILED",
        "deployment_state_message": "no such image",
    }


def test_an_idle_endpoint_sleeps_and_the_next_call_wakes_it(desk):
    ask = desk(mine={"cold_start": {"seconds": 4, "idle": 60, "retry_after": True}})
    assert ask("mine", HELLO).status == 200
    ask.pace.time += 59
    assert ask("mine", HELLO).status == 200
    ask.pace.time += 60
    assert ask.state("mine") == ("READY", "NOT_UPDATING")
    cold = ask("mine", HELLO)
    assert (cold.status, cold.headers["retry-after"]) == (503, "4")
    assert "scaling up from zero" in cold.json["message"]
    ask.pace.time += 2.5
    assert ask("mine", HELLO).headers["retry-after"] == "2"
    ask.pace.time += 1.5
    assert ask("mine", HELLO).status == 200
    assert ask.pace.waits == []


def test_a_cold_start_may_be_a_slow_answer(desk):
    ask = desk(mine={"state": "asleep", "cold_start": {"seconds": 4, "answer": "slow"}})
    assert ask("mine", HELLO).status == 200
    assert ask.pace.waits == [4]
    assert ask("mine", HELLO).status == 200
    assert ask.pace.waits == [4]


@pytest.fixture
def local():
    with LocalEndpoint(config={"endpoints": {"mine": {"cold_start": {"seconds": 0.2}}}}) as local:
        yield local


def test_the_cold_start_option_waits_until_the_endpoint_is_up(local):
    told = []
    local.set_state("mine", EndpointState.ASLEEP)
    policy = RetryPolicy(max_retries=0, cold_start_timeout=5, on_cold_start=told.append)
    with ServingClient(local.host, local.token, retry=policy) as client:
        assert client.chat.completions.create(model="mine", messages=USER).text
    assert [one.endpoint for one in told] == ["mine"]
    assert "scaling up" in told[0].message


def test_the_cold_start_option_works_in_both_clients(local):
    async def call():
        async with AsyncServingClient(local.host, local.token, retry=COLD) as client:
            return (await client.chat.completions.create(model="mine", messages=USER)).text

    local.set_state("mine", "asleep")
    assert asyncio.run(call())
    local.requests.expect("mine", status=503, times=1)
    local.requests.expect("mine", status=200, times=1)


def test_without_the_option_it_is_an_error(local):
    local.set_state("mine", "asleep")
    with (
        ServingClient(local.host, local.token, max_retries=0) as client,
        pytest.raises(EndpointNotReadyError),
    ):
        client.chat.completions.create(model="mine", messages=USER)


def test_wait_ready_waits_and_gives_up(local):
    local.set_state("mine", "not_ready", ready_after=0.05)
    with ServingClient(local.host, local.token, max_retries=0) as client:
        polls = []
        client.endpoints.wait_ready("mine", on_poll=lambda one: polls.append(one.is_ready))
        assert polls == [False, True]
        local.set_state("mine", "failed", message="no such image")
        with pytest.raises(EndpointWaitError, match=r"UPDATE_FAILED.*no such image"):
            client.endpoints.wait_ready("mine")
        with pytest.raises(BadRequestError, match="its deployment failed"):
            client.chat.completions.create(model="mine", messages=USER)
        local.set_state("mine", "disabled")
        with pytest.raises(PermissionDeniedError, match="rate limit of 0"):
            client.chat.completions.create(model="mine", messages=USER)
        local.set_state("mine", "ready")
        assert client.chat.completions.create(model="mine", messages=USER).text


def test_any_endpoint_that_is_served_has_a_state(local):
    local.set_state("local-chat-small", "stopped")
    with (
        ServingClient(local.host, local.token, max_retries=0) as client,
        pytest.raises(BadRequestError, match="is stopped"),
    ):
        client.chat.completions.create(model="local-chat-small", messages=USER)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("nowhere", "ready"), {}, "does not exist"),
        (("mine", "tired"), {}, "state: expected one of ready, not_ready"),
        (("mine", "ready"), {"ready_after": 3}, "ready_after: only an endpoint that is not_ready"),
        (("mine", "not_ready"), {"ready_after": -1}, "ready_after: expected a number from 0"),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(local, arguments, options, words):
    with pytest.raises(ConfigError, match=words):
        local.set_state(*arguments, **options)


def test_only_a_running_endpoint_has_states():
    with pytest.raises(RuntimeError, match="does not run"):
        LocalEndpoint().set_state("local-chat", "ready")


def test_an_endpoint_that_was_created_is_not_ready_until_it_was_asked_for(desk):
    ask = desk()
    external = {"name": "gpt-9", "provider": "openai", "task": "llm/v1/chat"}
    body = {"name": "new", "config": {"served_entities": [{"external_model": external}]}}
    assert ask("", body, path="/api/2.0/serving-endpoints").status == 200
    assert [ask("new", HELLO).status for _ in range(2)] == [503, 200]
