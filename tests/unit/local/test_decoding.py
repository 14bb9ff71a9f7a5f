import json

import pytest

from databricks_serving.local.decoding import decode, decode_json
from databricks_serving.local.errors import RefusedError
from databricks_serving.local.tasks import Task

USER = {"role": "user", "content": "hello"}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
ASSISTANT = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "found"}
JSON_SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}


def parts(*content):
    return {"messages": [{"role": "user", "content": list(content)}]}


def chat(**fields):
    return {"messages": [USER], **fields}


def read(task, body, content_type="application/json"):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode(task, decode_json(content, content_type))


def refusal(task, body, content_type="application/json"):
    with pytest.raises(RefusedError) as caught:
        read(task, body, content_type)
    assert caught.value.error_code == "BAD_REQUEST"
    return caught.value


def message(task, body):
    refused = refusal(task, body)
    assert refused.status == 400
    return refused.message.removeprefix("Bad request: ")


EVERY_CHAT_FIELD = {
    "messages": [
        {"role": "system", "content": "be brief", "name": "boss"},
        {"role": "developer", "content": "be kind"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "data:,", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
                {"type": "audio_url", "audio_url": {"url": "https://example.com/a"}},
                {"type": "video_url", "video_url": {"url": "https://example.com/v"}},
                {"type": "file", "file": {"file_id": "f"}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {
                    "type": "reasoning",
                    "summary": [
                        {"type": "summary_text", "text": "hm", "signature": "s"},
                        {"type": "summary_encrypted_text", "data": "d"},
                    ],
                }
            ],
            "tool_calls": [CALL | {"thought_signature": "t", "index": 0}],
            "refusal": None,
            "reasoning_content": "hm",
        },
        RESULT,
    ],
    "model": "m",
    "max_tokens": 1,
    "max_completion_tokens": 1,
    "temperature": 2,
    "top_p": 0.5,
    "top_k": 1,
    "n": 5,
    "stop": ["a"],
    "stream": False,
    "stream_options": {"include_usage": True},
    "tools": [TOOL],
    "tool_choice": {"type": "function", "function": {"name": "look_up"}},
    "parallel_tool_calls": True,
    "response_format": JSON_SCHEMA,
    "logprobs": True,
    "top_logprobs": 20,
    "logit_bias": {"1": -100},
    "reasoning_effort": "any word",
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low"},
    "google_search": {},
    "service_tier": "priority",
    "frequency_penalty": -2,
    "presence_penalty": 2.0,
    "seed": -7,
    "user": "u",
    "usage_context": {"team": "a"},
    "client_request_id": "1",
    "extra_params": {"a": {"b": 1}},
}
EVERY_COMPLETION_FIELD = {
    "prompt": ["a", "b"],
    "model": "m",
    "max_tokens": 1,
    "temperature": 0,
    "top_p": 1,
    "top_k": 5,
    "n": 1,
    "stop": "a",
    "suffix": "",
    "echo": True,
    "stream": True,
    "stream_options": {},
    "user": "u",
    "error_behavior": "truncate",
    "use_raw_prompt": True,
    "best_of": 1,
    "logprobs": 5,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "seed": 1,
    "usage_context": {},
    "client_request_id": "1",
    "extra_params": {},
}
EVERY_EMBEDDING_FIELD = {
    "input": "a",
    "model": "m",
    "instruction": "Represent this:",
    "dimensions": 1024,
    "encoding_format": "base64",
    "user": "u",
    "usage_context": {},
    "client_request_id": "1",
    "extra_params": {},
}


@pytest.mark.parametrize(
    ("task", "request_body"),
    [
        (Task.CHAT, EVERY_CHAT_FIELD),
        (Task.COMPLETION, EVERY_COMPLETION_FIELD),
        (Task.EMBEDDING, EVERY_EMBEDDING_FIELD),
    ],
    ids=["chat", "completions", "embeddings"],
)
def test_every_documented_field_is_known(task, request_body):
    assert read(task, request_body) == request_body


