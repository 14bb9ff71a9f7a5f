"""The endpoints of the local workspace as things, and the routes that lead to them."""

import pytest

from databricks_serving import ServingClient
from databricks_serving.errors import BadRequestError, ConflictError, NotFoundError
from databricks_serving.local import LocalEndpoint

USER = [{"role": "user", "content": "Name a river."}]
KEY = "{{secrets/team/key}}"
NEW = {"provider": "openai", "model": "gpt-9", "config": {"openai_api_key": KEY}}


@pytest.fixture
def fresh():
    with LocalEndpoint() as local, ServingClient(local.host, local.token) as client:
        yield client


@pytest.fixture(scope="module")
def client(local):
    with ServingClient(local.host, local.token, max_retries=0) as client:
        yield client


def test_the_endpoints_are_listed(client):
    tasks = {endpoint.name: endpoint.task for endpoint in client.endpoints.list()}
    assert tasks["local-chat"] == tasks["my-own"] == "llm/v1/chat"
    assert tasks["local-custom"] is None
    assert tasks["local-responses"] == "agent/v1/responses"
    assert len(tasks) == 7


def test_an_endpoint_is_described(client):
    endpoint = client.endpoints.get("local-embedding")
    assert endpoint.is_ready
    assert endpoint.served_entities[0].state.deployment == "DEPLOYMENT_READY"
    with pytest.raises(NotFoundError, match="does not exist"):
        client.endpoints.get("nowhere")


@pytest.mark.parametrize("name", ["local-chat", "local-completion", "local-agent", "local-custom"])
def test_an_endpoint_has_a_contract(client, name):
    document = client.endpoints.get_openapi(name)
    assert list(document.paths) == [f"/serving-endpoints/{name}/invocations"]


def test_an_endpoint_that_is_created_becomes_ready_and_answers(fresh):
    created = fresh.endpoints.create_external(name="mine", task="llm/v1/chat", **NEW)
    assert not created.is_ready
    polls = []
    ready = fresh.endpoints.wait_ready("mine", on_poll=lambda one: polls.append(one.is_ready))
    assert polls == [False, True]
    assert ready.endpoint_type == "EXTERNAL_MODEL"
    assert ready.served_entities[0].external_model.name == "gpt-9"
    assert KEY not in str(ready.to_dict())
    assert fresh.chat.completions.create(model="mine", messages=USER).text
    with pytest.raises(ConflictError, match="already exists"):
        fresh.endpoints.create_external(name="mine", task="llm/v1/chat", **NEW)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": "a"}, '"config" is a required property'),
        ({"name": "a b", "config": {"served_entities": []}}, "must match"),
        ({"name": "a", "config": {"served_entities": []}}, "must not be empty"),
        ({"name": "a", "config": {}, "colour": "red"}, 'unknown field "colour"'),
    ],
)
def test_what_cannot_be_created_is_refused(call, body, message):
    answer = call("", body, path="/api/2.0/serving-endpoints")
    assert answer.status == 400
    assert message in answer.json["message"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/api/2.0/serving-endpoints/local-chat", "GET"),
        ("PUT", "/api/2.0/serving-endpoints", "GET, POST"),
        ("GET", "/serving-endpoints/chat/completions", "POST"),
    ],
)
def test_another_method_is_not_allowed(call, method, path, allow):
    answer = call("", path=path, method=method)
    assert (answer.status, answer.headers["allow"]) == (405, allow)


@pytest.mark.parametrize("route", ["openai", "ai-gateway"])
def test_an_endpoint_is_reached_by_other_routes(client, route):
    other = client.with_options(route=route)
    direct = client.chat.completions.create(model="local-chat", messages=USER)
    assert other.chat.completions.create(model="local-chat", messages=USER).text == direct.text
    with other.chat.completions.stream(model="my-own", messages=USER) as stream:
        assert "".join(stream.text_stream) == direct.text
    assert other.embeddings.create(model="local-embedding", input="a").vectors


def test_completions_have_their_route(client):
    reply = client.completions.create(model="local-completion", prompt="Once", route="openai")
    assert reply.text


def test_names_of_the_catalogue_are_those_of_the_workspace(client):
    model = "system.ai.local-chat"
    assert client.chat.completions.create(model=model, messages=USER, route="ai-gateway").text


def test_a_route_does_not_serve_an_endpoint_of_another_task(client):
    with pytest.raises(BadRequestError, match="does not serve this API"):
        client.chat.completions.create(model="local-embedding", messages=USER, route="openai")


def test_a_body_that_names_no_endpoint_is_refused(call):
    answer = call("", {"messages": USER}, path="/serving-endpoints/chat/completions")
    assert answer.status == 400
    assert '"model" is a required property' in answer.json["message"]
