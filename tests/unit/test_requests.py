"""What a call sends, and what it refuses before anything is sent."""

import collections
import datetime as dt
import decimal
import enum
import inspect
import json
import uuid

import pytest
import wire

from databricks_serving._core.operations import EMBEDDING
from databricks_serving.errors import InvalidRequestError, ServingError
from databricks_serving.models import (
    AssistantMessage,
    FunctionCall,
    FunctionDefinition,
    ImagePart,
    ImageUrl,
    SystemMessage,
    TextPart,
    Thinking,
    Tool,
    ToolCall,
    UserMessage,
)

CALLS = {
    "chat": (lambda c: c.chat.completions, {"messages": wire.USER}, wire.chat()),
    "completion": (lambda c: c.completions, {"prompt": "Rain is"}, wire.completion()),
    "embedding": (lambda c: c.embeddings, {"input": ["a"]}, wire.embeddings([1.0])),
}


class Half(float):
    """As arrays have them: a number to Python, and nothing to a writer of JSON."""


class Array:
    def tolist(self):
        return [1.0]


class Stop(enum.Enum):
    DOT = "."


class Most(enum.IntEnum):
    FEW = 8


NO_ROLE = 'has no role, such as "user"'
NO_NAMES = ["", " ", "a b", "a/b", ".", "..", "...", "%2e%2e", "a?x=1", "a#b", "a\nb", "a\x00"]
NO_NAMES += ["naïve", "a" * 256, "a\\b", "a:b", "a;b", "a&b", None, 7, b"a", ["a"]]


@pytest.fixture(params=CALLS)
def task(request):
    return CALLS[request.param]


def send(shell, body, /, *, resource="chat", **arguments):
    """Make one call and return the body that was sent."""
    reach, subject, _ = CALLS[resource]
    client = shell.client(wire.json_reply(body))
    shell.wait(reach(client).create(model="m", **(subject | arguments)))
    return shell.transport.bodies[0]


def refused(shell, match, /, *, resource="chat", **arguments):
    """Make one call that must be refused and return the error."""
    reach, subject, body = CALLS[resource]
    client = shell.client(wire.json_reply(body))
    with pytest.raises(InvalidRequestError, match=match) as caught:
        shell.wait(reach(client).create(**({"model": "m"} | subject | arguments)))
    assert shell.transport.requests == []
    assert not caught.value.maybe_executed
    assert not caught.value.retryable
    return caught.value


def test_a_call_is_one_post_to_the_endpoint_with_the_subject_alone(shell, task):
    reach, subject, body = task
    client = shell.client(wire.json_reply(body))
    shell.wait(reach(client).create(model="my_model-1.v2", **subject))
    (request,) = shell.transport.requests
    assert request.method == "POST"
    assert str(request.url) == f"{wire.HOST}/serving-endpoints/my_model-1.v2/invocations"
    assert json.loads(request.content) == subject
    assert request.headers["authorization"] == f"Bearer {wire.TOKEN}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept"] == "application/json"
    assert request.headers["accept-encoding"] == "gzip, deflate"
    assert request.headers["content-length"] == str(len(request.content))


def test_a_stream_asks_for_uncompressed_events(shell):
    client = shell.client(lambda _: wire.stream("[DONE]"))
    for call in (client.chat.completions, client.completions):
        subject = {"messages": wire.USER} if call is client.chat.completions else {"prompt": "a"}
        shell.items(shell.wait(call.create(model="m", stream=True, **subject)))
        request = shell.transport.requests[-1]
        assert json.loads(request.content) == {**subject, "stream": True}
        assert request.headers["accept"] == "text/event-stream"
        assert request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("name", NO_NAMES, ids=repr)
def test_a_name_that_is_no_single_path_segment_is_refused(shell, name):
    refused(shell, "model must be the name of a serving endpoint", model=name)