def test_a_known_field_that_is_null_counts_as_absent():
    body = chat(max_tokens=None, tools=None)
    assert read(Task.CHAT, body, "application/json; charset=utf-8") == chat()


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (chat(seedz=1), "seedz"),
        (chat(seedz=None), "seedz"),
        (chat(databricks_options={"return_trace": True}), "databricks_options"),
        ({"messages": [USER | {"_cached": True}]}, "_cached"),
        ({"messages": [USER | {"audio": None}]}, "audio"),
        (chat(tools=[TOOL | {"weight": 1}]), "weight"),
        (chat(tools=[{"type": "function", "function": {"name": "a", "extra": 1}}]), "extra"),
        ({"messages": [ASSISTANT | {"tool_calls": [CALL | {"kind": "x"}]}]}, "kind"),
        (parts({"type": "text", "text": "a", "annotations": []}), "annotations"),
        (chat(stream_options={"usage": True}), "usage"),
        (chat(response_format={"type": "text", "schema": {}}), "schema"),
        (chat(tools=[TOOL], tool_choice={"type": "function", "function": {"a": 1}}), "a"),
    ],
)
def test_an_unknown_key_at_any_level_is_named(body, key):
    assert message(Task.CHAT, body) == f'json: unknown field "{key}"'


@pytest.mark.parametrize(
    ("task", "body"),
    [
        (Task.COMPLETION, {"prompt": "a", "messages": []}),
        (Task.EMBEDDING, {"input": "a", "messages": []}),
    ],
)
def test_the_keys_of_another_task_are_unknown(task, body):
    assert message(task, body) == 'json: unknown field "messages"'


@pytest.mark.parametrize(
    ("task", "body", "expected"),
    [
        (Task.CHAT, {}, '"messages" is a required property'),
        (Task.CHAT, {"messages": None}, '"messages" is a required property'),
        (Task.CHAT, {"messages": []}, '"messages" must not be empty'),
        (Task.COMPLETION, {}, '"prompt" is a required property'),
        (Task.COMPLETION, {"prompt": []}, '"prompt" must not be empty'),
        (Task.EMBEDDING, {}, '"input" is a required property'),
        (Task.EMBEDDING, {"input": []}, '"input" must not be empty'),
        (Task.EMBEDDING, {"input": ["a"] * 151}, '"input" must have at most 150 items, got 151'),
        (Task.CHAT, chat(tools=[TOOL] * 33), '"tools" must have at most 32 items, got 33'),
        (
            Task.CHAT,
            {"messages": [{"role": "user"}]},
            '"content" is a required property for "messages[0]"',
        ),
        (
            Task.CHAT,
            {"messages": [{"content": "a"}]},
            '"role" is a required property for "messages[0]"',
        ),
        (
            Task.CHAT,
            {"messages": [{"role": "robot", "content": "a"}]},
            '"messages[0].role" must be one of: system, developer, user, assistant, tool',
        ),
        (
            Task.CHAT,
            chat(tools=[{"type": "function"}]),
            '"function" is a required property for "tools[0]"',
        ),
        (
            Task.CHAT,
            chat(response_format={"type": "json_schema"}),
            '"json_schema" is a required property for "response_format"',
        ),
    ],
)
def test_what_is_missing_or_empty_is_named(task, body, expected):
    assert message(task, body) == expected


