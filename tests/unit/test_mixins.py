"""Conveniences of replies, over every form that model families send."""

import base64
import struct

import pytest
import wire

from databricks_serving.models import (
    ChatCompletion,
    ChatCompletionChunk,
    Completion,
    CompletionChunk,
    EmbeddingResponse,
    PredictionResponse,
    Usage,
)


def text(value, **extra):
    return {"type": "text", "text": value, **extra}


def thought(*values):
    return {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": value} for value in values],
    }


def chat(content=None, **message):
    return ChatCompletion.from_dict(wire.chat(content, **message))


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
HIDDEN = {"type": "reasoning", "summary": [{"type": "summary_encrypted_text", "data": "x"}]}
SIGNED = {
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "a", "signature": "s"}],
}


@pytest.mark.parametrize(
    ("message", "said", "thought_of"),
    [
        ({"content": None}, "", ""),
        ({"content": ""}, "", ""),
        ({"content": "Hi"}, "Hi", ""),
        ({"content": []}, "", ""),
        ({"content": [text("a"), text("b")]}, "ab", ""),
        ({"content": [thought("a", "b"), text("c")]}, "c", "ab"),
        ({"content": [thought("a"), HIDDEN, thought("b")]}, "", "ab"),
        ({"content": [HIDDEN, text("c")]}, "c", ""),
        ({"content": [{"type": "reasoning"}, {"type": "image"}, text("c")]}, "c", ""),
        ({"content": {"city": "Zürich"}}, '{"city": "Zürich"}', ""),
        ({"content": "Hi", "reasoning_content": "hm"}, "Hi", "hm"),
        ({"content": "Hi", "reasoning": "hm"}, "Hi", "hm"),
        ({"content": "Hi", "reasoning": {"effort": "low"}}, "Hi", ""),
        ({"content": [thought("a"), text("b")], "reasoning_content": "hm"}, "b", "a"),
        ({"content": None, "refusal": "no"}, "", ""),
    ],
)
def test_text_and_reasoning_are_found_in_every_form(message, said, thought_of):
    reply = chat(**message)
    assert (reply.text, reply.reasoning) == (said, thought_of)
    assert (reply.message.text, reply.message.reasoning_text) == (said, thought_of)
    if not isinstance(message["content"], dict):
        piece = ChatCompletionChunk.from_dict(wire.chunk(**message))
        assert (piece.text, piece.delta.reasoning_text) == (said, thought_of)


def test_a_reply_without_choices_has_empty_conveniences():
    reply = ChatCompletion.from_dict({"choices": []})
    assert (reply.text, reply.reasoning, reply.tool_calls, reply.message) == ("", "", [], None)
    assert reply.finish_reason is None
    denied = {"choices": [], "databricks_service_policy": {"action": "deny"}}
    assert ChatCompletion.from_dict(denied).finish_reason == "content_filter"
    with pytest.raises(ValueError, match="no choice"):
        reply.to_request_message()
    completion = Completion.from_dict({"choices": []})
    assert (completion.text, completion.finish_reason) == ("", None)
    piece = ChatCompletionChunk.from_dict({"choices": []})
    assert (piece.text, piece.delta) == ("", None)
    assert CompletionChunk.from_dict({"choices": []}).text == ""


def test_conveniences_are_those_of_the_first_choice():
    body = wire.chat("first", tool_calls=[CALL])
    body["choices"].append(wire.chat("second")["choices"][0])
    reply = ChatCompletion.from_dict(body)
    assert reply.text == "first"
    assert [call.function.name for call in reply.tool_calls] == ["f"]
    assert chat("Hi", tool_calls=None).tool_calls == []
    assert Completion.from_dict(wire.completion(" a", "length")).finish_reason == "length"


