"""What an old client makes of a server that has moved on."""

import pytest

from databricks_serving_api.api.chat import create_chat_completion
from databricks_serving_api.models import (
    ChatRequest,
    OtherMessage,
    OtherPart,
    OtherSummary,
    ReasoningPart,
)


def answer(**message):
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def message_of(payload):
    return create_chat_completion.parse(payload).choices[0].message


def test_a_new_field_is_kept():
    payload = {**answer(content="x"), "carbon": {"grams": 2}}
    reply = create_chat_completion.parse(payload)
    assert reply.extra == {"carbon": {"grams": 2}}
    assert reply.to_dict() == payload


@pytest.mark.parametrize("reason", ["bored", None, 7])
def test_a_new_value_of_an_enum_is_read_as_it_is(reason):
    payload = {"choices": [{"index": 0, "message": {}, "finish_reason": reason}]}
    choice = create_chat_completion.parse(payload).choices[0]
    assert choice.finish_reason == reason
    assert choice.to_dict() == payload["choices"][0]


def test_a_new_part_type_is_kept_beside_known_ones():
    payload = answer(content=[{"type": "text", "text": "a"}, {"type": "hologram", "depth": 3}])
    text, other = message_of(payload).content
    assert text.text == "a"
    assert (type(other), other.type_, other.extra) == (OtherPart, "hologram", {"depth": 3})
    assert create_chat_completion.parse(payload).to_dict() == payload


def test_a_new_kind_of_reasoning_is_kept():
    part = {"type": "reasoning", "summary": [{"type": "summary_dream", "dream": "x"}]}
    (reasoning,) = message_of(answer(content=[part])).content
    assert type(reasoning) is ReasoningPart
    assert type(reasoning.summary[0]) is OtherSummary
    assert reasoning.to_dict() == part


def test_a_new_role_is_kept():
    payload = {"messages": [{"role": "critic", "content": "No.", "mood": "bad"}]}
    request = ChatRequest.from_dict(payload)
    assert type(request.messages[0]) is OtherMessage
    assert request.to_dict() == payload


def test_null_where_a_list_was_is_none():
    payload = answer(content="x", tool_calls=None)
    assert message_of(payload).tool_calls is None
    assert create_chat_completion.parse(payload).to_dict() == payload


def test_a_missing_required_field_is_none():
    payload = {"object": "chat.completion"}
    reply = create_chat_completion.parse(payload)
    assert reply.choices is None
    assert reply.to_dict() == payload


def test_another_object_name_is_read():
    payload = {**answer(content="x"), "object": "chat.completion.v2"}
    assert create_chat_completion.parse(payload).object_ == "chat.completion.v2"


def test_an_object_where_text_was_is_read_as_a_dict():
    assert message_of(answer(content={"city": "Bergen"})).content == {"city": "Bergen"}


def test_an_event_of_an_unknown_shape_is_kept():
    event = {"type": "progress", "percent": 40}
    chunk = create_chat_completion.parse_event(event)
    assert (chunk.choices, chunk.extra) == (None, event)