@pytest.mark.parametrize("name", ["a", "a.b.c", "system.ai.model", "A-_9", "..a", "a" * 255])
def test_a_name_reaches_the_server_as_one_segment(shell, name):
    client = shell.client(wire.json_reply(wire.chat()))
    shell.wait(client.chat.completions.create(model=name, messages=wire.USER))
    path = shell.transport.requests[0].url.raw_path.decode()
    assert path == f"/serving-endpoints/{name}/invocations"


def test_a_path_prefix_of_the_host_is_kept(shell):
    shell.client(wire.json_reply(wire.chat()))
    client = shell.client_class("w.example.com/gate/", "t", transport=shell.transport)
    shell.wait(client.chat.completions.create(model="m", messages=wire.USER))
    assert shell.transport.requests[0].url.path == "/gate/serving-endpoints/m/invocations"


def test_what_is_not_given_or_none_is_not_sent(shell):
    body = send(shell, wire.chat(), temperature=None, tools=None, max_tokens=0, stop=[], n=1)
    assert body == {"messages": wire.USER, "max_tokens": 0, "stop": [], "n": 1}


def test_none_at_a_nested_level_is_sent(shell):
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    messages = [*wire.USER, {"role": "assistant", "content": None, "tool_calls": [call]}]
    assert send(shell, wire.chat(), messages=messages) == {"messages": messages}


def test_extra_body_wins_and_keeps_explicit_nulls(shell):
    extra = {
        "temperature": 0.5,
        "top_p": None,
        "model": "inner",
        "new": {"a": None},
    }
    body = send(shell, wire.chat(), temperature=0.1, extra_body=extra)
    assert body == {"messages": wire.USER, **extra}


def test_extra_body_cannot_turn_the_answer_into_a_stream(shell):
    refused(shell, r"use create\(stream=True\)", extra_body={"stream": True})


@pytest.mark.parametrize(
    ("name", "place"), [("max_retries", "with_options"), ("token", "option of the client")]
)
def test_a_keyword_that_belongs_elsewhere_is_sent_there(shell, name, place):
    refused(shell, place, **{name: 1})


def test_extra_query_is_encoded_into_the_url(shell):
    client = shell.client(wire.json_reply(wire.chat()))
    query = {"a b": "c&d=e", "ü": "\n", "lone": "\ud800"}
    shell.wait(client.chat.completions.create(model="m", messages=wire.USER, extra_query=query))
    assert shell.transport.requests[0].url.query == b"a+b=c%26d%3De&%C3%BC=%0A&lone=%3F"


@pytest.mark.parametrize("value", [7, None, b"x", ["x"]])
def test_a_query_value_that_is_no_text_is_refused(shell, value):
    refused(shell, r"extra_query\['k'\] must be a str", extra_query={"k": value})


@pytest.mark.parametrize("name", ["extra_body", "extra_query", "extra_headers"])
@pytest.mark.parametrize("value", [[("a", "b")], "a=b", 7], ids=repr)
def test_an_option_that_is_no_mapping_is_refused_by_name(shell, name, value):
    refused(shell, f"{name} must be a dict", **{name: value})


def test_an_absurdly_long_url_is_refused(shell):
    client = shell.client(wire.json_reply(wire.chat()))
    query = {"k": "x" * 70_000}
    with pytest.raises(InvalidRequestError, match="valid URL"):
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER, extra_query=query))


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("temprature", "temperature"),
        ("max_token", "max_tokens"),
        ("extra_header", "extra_headers"),
        ("time_out", "timeout"),
    ],
)
def test_a_misspelt_keyword_is_refused_with_the_nearest_name(shell, wrong, near):
    error = refused(shell, f"unknown parameter '{wrong}'; did you mean '{near}'", **{wrong: 1})
    assert "extra_body" in str(error)


def test_a_keyword_unlike_any_other_is_refused_without_a_guess(shell):
    assert "did you mean" not in str(refused(shell, "unknown parameter 'zzz'", zzz=1))


def test_the_keywords_of_another_task_are_unknown(shell):
    refused(shell, "unknown parameter 'messages'", resource="embedding", messages=wire.USER)