@pytest.mark.parametrize(
    ("body", "found", "path", "expected"),
    [
        (chat(max_tokens="1"), "string", "max_tokens", "int"),
        (chat(max_tokens=1.0), "number", "max_tokens", "int"),
        (chat(max_tokens=True), "bool", "max_tokens", "int"),
        (chat(temperature=True), "bool", "temperature", "float"),
        (chat(temperature="hot"), "string", "temperature", "float"),
        (chat(stream=1), "number", "stream", "bool"),
        (chat(stop=1), "number", "stop", "array"),
        (chat(stop=["a", None]), "null", "stop[1]", "string"),
        (chat(thinking="enabled"), "string", "thinking", "object"),
        (chat(usage_context={"a": 1}), "number", "usage_context.a", "string"),
        (chat(usage_context=[]), "array", "usage_context", "object"),
        (chat(google_search=[]), "array", "google_search", "object"),
        (chat(tool_choice=1), "number", "tool_choice", "object"),
        (chat(response_format="json"), "string", "response_format", "object"),
        ({"messages": "hello"}, "string", "messages", "array"),
        ({"messages": ["hello"]}, "string", "messages[0]", "object"),
        ({"messages": [{"role": 1}]}, "number", "messages[0].role", "string"),
        ({"messages": [USER | {"content": {}}]}, "object", "messages[0].content", "array"),
    ],
)
def test_a_wrong_type_is_named(body, found, path, expected):
    assert message(Task.CHAT, body) == (
        f'json: cannot unmarshal {found} into field "{path}" of type {expected}'
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (chat(max_tokens=0), '"max_tokens" must be at least 1, got 0'),
        (chat(n=6), '"n" must be at most 5, got 6'),
        (chat(temperature=2.5), '"temperature" must be at most 2, got 2.5'),
        (chat(presence_penalty=-3), '"presence_penalty" must be at least -2, got -3'),
        (
            chat(thinking={"type": "enabled", "budget_tokens": 1}),
            '"thinking.budget_tokens" must be at least 1024, got 1',
        ),
        (
            chat(tools=[{"type": "function", "function": {"name": "look up"}}]),
            '"tools[0].function.name" must match [A-Za-z0-9_-]{1,64}',
        ),
        (
            chat(tools=[{"type": "mcp", "function": {"name": "a"}}]),
            '"tools[0].type" must be one of: function',
        ),
        (
            parts({"type": "picture"}),
            (
                '"messages[0].content[0].type" must be one of: text, image_url, input_audio, '
                "audio_url, video_url, file, reasoning"
            ),
        ),
        (chat(top_logprobs=1), '"top_logprobs" requires "logprobs"'),
        (chat(tool_choice="auto"), '"tool_choice" requires "tools"'),
        (
            chat(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "other"}}),
            '"tool_choice" names a function that is not in "tools"',
        ),
        (
            chat(tools=[TOOL], tool_choice="any"),
            '"tool_choice" must be one of: none, auto, required',
        ),
        (
            {"messages": [USER, {"role": "system", "content": "late"}]},
            "only the first message may have the role system",
        ),
        (
            {"messages": [USER, {"role": "assistant", "content": ""}]},
            '"messages[1]" must have content or tool_calls',
        ),
        (
            {"messages": [USER, RESULT]},
            "a tool message must follow an assistant message with tool_calls",
        ),
        (
            {"messages": [USER, ASSISTANT, RESULT | {"tool_call_id": "c2"}]},
            '"messages[2].tool_call_id" answers no tool call',
        ),
    ],
)
def test_what_a_model_would_refuse_is_refused(body, expected):
    assert message(Task.CHAT, body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "json: Expecting value at offset 0"),
        (b"{", "json: Expecting property name enclosed in double quotes at offset 1"),
        (b'{"input": "\xff"}', "json: the body is not UTF-8"),
        ('{"input": "a"}'.encode("utf-16"), "json: the body is not UTF-8"),
        (b'{"input": NaN}', "json: NaN is not JSON"),
        (b'{"input": 1e999}', "json: a number is out of range"),
        (b'{"dimensions": ' + b"1" * 5000 + b"}", "json: a number has too many digits"),
        (b"[" * 100_000, "json: exceeded max depth"),
        (b'"hello"', "json: the request must be an object"),
    ],
)
def test_what_is_not_a_json_object_is_refused(body, expected):
    assert message(Task.EMBEDDING, body) == expected


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/jsonl"])
def test_another_content_type_is_not_supported(content_type):
    refused = refusal(Task.CHAT, chat(), content_type)
    assert refused.status == 415
    assert "application/json" in refused.message


def test_no_message_repeats_a_prompt():
    secret = "my private words"
    for body in (
        {"messages": secret},
        {"messages": [{"role": secret, "content": secret}]},
        {"messages": [{"role": "user", "content": [{"type": secret}]}]},
        chat(stream=secret),
        chat(tools=[TOOL], tool_choice=secret),
    ):
        assert secret not in message(Task.CHAT, body)


def test_refusals_reach_the_caller_over_http(call):
    answer = call("local-chat", chat(seedz=None))
    assert answer.status == 400
    assert answer.json == {
        "error_code": "BAD_REQUEST",
        "message": 'Bad request: json: unknown field "seedz"',
    }
    assert call("local-chat", chat(), headers={"Content-Type": "text/plain"}).status == 415
    assert call("local-chat", b"{").status == 400
