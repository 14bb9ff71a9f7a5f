"""What the local endpoint is told to do, as both clients see it."""

import asyncio
import json

import pytest

from databricks_serving import AsyncServingClient, RetryPolicy, ServingClient
from databricks_serving.errors import (
    APIConnectionError,
    BadRequestError,
    EndpointNotReadyError,
    InternalServerError,
    RateLimitError,
    StreamInterruptedError,
)
from databricks_serving.local import LocalEndpoint

USER = [{"role": "user", "content": "Hello"}]
NO_RETRY = RetryPolicy(max_retries=0)


def sync_create(local, retry, **request):
    with ServingClient(local.host, local.token, retry=retry) as client:
        return client.chat.completions.create(model="mine", **request).text


def sync_stream(local, retry, **request):
    with (
        ServingClient(local.host, local.token, retry=retry) as client,
        client.chat.completions.stream(model="mine", **request) as stream,
    ):
        return "".join(stream.text_stream)


def async_create(local, retry, **request):
    async def run():
        async with AsyncServingClient(local.host, local.token, retry=retry) as client:
            return (await client.chat.completions.create(model="mine", **request)).text

    return asyncio.run(run())


def async_stream(local, retry, **request):
    async def run():
        async with (
            AsyncServingClient(local.host, local.token, retry=retry) as client,
            client.chat.completions.stream(model="mine", **request) as stream,
        ):
            return "".join([text async for text in stream.text_stream])

    return asyncio.run(run())


CALLS = [sync_create, sync_stream, async_create, async_stream]
both = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)


def serve(**settings):
    return LocalEndpoint(config={"endpoints": {"mine": settings}})


@both
@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"state": "not_ready"}, EndpointNotReadyError),
        ({"state": "asleep"}, EndpointNotReadyError),
        ({"state": "stopped"}, BadRequestError),
        ({"rate_limit": {"tokens_per_minute": 1}}, RateLimitError),
        ({"replies": [{"status": 500}]}, InternalServerError),
        ({"replies": [{"fault": {"fault": "close"}}]}, APIConnectionError),
    ],
    ids=str,
)
def test_an_endpoint_refuses(call, settings, error):
    with serve(**settings) as local, pytest.raises(error):
        call(local, NO_RETRY, messages=USER)


@both
def test_a_family_refuses(call):
    with serve(family="gpt-oss") as local:
        with pytest.raises(BadRequestError, match='unknown field "seed"'):
            call(local, NO_RETRY, messages=USER, seed=1)
        assert call(local, NO_RETRY, messages=USER) == "You said: Hello"


@both
def test_a_client_that_has_patience_gets_its_answer(call):
    patience = RetryPolicy(max_retries=2, base=0.01, cap=0.01, cold_start_timeout=20)
    with serve(state="asleep", cold_start={"seconds": 0.2}) as local:
        assert call(local, patience, messages=USER) == "You said: Hello"
        local.fail_next(2, 503, endpoint="mine", retry_after=0)
        assert call(local, patience, messages=USER) == "You said: Hello"
        statuses = [one.status for one in local.requests.expect("mine")]
    assert statuses == [503, 200, 503, 503, 200]


@both
def test_a_script_answers(call):
    with serve(replies=[{"pieces": ["Ro", "me"]}]) as local:
        assert call(local, NO_RETRY, messages=USER) == "Rome"


@both
def test_a_recording_answers(call, tmp_path):
    choice = {"index": 0, "message": {"role": "assistant", "content": "Po"}}
    delta = {"index": 0, "delta": {"content": "Po"}}
    answers = {
        "whole": ({"messages": USER}, "application/json", {"choices": [choice]}),
        "stream": (
            {"messages": USER, "stream": True},
            "text/event-stream",
            f"data: {json.dumps({'choices': [delta]})}\n\ndata: [DONE]\n\n",
        ),
    }
    for name, (request, kind, body) in answers.items():
        recording = {"request": request, "status": 200, "headers": {"content-type": kind}}
        (tmp_path / f"{name}.json").write_text(json.dumps({**recording, "body": body}))
    with serve(recordings=tmp_path) as local:
        assert call(local, NO_RETRY, messages=USER) == "Po"
        with pytest.raises(BadRequestError, match=r"differs at \$\.messages\[0\]\.content"):
            call(local, NO_RETRY, messages=[{**USER[0], "content": "Other"}])


@pytest.mark.parametrize("call", [sync_stream, async_stream])
def test_a_stream_is_cut(call):
    with serve() as local:
        local.fail_next(fault="cut", after_events=2)
        with pytest.raises(StreamInterruptedError) as caught:
            call(local, NO_RETRY, messages=USER)
    assert caught.value.partial.text == "You"