@pytest.mark.parametrize(
    "messages",
    [None, [], (), "hi", b"hi", {"role": "user"}, 7, (m for m in wire.USER), {1, 2}],
    ids=lambda v: type(v).__name__,
)
def test_messages_must_be_a_list_with_something_in_it(shell, messages):
    error = refused(shell, "messages must be a list of at least one message", messages=messages)
    kind = "an empty one" if messages in ([], ()) else type(messages).__name__
    assert str(error).endswith(f"not {kind}")


@pytest.mark.parametrize("message", ["hi", None, 7, ["role", "user"], object()])
def test_a_message_of_another_kind_is_refused_by_its_place(shell, message):
    name = type(message).__name__
    refused(shell, rf"messages\[1\] must be .*, not {name}", messages=[*wire.USER, message])


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"content": "canary"}, NO_ROLE),
        ({}, NO_ROLE),
        ({"role": None, "content": "canary"}, NO_ROLE),
        ({"role": 7, "content": "canary"}, "role must be a text, not int"),
        ({"role": "user"}, "has no content"),
        ({"role": "tool", "tool_call_id": "c", "tool_calls": [{}]}, "has no content"),
        ({"role": "system", "content": None}, "has no content"),
        ({"role": "assistant"}, "has neither content nor tool_calls"),
        ({"role": "assistant", "content": None, "tool_calls": []}, "has neither .* tool_calls"),
        ({"role": "user", "content": 7}, "content must be a text or a list of parts, not int"),
        (
            {"role": "user", "content": {"type": "text"}},
            "content must be .* list of parts, not dict",
        ),
        ({"role": "user", "content": b"canary"}, "content must be .* list of parts, not bytes"),
        (
            {"role": "user", "content": TextPart(text="canary")},
            "content must be .* list of parts, not TextPart",
        ),
        ({"role": "user", "content": [{}, "canary"]}, r"content\[1\] must be a dict .*, not str"),
        (UserMessage(content=None), "has no content"),
        (AssistantMessage(content=None), "has neither content nor tool_calls"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_message_that_lacks_something_is_refused_by_its_place(shell, message, fault):
    error = refused(shell, rf"^messages\[1\].{fault}$", messages=[*wire.USER, message])
    assert "canary" not in str(error)


@pytest.mark.parametrize(
    "message",
    [
        {"role": "narrator", "mood": "calm"},
        {"role": "assistant", "content": "", "tool_calls": None},
        {"role": "assistant", "function_call": {"name": "f", "arguments": ""}},
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "user", "content": []},
    ],
    ids=repr,
)
def test_what_the_server_may_know_better_is_sent(shell, message):
    messages = [*wire.USER, message]
    assert send(shell, wire.chat(), messages=messages) == {"messages": messages}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("temperature", "0.5", "a number, not str"),
        ("temperature", True, "a number, not bool"),
        ("temperature", [0.5], "a number, not list"),
        ("max_tokens", 1.5, "a whole number, not float"),
        ("max_tokens", True, "a whole number, not bool"),
        ("max_tokens", "16", "a whole number, not str"),
        ("n", dt.timedelta(1), "a whole number, not timedelta"),
        ("stop", 7, "a text or a list, not int"),
        ("stop", b"x", "a text or a list, not bytes"),
        ("stop", {"x"}, "a text or a list, not set"),
        ("logprobs", 1, "true or false, not int"),
        ("user", 7, "a text, not int"),
        ("user", dt.date(2027, 1, 1), r"a text, not date \(pass its isoformat\(\) instead\)"),
        ("tools", {"type": "function"}, "a list, not dict"),
        ("tools", "tide", "a list, not str"),
        ("logit_bias", [1], "a dict, not list"),
        ("stream_options", True, "a model or a dict, not bool"),
        ("reasoning_effort", 3, "a model or a text, not int"),
        ("thinking", "enabled", "a model or a dict, not str"),
    ],
)
def test_a_parameter_of_another_type_is_refused_with_what_it_takes(shell, name, value, expected):
    refused(shell, f"^{name} must be {expected}$", **{name: value})


