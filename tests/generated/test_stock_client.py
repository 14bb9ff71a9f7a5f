import asyncio
import json

import httpx
import pytest

from databricks_serving_api import client as clients
from databricks_serving_api.api.chat import (
    create_chat_completion,
    create_chat_completion_on_served_model,
)
from databricks_serving_api.api.embeddings import create_embedding
from databricks_serving_api.client import AuthenticatedClient, Client
from databricks_serving_api.errors import UnexpectedStatus
from databricks_serving_api.models import ChatCompletion, ChatRequest, ErrorBody, UserMessage

ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}}]}
PROBLEM = {"error_code": "BAD_REQUEST", "message": "no"}
BODY = {"messages": [{"role": "user", "content": "Hi."}]}


@pytest.fixture
def seen():
    """The requests that reached the transport."""
    return []


@pytest.fixture
def client_for(seen):
    """Make a client whose every request gets one answer."""

    def make(status=200, **answer):
        def handler(request):
            seen.append(request)
            return httpx.Response(status, **answer)

        transport = httpx.MockTransport(handler)
        return AuthenticatedClient(
            base_url="https://example.test",
            token="dapi-made-up",
            httpx_args={"transport": transport},
        )

    return make


def sync_call(client, **options):
    return create_chat_completion.sync_detailed("gpt", client=client, body=BODY, **options)


def async_call(client, **options):
    coroutine = create_chat_completion.asyncio_detailed("gpt", client=client, body=BODY, **options)
    return asyncio.run(coroutine)


@pytest.fixture(params=[sync_call, async_call])
def call(request):
    """Call the operation in detail, blocking or not."""
    return request.param


def test_an_answer_is_typed(client_for, call):
    response = call(client_for(json=ANSWER))
    assert response.status_code == 200
    assert response.parsed == ChatCompletion.from_dict(ANSWER)


def test_the_short_forms_return_the_body_alone(client_for):
    expected = ChatCompletion.from_dict(ANSWER)
    client = client_for(json=ANSWER)
    assert create_chat_completion.sync("gpt", client=client, body=BODY) == expected
    coroutine = create_chat_completion.asyncio("gpt", client=client, body=BODY)
    assert asyncio.run(coroutine) == expected


def test_an_error_is_typed(client_for, call):
    response = call(client_for(400, json=PROBLEM))
    assert response.status_code == 400
    assert response.parsed == ErrorBody.from_dict(PROBLEM)


@pytest.mark.parametrize("status", [200, 400, 418, 500, 502, 529, 599])
@pytest.mark.parametrize("content", [b"<html>Bad gateway</html>", b"", b"[1]", b'"x"', b"\xff"])
def test_no_status_and_no_body_raises(client_for, call, status, content):
    response = call(client_for(status, content=content))
    assert (response.status_code, response.parsed) == (status, None)
    assert response.content == content


def test_an_unlisted_status_is_a_plain_number(client_for, call):
    response = call(client_for(529, json=PROBLEM))
    assert type(response.status_code) is int
    assert response.parsed is None


def test_an_unlisted_status_raises_where_asked_and_tells_no_content(client_for, call):
    client = client_for(529, content=b"the prompt was ...")
    client.raise_on_unexpected_status = True
    with pytest.raises(UnexpectedStatus) as caught:
        call(client)
    assert caught.value.status_code == 529
    assert "prompt" not in str(caught.value)


def test_the_request_is_what_the_contract_says(client_for, seen, call):
    call(client_for(json=ANSWER))
    (request,) = seen
    assert request.method == "POST"
    assert str(request.url) == "https://example.test/serving-endpoints/gpt/invocations"
    assert request.headers["authorization"] == "Bearer dapi-made-up"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == BODY


def test_a_served_model_has_its_own_route(client_for, seen):
    create_chat_completion_on_served_model.sync("gpt", "gpt-1", client=client_for(), body=BODY)
    assert seen[0].url.path == "/serving-endpoints/gpt/served-models/gpt-1/invocations"


def test_a_body_may_be_a_model_or_a_mapping():
    model = ChatRequest(messages=[UserMessage(content="Hi.")])
    mixed = {"messages": (UserMessage(content="Hi."),)}
    for body in (BODY, model, mixed):
        assert create_chat_completion.get_kwargs("gpt", body=body)["json"] == BODY


def test_a_mapping_is_sent_as_it_stands():
    body = {**BODY, "temperature": None, "novelty": [1]}
    assert create_chat_completion.get_kwargs("gpt", body=body)["json"] == body


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/b", "/serving-endpoints/a%2Fb/invocations"),
        ("ä ?#%", "/serving-endpoints/%C3%A4%20%3F%23%25/invocations"),
        ("system.ai.x", "/serving-endpoints/system.ai.x/invocations"),
    ],
)
def test_a_name_is_one_segment_of_the_path(client_for, seen, name, path):
    create_embedding.sync(name, client=client_for(), body={"input": "x"})
    assert seen[0].url.raw_path == path.encode()


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_change_the_path_is_refused(name):
    with pytest.raises(ValueError, match="path segment"):
        create_embedding.get_kwargs(name, body={"input": "x"})


def test_calls_have_a_timeout_by_default(client_for, seen, call):
    call(client_for(json=ANSWER))
    expected = {"connect": 5.0, "read": 300.0, "write": 300.0, "pool": 300.0}
    assert seen[0].extensions["timeout"] == expected
    assert httpx.Timeout(300.0, connect=5.0) == clients.DEFAULT_TIMEOUT


def test_no_secret_is_shown(client_for):
    client = client_for(json=ANSWER)
    sync_call(client)
    cookies = Client(base_url="x", cookies={"c": "secret"}, headers={"h": "secret"})
    assert "dapi" not in repr(client)
    assert "secret" not in repr(cookies)


def test_a_copy_with_other_settings_leaves_the_original_alone(client_for, seen):
    mine = {"x-mine": "1"}
    original = client_for(json=ANSWER).with_headers(mine)
    sync_call(original)
    copied = original.with_headers({"x-other": "2"}).with_cookies({"c": "3"})
    sync_call(copied.with_timeout(httpx.Timeout(1.0)))
    sync_call(original)
    first, second, third = seen
    assert "x-other" not in first.headers
    assert (second.headers["x-mine"], second.headers["x-other"]) == ("1", "2")
    assert second.headers["cookie"] == "c=3"
    assert {"x-other", "cookie"}.isdisjoint(third.headers)
    assert third.extensions["timeout"]["read"] == 300.0
    assert mine == {"x-mine": "1"}