def test_a_chunk_of_another_choice_has_no_text_of_the_first():
    assert ChatCompletionChunk.from_dict(wire.chunk("b", index=1)).text == ""
    assert CompletionChunk.from_dict(wire.text_chunk("b", index=1)).text == ""
    assert CompletionChunk.from_dict(wire.text_chunk("a")).text == "a"


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        ({"content": "Hi"}, {"content": "Hi"}),
        ({"content": None}, {"content": ""}),
        ({"content": "", "refusal": "no"}, {"content": "no"}),
        ({"content": {"a": 1}}, {"content": '{"a": 1}'}),
        ({"content": [text("a", citations=[1], new=2)]}, {"content": [text("a")]}),
        ({"content": [SIGNED, text(""), text("b")]}, {"content": [SIGNED, text("b")]}),
        ({"content": [HIDDEN]}, {"content": [HIDDEN]}),
        (
            {"content": [{"type": "image", "url": "u"}]},
            {"content": [{"type": "image", "url": "u"}]},
        ),
        ({"content": "Hi", "annotations": [], "mood": "calm"}, {"content": "Hi"}),
        ({"content": None, "tool_calls": [CALL]}, {"tool_calls": [CALL]}),
        ({"content": "", "tool_calls": [CALL]}, {"tool_calls": [CALL]}),
        ({"content": "Hi", "tool_calls": [CALL]}, {"content": "Hi", "tool_calls": [CALL]}),
        ({"content": [text("")], "tool_calls": [CALL]}, {"tool_calls": [CALL]}),
        ({"content": "Hi", "tool_calls": []}, {"content": "Hi"}),
        (
            {"content": None, "tool_calls": [{**CALL, "index": 3, "new": 1}]},
            {"tool_calls": [CALL]},
        ),
        (
            {
                "content": None,
                "tool_calls": [
                    {
                        "id": "c",
                        "function": {"name": "f", "arguments": ""},
                        "thought_signature": "s",
                        "extra_content": {"google": 1},
                    }
                ],
            },
            {
                "tool_calls": [
                    {
                        "id": "c",
                        "type": "function",
                        "function": {"name": "f", "arguments": "{}"},
                        "thought_signature": "s",
                        "extra_content": {"google": 1},
                    }
                ]
            },
        ),
    ],
)
def test_an_answer_goes_back_in_the_form_that_endpoints_take(message, sent):
    assert chat(**message).to_request_message() == {"role": "assistant", **sent}


def test_reasoning_beside_the_content_goes_back_on_request():
    message = chat("Hi", reasoning_content="hm").message
    assert message.to_request_message() == {"role": "assistant", "content": "Hi"}
    assert message.to_request_message(include_reasoning_content=True) == {
        "role": "assistant",
        "content": "Hi",
        "reasoning_content": "hm",
    }
    assert "reasoning_content" not in chat("Hi").message.to_request_message(
        include_reasoning_content=True
    )


def test_an_answer_can_be_sent_back_as_it_stands(shell):
    reply = chat([SIGNED, text("b", citations=[{}])], tool_calls=[CALL])
    client = shell.client(wire.json_reply(wire.chat()))
    messages = [*wire.USER, reply.to_request_message()]
    shell.wait(client.chat.completions.create(model="m", messages=messages))
    assert shell.transport.bodies[0]["messages"][1] == {
        "role": "assistant",
        "content": [SIGNED, text("b")],
        "tool_calls": [CALL],
    }


def packed(*numbers):
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def test_vectors_are_numbers_in_the_order_of_the_request():
    data = [
        {"index": 2, "embedding": packed(0.5, -0.25)},
        {"index": 0, "embedding": [1.0, 2]},
        {"index": 1, "embedding": packed()},
    ]
    reply = EmbeddingResponse.from_dict({"data": data})
    assert reply.vectors == [[1.0, 2], [], [0.5, -0.25]]
    assert [item.index for item in reply.data] == [2, 0, 1]
    assert EmbeddingResponse.from_dict({"data": []}).vectors == []


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ({"predictions": ["a", "b"]}, "ab"),
        ({"predictions": "a"}, "a"),
        ({"predictions": [{"a": 1}]}, '[{"a": 1}]'),
        ({"outputs": ["é", 1]}, '["é", 1]'),
        ({"predictions": []}, ""),
    ],
)
def test_predictions_are_read_as_text(reply, text):
    assert PredictionResponse.from_dict(reply).text == text


def test_vectors_of_one_index_keep_their_order():
    data = [{"index": 0, "embedding": [float(n)]} for n in range(3)]
    assert EmbeddingResponse.from_dict({"data": data}).vectors == [[0.0], [1.0], [2.0]]


@pytest.mark.parametrize(
    ("usage", "cached", "thinking"),
    [
        ({}, 0, 0),
        ({"prompt_tokens_details": None, "completion_tokens_details": None}, 0, 0),
        ({"prompt_tokens_details": {"cached_tokens": 3}}, 3, 0),
        ({"prompt_tokens_details": {"cached_tokens": None}, "cache_read_input_tokens": 4}, 4, 0),
        ({"prompt_tokens_details": {"cached_tokens": 0}, "cache_read_input_tokens": 4}, 4, 0),
        ({"completion_tokens_details": {"reasoning_tokens": 5}, "reasoning_tokens": 6}, 0, 5),
        ({"completion_tokens_details": {}, "reasoning_tokens": 6}, 0, 6),
    ],
)
def test_usage_is_counted_wherever_it_stands(usage, cached, thinking):
    counted = Usage.from_dict(usage)
    assert (counted.cached_tokens, counted.thinking_tokens) == (cached, thinking)