@pytest.mark.parametrize(
    "given",
    [
        {"temperature": 1, "top_p": -3.5, "max_tokens": -1, "n": 0, "seed": 2**63},
        {"stop": ["a"] * 100, "user": uuid.UUID(int=0), "logprobs": False},
        {"tools": (), "tool_choice": "auto", "response_format": {"type": "text"}},
        {"thinking": Thinking(type_="enabled"), "stream_options": {"include_usage": True}},
        {"usage_context": collections.UserDict(a="b"), "reasoning_effort": "utmost"},
        {"stop": Stop.DOT, "max_tokens": Most.FEW},
    ],
    ids=repr,
)
def test_the_range_of_a_parameter_is_left_to_the_server(shell, given):
    assert send(shell, wire.chat(), **given).keys() == {"messages", *given}


def test_the_same_name_has_another_type_in_another_task(shell):
    refused(shell, "logprobs must be a whole number", resource="completion", logprobs=True)
    refused(shell, "dimensions must be a whole number", resource="embedding", dimensions=2.0)
    assert send(shell, wire.completion(), resource="completion", logprobs=2)["logprobs"] == 2


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({"input": "a"}, 1),
        ({"input": ["a", "b"]}, 2),
        ({"input": ("a",)}, 1),
        ({"input": [1, 2, 3]}, None),
        ({"input": [[1], [2]]}, None),
        ({"input": 7}, None),
        ({}, None),
    ],
    ids=repr,
)
def test_the_texts_to_embed_are_counted_where_they_are_texts(body, count):
    assert EMBEDDING.count_parts(body) == count


@pytest.mark.parametrize("subject", [None, [], [7], ["a", None], 7, {"a": "b"}, b"a"], ids=repr)
@pytest.mark.parametrize("resource", ["completion", "embedding"])
def test_prompts_and_inputs_must_be_texts(shell, resource, subject):
    name = {"completion": "prompt", "embedding": "input"}[resource]
    refused(shell, f"{name} must be a str or a list", resource=resource, **{name: subject})


def test_a_text_among_others_that_is_none_is_named_by_its_place(shell):
    refused(shell, r"; input\[1\] is NoneType$", resource="embedding", input=["a", None])


@pytest.mark.parametrize("texts", ["", "a", ["a"], ("a", "b")])
def test_one_text_or_several_are_sent_as_given(shell, texts):
    vectors = [[1.0]] * (1 if isinstance(texts, str) else len(texts))
    sent = send(shell, wire.embeddings(*vectors), resource="embedding", input=texts)
    assert sent == {"input": list(texts) if isinstance(texts, tuple) else texts}


def test_messages_may_be_models_and_dicts_mixed_at_any_level(shell):
    call = ToolCall(id="c", type_="function", function=FunctionCall(name="tide", arguments=""))
    messages = (
        SystemMessage(content="Be brief."),
        {"role": "user", "content": [TextPart(text="What?"), {"type": "text", "text": "And?"}]},
        UserMessage(content=[ImagePart(image_url=ImageUrl(url="data:,"))]),
        AssistantMessage(tool_calls=[call]),
        collections.UserDict(role="user", content="x"),
    )
    tool = Tool(function=FunctionDefinition(name="tide", parameters={"type": "object"}))
    sent = send(shell, wire.chat(), messages=messages, tools=[tool, tool.to_dict()])
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "What?"}, {"type": "text", "text": "And?"}],
        },
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]},
        {"role": "assistant", "tool_calls": [call.to_dict()]},
        {"role": "user", "content": "x"},
    ]
    assert sent["tools"] == [tool.to_dict()] * 2


def test_what_is_sent_is_what_was_given_even_if_changed_during_retries(shell):
    messages = [{"role": "user", "content": "first"}]

    def answer(_):
        messages[0]["content"] = "changed"
        busy = len(shell.transport.requests) < 3
        return wire.json_reply({}, status=503) if busy else wire.json_reply(wire.chat())

    client = shell.client(answer)
    shell.wait(client.chat.completions.create(model="m", messages=messages))
    assert [body["messages"][0]["content"] for body in shell.transport.bodies] == ["first"] * 3


