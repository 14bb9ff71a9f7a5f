"""Scripted replies."""

import json

import pytest

from databricks_serving import ServingClient
from databricks_serving.errors import ConfigError, RateLimitError, StreamInterruptedError
from databricks_serving.local import LocalEndpoint
from databricks_serving.local.config import read_settings
from databricks_serving.local.script import last_user_text

USER = {"role": "user", "content": "Hello"}
HELLO = {"messages": [USER]}
CALL = {"name": "weather", "arguments": {"city": "Rome"}}


def text_of(answer):
    return answer.json["choices"][0]["message"]["content"]


def test_replies_without_a_condition_come_in_order_once_each(desk):
    ask = desk(mine={"replies": [{"text": "one"}, {"text": "two", "times": 2}]})
    assert [text_of(ask("mine", HELLO)) for _ in range(3)] == ["one", "two", "two"]
    refused = ask("mine", HELLO)
    assert refused.status == 400
    assert "has no reply to this request: 2 of its 2 are used up" in refused.json["message"]


def test_the_first_reply_whose_condition_holds_answers_without_end(desk):
    ask = desk(
        mine={
            "replies": [
                {"when": {"last_user_contains": "weather"}, "text": "sunny"},
                {"when": {"json": {"temperature": 0, "messages": [{"role": "user"}]}}, "text": "t"},
                {"text": "first"},
                {"text": "other", "times": 100},
            ]
        }
    )
    weather = {"messages": [{"role": "user", "content": "the weather?"}]}
    assert [text_of(ask("mine", weather)) for _ in range(3)] == ["sunny"] * 3
    assert text_of(ask("mine", {**HELLO, "temperature": 0})) == "t"
    assert text_of(ask("mine", {**HELLO, "temperature": 1})) == "first"
    assert text_of(ask("mine", {"messages": [USER, USER], "temperature": 0})) == "other"


def test_a_request_is_decoded_as_strictly_as_ever(desk):
    ask = desk(mine={"replies": [{"text": "one"}]})
    assert ask("mine", {**HELLO, "colour": "red"}).status == 400
    assert text_of(ask("mine", HELLO)) == "one"


def test_a_script_says_texts_and_calls_tools(desk):
    ask = desk(
        mine={
            "replies": [
                {"text": "I look.", "tool_calls": [CALL, {"name": "other", "id": "c-2"}]},
                {"tool_call": CALL},
            ]
        }
    )
    (choice,) = ask("mine", HELLO).json["choices"]
    first, second = choice["message"]["tool_calls"]
    assert choice["message"]["content"] == "I look."
    assert choice["finish_reason"] == "tool_calls"
    assert first["function"] == {"name": "weather", "arguments": '{"city": "Rome"}'}
    assert second == {
        "id": "c-2",
        "type": "function",
        "function": {"name": "other", "arguments": "{}"},
    }
    assert ask("mine", HELLO).json["choices"][0]["message"]["content"] is None


def test_a_stream_has_the_text_and_then_the_calls(desk):
    ask = desk(mine={"replies": [{"text": "I look.", "tool_calls": [CALL, CALL]}]})
    events = ask("mine", {**HELLO, "stream": True}).events
    deltas = [one["choices"][0]["delta"] for one in events]
    assert [delta.get("content") for delta in deltas[:3]] == ["", "I", " look."]
    calls = [delta["tool_calls"][0] for delta in deltas[3:5]]
    assert [call["index"] for call in calls] == [0, 1]
    assert calls[0]["id"] != calls[1]["id"]
    assert events[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_pieces_are_the_pieces_of_a_stream(desk):
    ask = desk(mine={"replies": [{"pieces": ["Ro", "me"], "times": 3}]})
    assert text_of(ask("mine", HELLO)) == "Rome"
    events = ask(
        "mine", {**HELLO, "stream": True, "stream_options": {"include_usage": True}}
    ).events
    deltas = [one["choices"][0]["delta"] for one in events if one["choices"]]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"content": "Ro"},
        {"content": "me"},
        {},
    ]
    assert events[-1]["choices"] == []
    assert events[-1]["usage"]["total_tokens"] > 0


@pytest.mark.parametrize(
    ("task", "request_"),
    [
        ("llm/v1/completions", {"prompt": "Hello"}),
        ("agent/v1/responses", {"input": [USER]}),
        ("agent/v2/chat", HELLO),
    ],
)
def test_each_task_that_speaks_has_its_shape(task, request_):
    replies = [{"when": {"last_user_contains": "Hello"}, "pieces": ["Ro", "me"]}]
    config = {"endpoints": {"mine": {"task": task, "replies": replies}}}
    with (
        LocalEndpoint(config=config) as local,
        ServingClient(local.host, local.token, max_retries=0) as client,
    ):
        calls = {
            "llm/v1/completions": client.completions,
            "agent/v1/responses": client.responses,
            "agent/v2/chat": client.agents,
        }[task]
        assert calls.create(model="mine", **request_).text == "Rome"
        with calls.stream(model="mine", **request_) as stream:
            assert "".join(stream.text_stream) == "Rome"


def test_agents_call_tools(desk):
    ask = desk(
        one={"task": "agent/v1/responses", "replies": [{"tool_call": CALL, "times": 2}]},
        two={"task": "agent/v2/chat", "replies": [{"tool_call": CALL, "times": 2}]},
    )
    (item,) = ask("one", {"input": [USER]}).json["output"]
    assert (item["type"], item["name"], item["arguments"]) == (
        "function_call",
        "weather",
        '{"city": "Rome"}',
    )
    (message,) = ask("two", HELLO).json["messages"]
    assert message["tool_calls"][0]["function"]["name"] == "weather"
    assert b'"finish_reason":"tool_calls"' in ask("two", {**HELLO, "stream": True}).body


