import json
import math

import pytest

USER = {"role": "user", "content": "Hello big world"}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}


def tool(name):
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA}}


@pytest.fixture
def chat(call):
    def ask(**fields):
        answer = call("local-chat", {"messages": [USER], **fields})
        assert answer.status == 200, answer.body
        return answer.events if fields.get("stream") else answer.json

    return ask


def only(reply):
    (choice,) = reply["choices"]
    return choice


def texts(events):
    """The text of each choice, put together from its pieces."""
    whole = {}
    for event in events:
        for choice in event["choices"]:
            piece = choice["delta"].get("content") or ""
            whole[choice["index"]] = whole.get(choice["index"], "") + piece
    return whole


def test_the_answer_repeats_the_last_user_message(call):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "fine"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "second"},
                {"type": "image_url", "image_url": {"url": "data:,"}},
                {"type": "text", "text": "part"},
            ],
        },
        {"role": "assistant", "content": "fine"},
    ]
    reply = call("local-chat", {"messages": messages}).json
    assert only(reply)["message"] == {"role": "assistant", "content": "You said: second part"}
    assert reply["usage"] == {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11}


def test_a_conversation_without_a_user_gets_the_opening_alone(call):
    reply = call("local-chat", {"messages": [{"role": "system", "content": "Be brief."}]}).json
    assert only(reply)["message"]["content"] == "You said: "


def test_a_reply_has_the_shape_of_a_chat_completion(chat):
    reply = chat()
    assert reply["id"].startswith("chatcmpl_")
    assert reply["object"] == "chat.completion"
    assert reply["model"] == "deterministic-echo"
    assert isinstance(reply["created"], int)
    assert only(reply) == {
        "index": 0,
        "message": {"role": "assistant", "content": "You said: Hello big world"},
        "finish_reason": "stop",
        "logprobs": None,
    }


def test_the_same_request_gets_the_same_answer_and_another_id(chat):
    first, second = chat(seed=1), chat(seed=1)
    assert first["choices"] == second["choices"]
    assert first["id"] != second["id"]


def test_seed_and_choice_number_pick_the_opening(chat):
    contents = [choice["message"]["content"] for choice in chat(n=3)["choices"]]
    assert len(set(contents)) == 3
    assert only(chat(seed=1))["message"]["content"] == contents[1]


@pytest.mark.parametrize("key", ["max_tokens", "max_completion_tokens"])
def test_an_answer_cut_at_the_most_tokens_finishes_with_length(chat, key):
    choice = only(chat(**{key: 3}))
    assert choice["message"]["content"] == "You said: Hello"
    assert choice["finish_reason"] == "length"
    assert only(chat(**{key: 5}))["finish_reason"] == "stop"


@pytest.mark.parametrize("stop", [" big", [" world", "", " big"]])
def test_an_answer_ends_before_the_first_stop_text(chat, stop):
    choice = only(chat(stop=stop))
    assert choice["message"]["content"] == "You said: Hello"
    assert choice["finish_reason"] == "stop"


def test_a_required_tool_call_has_arguments_after_its_schema(chat):
    choice = only(chat(tools=[tool("first"), tool("second")], tool_choice="required"))
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    (call,) = choice["message"]["tool_calls"]
    assert call["id"].startswith("call_")
    assert call["type"] == "function"
    assert call["function"]["name"] == "first"
    assert json.loads(call["function"]["arguments"]) == {"city": "city", "days": 1}


def test_a_named_tool_is_the_one_that_is_called(chat):
    choice = {"type": "function", "function": {"name": "second"}}
    bare = {"type": "function", "function": {"name": "second"}}
    message = only(chat(tools=[tool("first"), bare], tool_choice=choice))["message"]
    assert message["tool_calls"][0]["function"] == {"name": "second", "arguments": "{}"}


@pytest.mark.parametrize("choice", ["auto", "none", None])
def test_tools_that_need_not_be_called_are_not(chat, choice):
    message = only(chat(tools=[tool("first")], tool_choice=choice))["message"]
    assert message == {"role": "assistant", "content": "You said: Hello big world"}


def test_a_json_schema_gets_json_of_its_shape(chat):
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
    content = only(chat(response_format=wanted))["message"]["content"]
    assert json.loads(content) == {"city": "city", "days": 1}


def test_a_json_object_holds_the_message(chat):
    content = only(chat(response_format={"type": "json_object"}))["message"]["content"]
    assert json.loads(content) == {"echo": "Hello big world"}
    plain = only(chat(response_format={"type": "text"}))["message"]["content"]
    assert plain == "You said: Hello big world"


