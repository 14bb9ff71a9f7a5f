"""The other kind of endpoint of LangChain's `Databricks`: the samples for an app on a cluster."""

import asyncio
import json

import pytest
from raw_server import Echo, body_of, headers_of, path_of, raw_server, response

from databricks_serving import AsyncServingClient, ServingClient
from databricks_serving.errors import InvalidResponseError, NotFoundError, PermissionDeniedError

CLUSTER = "0101-000000-abcdefgh"
JSON = "Content-Type: application/json"


def answer(request: bytes) -> bytes:
    """Answer as an app of the document's kind does: a prompt, stop texts, a bare JSON text."""
    given = body_of(request)
    text = f"Good: {given['prompt']}"
    for stop in given.get("stop", []):
        text = text.partition(stop)[0]
    return response(json.dumps(text).encode(), JSON)


def refuse(status: str) -> bytes:
    return response(b'{"message": "No."}', JSON, status=status)


@pytest.fixture
def app():
    with raw_server(then=Echo(answer)) as server:
        yield server


def test_an_app_is_called_at_the_driver_proxy_with_the_login_of_the_client(app):
    with ServingClient(app.host, "made-up") as client:
        llm = client.endpoint(cluster_id=CLUSTER, port=7777)
        assert llm.invoke("How are you?") == "Good: How are you?"
        assert llm.invoke("How are you?", stop=["."]) == "Good: How are you?"
        assert llm.invoke("How are you?", stop="?") == "Good: How are you"
    first = app.requests[0]
    assert path_of(first) == f"/driver-proxy-api/o/0/{CLUSTER}/7777"
    assert headers_of(first)["authorization"] == "Bearer made-up"
    assert [body_of(request) for request in app.requests] == [
        {"prompt": "How are you?"},
        {"prompt": "How are you?", "stop": ["."]},
        {"prompt": "How are you?", "stop": ["?"]},
    ]


def test_both_transforms_work_for_an_app(app):
    with ServingClient(app.host, "made-up") as client:
        llm = client.endpoint(
            cluster_id=CLUSTER,
            port=7777,
            org_id="12",
            path="/generate",
            transform_input=lambda **request: {**request, "prompt": request["prompt"] + " Short!"},
            transform_output=str.upper,
        )
        assert llm.invoke("How are you?") == "GOOD: HOW ARE YOU? SHORT!"
    assert path_of(app.requests[0]) == f"/driver-proxy-api/o/12/{CLUSTER}/7777/generate"


def test_an_app_is_awaited_and_asked_several_things_at_once(app):
    async def ask():
        async with AsyncServingClient(app.host, "made-up") as client:
            llm = client.endpoint(cluster_id=CLUSTER, port=7777)
            return await asyncio.gather(*(llm.invoke(str(n)) for n in range(5)))

    assert asyncio.run(ask()) == [f"Good: {n}" for n in range(5)]


def test_an_app_that_starts_is_asked_again_and_one_that_refuses_says_what_helps():
    with (
        raw_server(refuse("503 Unavailable"), Echo(answer)) as app,
        ServingClient(app.host, "made-up") as client,
    ):
        assert client.endpoint(cluster_id=CLUSTER, port=7777).invoke("Hi") == "Good: Hi"
        assert len(app.requests) == 2
    for status, kind, hint in (
        ("403 Forbidden", PermissionDeniedError, "attach to the cluster"),
        ("404 Not Found", NotFoundError, "the app runs"),
    ):
        with raw_server(then=refuse(status)) as app, ServingClient(app.host, "made-up") as client:
            with pytest.raises(kind) as caught:
                client.endpoint(cluster_id=CLUSTER, port=7777).invoke("Hi")
            assert hint in caught.value.hint


def test_an_app_may_answer_any_json_to_who_takes_it():
    reply = response(b'{"text": "Good", "tokens": 1}', JSON)
    with raw_server(then=reply) as app, ServingClient(app.host, "made-up") as client:
        llm = client.endpoint(
            cluster_id=CLUSTER, port=7777, transform_output=lambda answer: answer["text"]
        )
        assert llm.invoke("Hi") == "Good"
        with pytest.raises(InvalidResponseError, match="JSON of type dict: give transform_output"):
            client.endpoint(cluster_id=CLUSTER, port=7777).invoke("Hi")
