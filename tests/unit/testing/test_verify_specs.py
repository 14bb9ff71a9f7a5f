"""Contracts that recordings are held against, usable and not."""

import json

import pytest
from kept import CHAT, answer_of, document, found, put

from databricks_serving import errors
from databricks_serving.testing._verify.verifying import verify_contract


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "chat"


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_another_contract_may_be_given(folder, tmp_path, suffix):
    schema = {"type": "object", "required": ["answer"]}
    answer = {"content": {"application/json": {"schema": schema}}, "description": "d"}
    spec = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/serving-endpoints/mine/invocations": {"post": {"responses": {"200": answer}}}},
    }
    put(folder, path="/serving-endpoints/mine/invocations")
    place = tmp_path / f"spec{suffix}"
    place.write_text(json.dumps(spec))
    assert [expected for _, expected, _ in found(folder, spec=place)] == ["the key answer"]
    assert [expected for _, expected, _ in found(folder, spec=spec)] == ["the key answer"]


def test_a_schema_without_an_end_and_a_value_without_one_are_findings(folder):
    loop = {"schemas": {"A": {"$ref": "#/components/schemas/A"}}}
    answer = answer_of({"$ref": "#/components/schemas/A"})
    put(folder)
    [(place, _, said)] = found(folder, spec=document({"responses": {"200": answer}}, loop))
    assert (place, said.partition(",")[0]) == (
        "request or body",
        "a value that is nested too deeply",
    )
    deep = {"type": "object", "function": {}}
    for _ in range(300):
        deep = {"properties": {"a": deep}}
    tool = {"type": "function", "function": {"name": "f", "parameters": deep}}
    put(folder, request={**CHAT, "tools": [tool]})
    assert isinstance(found(folder), list)


@pytest.mark.parametrize("odd", [5, {"content": 5}, {"content": {"application/json": 5}}, None])
def test_an_answer_of_which_the_contract_says_nothing_may_be_any(folder, odd):
    put(folder)
    assert found(folder, spec=document({"responses": {"200": odd}, "requestBody": odd})) == []


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "not an OpenAPI document"),
        ({"openapi": "3.0.3", "paths": {}}, "no OpenAPI 3.1 document"),
        ({"openapi": "3.1.0"}, "it has no paths"),
        (
            {"openapi": "3.1.0", "paths": {"/a": {"$ref": "#/nowhere"}}},
            "refers to '#/nowhere', which is not there",
        ),
        (
            {
                "openapi": "3.1.0",
                "paths": {},
                "components": {"schemas": {"A": {"type": "strange"}}},
            },
            "components.schemas.A is no JSON Schema",
        ),
        (document(components={"schemas": []}), "components.schemas must be an object"),
        (document({"responses": 5}), "post is no operation: its responses must be an object"),
        (
            document({"responses": {}, "x-sdk-operations": [{"a": 1}]}),
            "a list of objects with a tag",
        ),
        (
            document({"responses": {"200": answer_of(5)}}),
            r"responses\.200\.content\.application/json\.schema is no JSON Schema: 5 is not",
        ),
        (
            document({"responses": {}, "requestBody": answer_of({"pattern": "("})}),
            "requestBody.* is no JSON Schema: '\\(' is not a 'regex'",
        ),
        ("nowhere.json", r"^nowhere\.json: No such file or directory$"),
    ],
)
def test_a_contract_that_cannot_be_used_says_why(folder, spec, message):
    put(folder)
    with pytest.raises(errors.InvalidRequestError, match=message):
        verify_contract(folder, spec=spec)


def test_a_contract_that_is_no_json_and_no_yaml_says_so(folder, tmp_path):
    put(folder)
    for name, text, said in (
        ("a.json", "{", "no JSON: .* at line 1, column 2$"),
        ("a.yaml", "a: [", "expected the node content, .* at line 1, column 5$"),
        ("b.yaml", "a: \x01", "unacceptable character #x0001: [a-z ]*$"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(errors.InvalidRequestError, match=f"{name}: {said}"):
            verify_contract(folder, spec=tmp_path / name)