def test_log_probabilities_cover_the_answer(chat):
    reply = chat(logprobs=True, top_logprobs=2)
    entries = only(reply)["logprobs"]["content"]
    assert "".join(entry["token"] for entry in entries) == "You said: Hello big world"
    for entry in entries:
        assert bytes(entry["bytes"]).decode() == entry["token"]
        assert -1 < entry["logprob"] <= 0
        best, other = entry["top_logprobs"]
        assert best["token"] == entry["token"]
        assert other["logprob"] < best["logprob"]
    assert only(chat(logprobs=True))["logprobs"]["content"][0]["top_logprobs"] == []


def test_a_stream_says_what_the_whole_answer_says(chat):
    fields = {"n": 3, "max_tokens": 4, "seed": 2}
    whole = {choice["index"]: choice["message"]["content"] for choice in chat(**fields)["choices"]}
    assert texts(chat(**fields, stream=True)) == whole


def test_a_stream_names_the_role_first_and_the_finish_last(chat):
    events = chat(stream=True)
    choices = [only(event) for event in events]
    assert choices[0]["delta"] == {"role": "assistant", "content": ""}
    assert all("role" not in choice["delta"] for choice in choices[1:])
    assert [choice["finish_reason"] for choice in choices] == [None] * 6 + ["stop"]
    assert {event["object"] for event in events} == {"chat.completion.chunk"}
    assert len({event["id"] for event in events}) == 1


def test_usage_grows_from_chunk_to_chunk(chat):
    usages = [event["usage"] for event in chat(stream=True)]
    assert [usage["completion_tokens"] for usage in usages] == [0, 1, 2, 3, 4, 5, 5]
    assert {usage["prompt_tokens"] for usage in usages} == {3}
    assert usages[-1] == chat()["usage"]


def test_include_usage_adds_a_last_event_without_choices(chat):
    last = chat(stream=True, stream_options={"include_usage": True})[-1]
    assert last["choices"] == []
    assert last["usage"] == chat()["usage"]


def test_the_choices_of_a_stream_take_turns(chat):
    order = [only(event)["index"] for event in chat(stream=True, n=2)]
    assert order == [0, 1] * 7


def test_a_tool_call_streams_its_arguments_in_pieces(chat):
    events = chat(stream=True, tools=[tool("first")], tool_choice="required")
    choices = [only(event) for event in events]
    (opening,) = choices[0]["delta"]["tool_calls"]
    assert opening["function"] == {"name": "first", "arguments": ""}
    assert opening["index"] == 0
    pieces = [choice["delta"]["tool_calls"][0] for choice in choices[1:-1]]
    assert len(pieces) > 1
    arguments = "".join(piece["function"]["arguments"] for piece in pieces)
    assert json.loads(arguments) == {"city": "city", "days": 1}
    assert choices[-1]["delta"] == {}
    assert choices[-1]["finish_reason"] == "tool_calls"
    assert events[-1]["usage"]["completion_tokens"] == len(pieces)


def test_a_stream_carries_log_probabilities_with_its_tokens(chat):
    choices = [only(event) for event in chat(stream=True, logprobs=True)]
    assert choices[0]["logprobs"] is None
    assert choices[1]["logprobs"]["content"][0]["token"] == "You"
    assert choices[-1]["logprobs"] is None


def test_an_answer_has_a_greatest_length(call):
    reply = call("local-chat", {"messages": [{"role": "user", "content": "a " * 5000}]}).json
    assert reply["usage"]["completion_tokens"] == 4096
    assert only(reply)["finish_reason"] == "length"


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_longer_than_the_context_is_refused(call, stream):
    body = {"messages": [{"role": "user", "content": "a " * 40_000}], "stream": stream}
    answer = call("local-chat", body)
    assert answer.status == 400
    assert "more than the maximum of 32768" in answer.json["message"]


def test_text_that_utf_8_cannot_hold_comes_back_as_it_went(call):
    body = rb'{"messages": [{"role": "user", "content": "\ud800 \u2028 \u0000"}], "logprobs": true}'
    answer = call("local-chat", body)
    assert only(answer.json)["message"]["content"] == "You said: \ud800 \u2028 \0"
    assert math.isfinite(only(answer.json)["logprobs"]["content"][2]["logprob"])


def test_a_schema_that_cannot_be_met_is_refused_before_a_stream_begins(call):
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"pattern": "a+"}}}
    body = {"messages": [USER], "response_format": wanted, "stream": True}
    answer = call("local-chat", body)
    assert answer.status == 400
    assert answer.json["message"] == (
        'Bad request: Invalid JSON schema - the "pattern" keyword is not supported'
    )
