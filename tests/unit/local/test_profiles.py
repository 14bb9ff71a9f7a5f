"""What a family of models refuses, with the local endpoint as with the catalogue."""

from typing import Any

import pytest

from databricks_serving import ServingClient
from databricks_serving.errors import BadRequestError
from databricks_serving.families import KNOWN
from databricks_serving.local import LocalEndpoint
from databricks_serving.local.profiles import FAMILIES, family_of

USER: dict[str, Any] = {"role": "user", "content": "Hello"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
PART = {"type": "text", "text": "Hello"}
CACHED = {**PART, "cache_control": {"type": "ephemeral"}}
# A request for each thing that some family refuses, by the path of the rule that says so.
REFUSED: dict[str, dict[str, Any]] = {
    "max_completion_tokens": {"max_completion_tokens": 5},
    "seed": {"seed": 7},
    "stop": {"stop": ["."]},
    "thinking": {"thinking": {"type": "disabled"}},
    "temperature": {"temperature": 0.5},
    "reasoning_effort": {"reasoning_effort": "high"},
    "stream_options": {"stream_options": {"include_usage": True}},
    "response_format": {"response_format": {"type": "json_object"}},
    "messages[].content": {
        "messages": [
            USER,
            {"role": "assistant", "content": "", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "1", "content": "2"},
        ]
    },
    "messages[].content[]": {
        "messages": [{"role": "user", "content": [{"type": "text", "text": ""}, PART]}]
    },
    "messages[].content[].cache_control": {"messages": [{"role": "user", "content": [CACHED]}]},
    "tools[].cache_control": {"tools": [{**TOOL, "cache_control": {"type": "ephemeral"}}]},
}
CASES = [(family.name, rule) for family in KNOWN for rule in family.rules]


def body(path):
    return {"messages": [USER], **REFUSED[path]}


def body_against(rule):
    """A request that the rule would change."""
    return {"messages": [USER], "tools": [TOOL]} if rule.do == "set" else body(rule.path)


@pytest.fixture(scope="module")
def local():
    names = {name: {"family": name} for name in FAMILIES}
    catalogue = {"databricks-gpt-oss-120b": None, "databricks-claude-sonnet-5": None}
    free = {"any": {"family": "any"}, "databricks-gpt-oss-20b": {"family": "any"}}
    with LocalEndpoint(config={"endpoints": {**names, **catalogue, **free}}) as local:
        yield local


@pytest.fixture(scope="module")
def client(local):
    with ServingClient(local.host, local.token, max_retries=0, adapt="off") as client:
        yield client


@pytest.mark.parametrize(("family", "rule"), CASES, ids=lambda one: getattr(one, "path", one))
def test_what_the_client_knows_to_be_refused_is_refused_and_what_it_makes_of_it_is_taken(
    local, caller, family, rule
):
    call = caller(local)
    assert call("any", body_against(rule)).status == 200
    refused = call(family, body_against(rule))
    assert (refused.status, refused.json["error_code"]) == (400, "BAD_REQUEST")
    families = {family: family}
    with ServingClient(local.host, local.token, max_retries=0, families=families) as client:
        mended = client.chat.completions.create(
            model=family, adapt="all", extra_body=body_against(rule), messages=[USER]
        )
    assert mended.choices


@pytest.mark.parametrize(
    ("family", "path", "words"),
    [
        ("gpt-oss", "seed", 'json: unknown field "seed"'),
        ("gpt-oss", "stop", 'Unsupported parameter: "stop" is not supported with this model.'),
        ("open-weights", "stream_options", 'json: unknown field "stream_options"'),
        ("gemini", "tools[].cache_control", 'json: unknown field "cache_control"'),
        ("claude", "messages[].content[]", '"messages[0].content[0]": an empty text part'),
    ],
)
def test_the_words_are_those_of_the_platform(local, caller, family, path, words):
    assert words in caller(local)(family, body(path)).json["message"]


def test_an_unknown_key_is_refused_even_where_it_is_null(local, caller):
    answer = caller(local)("gpt-oss", {"messages": [USER], "seed": None})
    assert answer.status == 400
    assert caller(local)("any", {"messages": [USER], "seed": None}).status == 200


def test_the_name_of_the_catalogue_decides(client):
    with pytest.raises(BadRequestError, match='unknown field "seed"'):
        client.chat.completions.create(model="databricks-gpt-oss-120b", messages=[USER], seed=1)
    reply = client.chat.completions.create(
        model="databricks-claude-sonnet-5", messages=[USER], seed=1
    )
    assert reply.text
    assert client.chat.completions.create(model="databricks-gpt-oss-20b", messages=[USER], seed=1)
    assert family_of("databricks-claude-opus-5-1").name == "claude-opus-5"
    assert family_of("my-claude") is None


FORMAT = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}


@pytest.mark.parametrize(
    ("family", "request_", "words"),
    [
        ("claude-opus-5", {"response_format": FORMAT, "tools": [TOOL]}, "both response_format"),
        ("gpt-oss", {"response_format": {"type": "json_object"}}, 'the word "json"'),
    ],
)
def test_what_no_rule_can_mend_is_refused_as_well(local, caller, family, request_, words):
    call = caller(local)
    given = {"messages": [USER], **request_}
    assert words in call(family, given).json["message"]
    assert call("any", given).status == 200


def test_json_is_given_where_it_is_spoken_of(local, caller):
    spoken = [{"role": "user", "content": "Answer in JSON"}]
    given = {"messages": spoken, "response_format": {"type": "json_object"}}
    assert caller(local)("gpt-oss", given).status == 200