@pytest.mark.parametrize(
    "value",
    [
        dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
        dt.date(2027, 1, 1),
        {1, 2},
        b"canary",
        decimal.Decimal("0.5"),
        object(),
        complex(1, 2),
        Half(0.5),
    ],
    ids=lambda v: type(v).__name__,
)
def test_a_value_that_is_not_json_is_named_by_place_and_kind(shell, value):
    messages = [*wire.USER, {"role": "user", "content": [{"type": "text", "text": value}]}]
    kind = type(value).__name__
    place = r"messages\[1\]\.content\[0\]\.text"
    error = refused(shell, rf"{place} is of type {kind}", messages=messages)
    assert "canary" not in str(error)
    assert error.__cause__ is None


def test_what_an_array_can_be_sent_as_is_said(shell):
    refused(
        shell,
        r"^the request .*: custom_inputs\.a is of type Array \(pass its tolist\(\) instead\)$",
        custom_inputs={"a": Array()},
    )
    refused(
        shell, r"^temperature must be a number, not Array \(pass its tolist", temperature=Array()
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_lacks_is_refused_instead_of_sent_as_null(shell, number):
    refused(shell, "temperature is not a finite number", temperature=number)


def test_an_integer_beyond_64_bits_is_refused(shell):
    refused(shell, "seed is an integer of more than 64 bits", seed=2**70)


def test_a_key_that_is_no_text_is_refused(shell):
    refused(shell, "custom_inputs has a key of type int", custom_inputs={1: "a"})
    refused(shell, "the body has a key of type int", extra_body={1: "a"})


def test_a_value_that_contains_itself_is_refused(shell):
    loop = {}
    loop["again"] = loop
    refused(shell, r"loop\.again\.again.*or contains itself", extra_body={"loop": loop})
    deep = []
    for _ in range(300):
        deep = [deep]
    refused(shell, "nested deeper than 254", extra_body={"deep": deep})


def test_any_text_can_be_sent(shell):
    text = "lone \ud800, NUL \x00, e\u0301 and \u2028, null"
    assert send(shell, wire.chat(), messages=[{"role": "user", "content": text}]) == {
        "messages": [{"role": "user", "content": text}]
    }


def test_a_stream_with_events_checks_and_sends_on_entry(shell):
    client = shell.client(lambda _: wire.stream("[DONE]"))
    stream = client.chat.completions.stream(model="m", messages=[])
    assert shell.transport.requests == []
    with pytest.raises(InvalidRequestError), shell.opened(stream):
        pass
    with shell.opened(client.chat.completions.stream(model="m", messages=wire.USER)):
        assert shell.transport.bodies == [{"messages": wire.USER, "stream": True}]


def test_signatures_spell_out_every_keyword(shell):
    client = shell.client()
    for method in (client.chat.completions.create, client.chat.completions.stream):
        parameters = inspect.signature(method).parameters
        assert {"model", "messages", "temperature", "tools", "extra_body", "timeout"} <= set(
            parameters
        )
        assert parameters["messages"].default is inspect.Parameter.empty
        assert parameters["temperature"].default is None
        assert all(p.kind is p.KEYWORD_ONLY for p in parameters.values())
    assert "prompt" in inspect.signature(client.completions.create).parameters
    assert "input" in inspect.signature(client.embeddings.create).parameters


def test_a_refused_request_is_a_value_error_and_one_of_ours():
    assert issubclass(InvalidRequestError, ValueError)
    assert issubclass(InvalidRequestError, ServingError)


def test_a_reply_among_the_messages_is_told_what_to_send_instead(shell):
    client = shell.client(wire.json_reply(wire.chat()))
    reply = shell.wait(client.chat.completions.create(model="m", messages=wire.USER))
    refused(shell, r"messages\[1\] is a reply.*to_request_message", messages=[*wire.USER, reply])
