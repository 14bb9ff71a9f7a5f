"""The local endpoint serves every route of the contract, and answers as the contract says."""

from pathlib import Path

import pytest
from openapi_schema_validator import OAS31Validator
from ruamel.yaml import YAML

from databricks_serving.local import LocalEndpoint

ROOT = Path(__file__).parents[3]
CONTRACT = YAML(typ="safe").load((ROOT / "openapi" / "serving.yaml").read_text(encoding="utf-8"))
METHODS = ("get", "put", "post", "delete", "patch")
ROUTES = [
    (method.upper(), path)
    for path, item in CONTRACT["paths"].items()
    for method in METHODS
    if method in item
]
USER = [{"role": "user", "content": "Hello"}]
EXTERNAL = {"name": "gpt-9", "provider": "openai", "task": "llm/v1/chat"}
NEW = {"name": "new", "config": {"served_entities": [{"external_model": EXTERNAL}]}}
# What to send to a route, by how its path ends; the first that fits.
BODIES = [
    ("/api/2.0/serving-endpoints", NEW),
    ("/embeddings", {"model": "local-embedding", "input": "Hello"}),
    ("chat/completions", {"model": "local-chat", "messages": USER}),
    ("/completions", {"model": "local-completion", "prompt": "Hello"}),
    ("responses", {"model": "local-responses", "input": USER}),
    ("/invocations", {"messages": USER}),
]


@pytest.fixture
def call(caller):
    with LocalEndpoint() as local:
        yield caller(local)


def concrete(path):
    return path.replace("{name}", "local-chat").replace("{served_model_name}", "v1")


def body_of(method, path):
    if method == "GET":
        return b""
    return next(body for end, body in BODIES if path.endswith(end))


def responses_of(method, path):
    responses = CONTRACT["paths"][path][method.lower()]["responses"]
    return {status: resolved(one) for status, one in responses.items()}


def resolved(one):
    found = {"components": CONTRACT["components"]}
    for key in one["$ref"].removeprefix("#/").split("/") if "$ref" in one else ():
        found = found[key]
    return found if "$ref" in one else one


def test_there_are_routes():
    assert len(ROUTES) == 14


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_is_served(call, method, path):
    answer = call("", body_of(method, path), path=concrete(path), method=method)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] in responses_of(method, path)["200"]["content"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_wants_a_token(call, method, path):
    headers = {"Authorization": None}
    answer = call("", body_of(method, path), path=concrete(path), method=method, headers=headers)
    assert answer.status == 401
    assert "401" in responses_of(method, path)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_another_method_is_refused(call, method, path):
    item = CONTRACT["paths"][path]
    for other in ("TRACE", "QUERY", *(one.upper() for one in METHODS if one not in item)):
        answer = call("", b"", path=concrete(path), method=other)
        assert answer.status == 405
        assert method in answer.headers["allow"].split(", ")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_what_is_answered_has_the_shape_of_the_contract(call, method, path):
    answer = call("", body_of(method, path), path=concrete(path), method=method)
    schema = responses_of(method, path)["200"]["content"]["application/json"]["schema"]
    whole = {**schema, "components": CONTRACT["components"]}
    assert [error.message for error in OAS31Validator(whole).iter_errors(answer.json)] == []