def test_a_script_gives_errors_and_raw_bodies(desk):
    ask = desk(
        mine={
            "replies": [
                {"status": 429, "retry_after": 2.5},
                {"status": 500, "error_code": "BROKEN", "message": "It broke."},
                {"body": {"choices": []}, "delay": 3},
                {"body": "<html>", "status": 502, "content_type": "text/html"},
                {"body": "data: 1\n\ndata: [DONE]\n\n"},
                {"body": "plain"},
            ]
        }
    )
    limited = ask("mine", HELLO)
    assert (limited.status, limited.headers["retry-after"]) == (429, "3")
    assert limited.json["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    broken = ask("mine", HELLO)
    assert broken.json == {"error_code": "BROKEN", "message": "It broke."}
    assert ask("mine", HELLO).json == {"choices": []}
    assert ask.pace.waits == [3]
    page = ask("mine", HELLO)
    assert (page.status, page.headers["content-type"], page.body) == (502, "text/html", b"<html>")
    stream = ask("mine", HELLO)
    assert (stream.headers["content-type"], stream.events) == ("text/event-stream", [1])
    assert ask("mine", HELLO).headers["content-type"] == "text/plain"


def test_a_script_may_only_spoil_or_delay_the_usual_answer(desk):
    ask = desk(mine={"replies": [{"fault": {"fault": "malformed"}}, {"delay": 1}]})
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        _ = ask("mine", HELLO).json
    assert text_of(ask("mine", HELLO)) == "You said: Hello"
    assert ask.pace.waits == [1]


def test_a_custom_model_has_bodies(desk):
    replies = [{"body": {"predictions": [7]}}]
    ask = desk(mine={"task": "custom", "replies": replies})
    assert ask("mine", {"inputs": [1]}).json == {"predictions": [7]}


def test_what_a_script_does_is_seen_by_the_client(tmp_path):
    script = tmp_path / "replies.yaml"
    script.write_text(
        "- status: 429\n- text: Rome is warm today\n  fault: {fault: cut, after_events: 3}\n"
    )
    config = {"endpoints": {"mine": {"replies": script}}}
    with (
        LocalEndpoint(config=config) as local,
        ServingClient(local.host, local.token, max_retries=0) as client,
    ):
        with pytest.raises(RateLimitError):
            client.chat.completions.create(model="mine", **HELLO)
        with (
            pytest.raises(StreamInterruptedError) as caught,
            client.chat.completions.stream(model="mine", **HELLO) as stream,
        ):
            list(stream.text_stream)
    assert caught.value.partial.text == "Rome is"


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        ([], "replies: expected a list of replies"),
        ({"text": "a"}, "replies: expected a list of replies"),
        (["a"], "replies[0]: expected a mapping, got a text"),
        ([{}], "replies[0]: a reply needs text, pieces"),
        ([{"when": {}}], "replies[0]: a reply needs text, pieces"),
        ([{"txt": "a"}], "replies[0].txt: unknown key; did you mean 'text'?"),
        ([{"text": "a", "pieces": ["a"]}], "replies[0]: give one of text and pieces"),
        ([{"tool_call": {}}], "replies[0].tool_call.name: is missing"),
        ([{"text": "a", "body": {}}], "replies[0]: a body is the whole reply"),
        ([{"message": "a", "status": 400, "body": {}}], "replies[0]: a body is the whole reply"),
        ([{"text": "a", "status": 500}], "replies[0].text: an error says nothing but"),
        ([{"message": 7, "status": 400}], "replies[0].message: expected a text, got a number"),
        ([{"message": "a"}], "replies[0].status: an error has a status from 400 on"),
        ([{"text": "a", "times": 0}], "replies[0].times: expected a whole number from 1"),
        ([{"text": "a", "when": {"user": "a"}}], "replies[0].when.user: unknown key; known are"),
        ([{"fault": {"fault": "x"}}], "replies[0].fault.fault: expected one of status"),
    ],
)
def test_scripts_that_make_no_sense_are_refused(tmp_path, replies, words):
    with pytest.raises(ConfigError) as caught:
        read_settings({"endpoints": {"mine": {"replies": replies}}}, tmp_path)
    assert f"endpoints.mine.{words}" in str(caught.value)


@pytest.mark.parametrize(
    ("task", "reply", "words"),
    [
        ("custom", {"text": "a"}, "text: endpoints of the task custom need body instead"),
        ("llm/v1/embeddings", {"pieces": ["a"]}, "pieces: endpoints of the task llm/v1/embeddings"),
        ("llm/v1/completions", {"tool_call": CALL}, "tool_call: endpoints .* call no tools"),
    ],
)
def test_a_task_says_only_what_it_can(tmp_path, task, reply, words):
    settings = {"endpoints": {"mine": {"task": task, "replies": [reply]}}}
    with pytest.raises(ConfigError, match=words):
        read_settings(settings, tmp_path)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"messages": [USER, {"role": "assistant", "content": "x"}]}, "Hello"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {}]}]}, "a"),
        ({"input": ["a", "b"]}, "a b"),
        ({"input": [{"role": "user", "content": [{"text": "a"}]}]}, "a"),
        ({"prompt": "a"}, "a"),
        ({"prompt": ["a", "b"]}, "a b"),
        ({"messages": [{"role": "system", "content": "a"}]}, ""),
        ({"inputs": 7}, ""),
    ],
)
def test_what_the_user_said_last_is_found_in_any_request(request_, said):
    assert last_user_text(json.loads(json.dumps(request_))) == said
