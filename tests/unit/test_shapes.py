"""What a reply must have, what is filled in, and how a misfit is named."""

import copy
import math

import chance
import pytest
import wire

from databricks_serving._core import shapes
from databricks_serving._core.error_bodies import find_event_error
from databricks_serving._core.operations import CHAT, COMPLETION, EMBEDDING
from databricks_serving.errors import InvalidResponseError

CHECKS = {
    "chat": shapes.check_chat_completion,
    "chat chunk": shapes.check_chat_chunk,
    "completion": shapes.check_completion,
    "completion chunk": shapes.check_completion_chunk,
    "embeddings": shapes.check_embeddings,
}


def message(**values):
    return {"choices": [{"message": values}]}


def delta(**values):
    return {"choices": [{"delta": values}]}


def reasoning(summary):
    return [{"type": "reasoning", "summary": summary}]


def tokens(*values):
    return {"choices": [{"logprobs": {"content": list(values)}}]}


def vector(embedding, **values):
    return {"data": [{"embedding": embedding, **values}]}


def indices(*values):
    return {"data": [{"index": value, "embedding": [float(value)]} for value in values]}


MISFITS = [
    ("chat", {}, "choices is not a list"),
    ("chat", {"choices": None}, "choices is not a list"),
    ("chat", {"choices": {}}, "choices is not a list"),
    ("chat", {"choices": [None]}, "choices[0] is not an object"),
    ("chat", {"choices": [{}, "x"]}, "choices[1] is not an object"),
    ("chat", {"choices": [{"index": "0"}]}, "choices[0].index is not a whole number"),
    ("chat", {"choices": [{"index": True}]}, "choices[0].index is not a whole number"),
    ("chat", {"choices": [{"index": 0.5}]}, "choices[0].index is not a whole number"),
    ("chat", {"choices": [{"finish_reason": 7}]}, "choices[0].finish_reason is not a text"),
    ("chat", {"choices": [{"message": "hi"}]}, "choices[0].message is not an object"),
    ("chat", {"choices": [{"logprobs": []}]}, "choices[0].logprobs is not an object"),
    ("chat", {"choices": [], "usage": 7}, "usage is not an object"),
    (
        "chat",
        {"choices": [], "usage": {"prompt_tokens_details": [1]}},
        "usage.prompt_tokens_details is not an object",
    ),
    ("chat", message(content=7), "choices[0].message.content is not a text"),
    ("chat", message(content=["a"]), "choices[0].message.content[0] is not an object"),
    ("chat", message(refusal={}), "choices[0].message.refusal is not a text"),
    ("chat", message(reasoning_content=[]), "choices[0].message.reasoning_content is not a text"),
    ("chat", message(function_call="f"), "choices[0].message.function_call is not an object"),
    ("chat", message(tool_calls={}), "choices[0].message.tool_calls is not a list"),
    ("chat", message(tool_calls=[7]), "choices[0].message.tool_calls[0] is not an object"),
    ("chat", message(tool_calls=[{"id": 7}]), "choices[0].message.tool_calls[0].id is not a text"),
    (
        "chat",
        message(tool_calls=[{}, {"function": {"arguments": {}}}]),
        "choices[0].message.tool_calls[1].function.arguments is not a text",
    ),
    (
        "chat",
        message(content=[{"type": "text", "text": 7}]),
        "choices[0].message.content[0].text is not a text",
    ),
    (
        "chat",
        message(content=[{"type": "text", "citations": "x"}]),
        "choices[0].message.content[0].citations is not a list",
    ),
    (
        "chat",
        message(content=reasoning("x")),
        "choices[0].message.content[0].summary is not a list",
    ),
    (
        "chat",
        message(content=reasoning([{"type": "summary_text", "text": []}])),
        "choices[0].message.content[0].summary[0].text is not a text",
    ),
    ("chat", tokens("x"), "choices[0].logprobs.content[0] is not an object"),
    ("chat", tokens({"token": "a"}), "choices[0].logprobs.content[0].logprob is not a number"),
    (
        "chat",
        tokens({"logprob": -1, "top_logprobs": [{"logprob": "x"}]}),
        "choices[0].logprobs.content[0].top_logprobs[0].logprob is not a number",
    ),
    ("chat chunk", {"choices": 7}, "choices is not a list"),
    ("chat chunk", delta(content=7), "choices[0].delta.content is not a text"),
    ("chat chunk", delta(tool_calls="x"), "choices[0].delta.tool_calls is not a list"),
    (
        "chat chunk",
        delta(tool_calls=[{"index": []}]),
        "choices[0].delta.tool_calls[0].index is not a whole number",
    ),
    (
        "chat chunk",
        delta(tool_calls=[{"function": {"name": 7}}]),
        "choices[0].delta.tool_calls[0].function.name is not a text",
    ),
    ("completion", {}, "choices is not a list"),
    ("completion", {"choices": [{}]}, "choices[0].text is not a text"),
    ("completion", {"choices": [{"text": None}]}, "choices[0].text is not a text"),
    (
        "completion",
        {"choices": [{"text": "", "logprobs": []}]},
        "choices[0].logprobs is not an object",
    ),
    ("completion chunk", {"choices": [{"text": 7}]}, "choices[0].text is not a text"),
    ("embeddings", {}, "data is not a list"),
    ("embeddings", {"data": {}}, "data is not a list"),
    ("embeddings", {"data": [[1.0]]}, "data[0] is not an object"),
    ("embeddings", vector(None), "data[0].embedding is not a list of numbers or base64"),
    ("embeddings", vector({}), "data[0].embedding is not a list of numbers or base64"),
    ("embeddings", vector("AAAA"), "data[0].embedding is not a list of numbers or base64"),
    ("embeddings", vector("AACAPw="), "data[0].embedding is not a list of numbers or base64"),
    ("embeddings", vector("é"), "data[0].embedding is not a list of numbers or base64"),
    ("embeddings", vector([1.0], index="0"), "data[0].index is not a whole number"),
    ("embeddings", vector([1.0], index=1.0), "data[0].index is not a whole number"),
    ("embeddings", vector([]), "data[0].embedding is empty"),
    ("embeddings", vector(""), "data[0].embedding is empty"),
    ("embeddings", vector([1.0, None]), "data[0].embedding[1] is not a finite number"),
    ("embeddings", vector([0, "1.0"]), "data[0].embedding[1] is not a finite number"),
    ("embeddings", vector([[1.0]]), "data[0].embedding[0] is not a finite number"),
    ("embeddings", vector([1.0, 2.0, math.nan]), "data[0].embedding[2] is not a finite number"),
    ("embeddings", vector([math.inf, -math.inf]), "data[0].embedding[0] is not a finite number"),
    ("embeddings", vector([1.0, 10**400]), "data[0].embedding[1] is not a finite number"),
    ("embeddings", vector("AACAPwAAwH8="), "data[0].embedding[1] is not a finite number"),
    (
        "embeddings",
        wire.embeddings([1.0, 2.0], [1.0]),
        "data[1].embedding has 1 numbers, and data[0].embedding 2",
    ),
    (
        "embeddings",
        wire.embeddings("AACAPw==", [1.0, 2.0]),
        "data[1].embedding has 2 numbers, and data[0].embedding 1",
    ),
    (
        "embeddings",
        indices(0, 2, 2),
        "data[2].index is 2, and so is data[1].index",
    ),
    ("embeddings", indices(0, 3, 2), "data[1].index is 3, with 3 texts in the request"),
    ("embeddings", indices(-1), "data[0].index is -1, with 1 texts in the request"),
]
FILLED = [
    (
        "chat",
        {"choices": [{}, {}]},
        {"choices": [{"index": 0, "message": {}}, {"index": 1, "message": {}}]},
    ),
    ("chat", {"databricks_service_policy": {}}, {"databricks_service_policy": {}, "choices": []}),
    (
        "chat",
        message(tool_calls=[{}]),
        {
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "tool_calls": [
                            {
                                "id": "",
                                "type": "function",
                                "function": {"name": "", "arguments": ""},
                            }
                        ]
                    },
                }
            ]
        },
    ),
    (
        "chat chunk",
        delta(content=[{"type": "text"}, *reasoning([{"type": "summary_text"}])]),
        {
            "choices": [
                {
                    "index": 0,
                    "delta": {
                        "content": [
                            {"type": "text", "text": ""},
                            *reasoning([{"type": "summary_text", "text": ""}]),
                        ]
                    },
                }
            ]
        },
    ),
    (
        "chat chunk",
        delta(content=reasoning([{"type": "summary_encrypted_text"}, {"type": "new"}])),
        {
            "choices": [
                {
                    "index": 0,
                    "delta": {
                        "content": reasoning(
                            [{"type": "summary_encrypted_text", "data": ""}, {"type": "new"}]
                        )
                    },
                }
            ]
        },
    ),
    ("chat chunk", {"usage": None}, {"usage": None, "choices": []}),
    ("completion chunk", {}, {"choices": []}),
    ("completion chunk", {"choices": [{}]}, {"choices": [{"index": 0, "text": ""}]}),
    (
        "embeddings",
        {"data": [{"embedding": [1.0]}, {"embedding": "AACAPw=="}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": "AACAPw=="}]},
    ),
]


@pytest.mark.parametrize(("kind", "data", "reason"), MISFITS, ids=lambda value: str(value)[:60])
def test_a_misfit_is_named_by_its_path(kind, data, reason):
    with pytest.raises(InvalidResponseError) as caught:
        CHECKS[kind](copy.deepcopy(data))
    assert str(caught.value).startswith(f"the reply does not fit the contract: {reason}")


@pytest.mark.parametrize(("kind", "data", "expected"), FILLED, ids=lambda value: str(value)[:60])
def test_what_a_server_leaves_out_is_filled_in(kind, data, expected):
    filled = copy.deepcopy(data)
    CHECKS[kind](filled)
    assert filled == expected


def test_vectors_are_put_in_the_order_of_their_texts():
    data = indices(2, 0, 1)
    shapes.check_embeddings(data, 3)
    assert data == indices(0, 1, 2)


@pytest.mark.parametrize(
    ("data", "count", "reason"),
    [
        (indices(0, 1), 3, "data has no vector of index 2: 2 for 3 texts"),
        (indices(0, 2), 3, "data has no vector of index 1: 2 for 3 texts"),
        (indices(), 1, "data has no vector of index 0: 0 for 1 texts"),
        (indices(0, 1), 1, "data[1].index is 1, with 1 texts in the request"),
        (indices(5), 7, "data has no vector of index 0: 1 for 7 texts"),
    ],
)
def test_each_text_has_one_vector(data, count, reason):
    with pytest.raises(InvalidResponseError) as caught:
        shapes.check_embeddings(data, count)
    assert str(caught.value) == f"the reply does not fit the contract: {reason}"


def test_numbers_that_are_finite_alone_but_not_in_sum_are_vectors():
    data = wire.embeddings([1.7e308, 1.7e308], [1, 10**300])
    shapes.check_embeddings(data, 2)
    assert data == wire.embeddings([1.7e308, 1.7e308], [1, 10**300])


def test_what_the_contract_does_not_know_is_no_misfit():
    strange = {
        "choices": [
            {
                "index": 0,
                "message": {"content": [{"type": "hologram", "text": 7}], "mood": [1]},
                "finish_reason": "tired",
                "stop_reason": 7,
            }
        ],
        "object": 7,
        "usage": {"prompt_tokens": "3", "new": {}},
        "news": [None],
    }
    data = copy.deepcopy(strange)
    shapes.check_chat_completion(data)
    assert data == strange


def read_chat(data):
    shapes.check_chat_completion(data)
    reply = CHAT.parse(data)
    assert isinstance(reply.text + reply.reasoning, str)
    for choice in reply.choices:
        choice.message.to_request_message(include_reasoning_content=True)
        assert all(isinstance(c.function.arguments, str) for c in choice.message.tool_calls or ())
    if reply.usage:
        assert (reply.usage.cached_tokens, reply.usage.thinking_tokens) is not None
    # The same answer through a stream comes to the same text.
    accumulator = CHAT.accumulator()
    accumulator.add(CHAT.as_event(data))
    assert accumulator.snapshot().text == reply.text or len(reply.choices) > 1
    return reply


def read_chunk(data):
    shapes.check_chat_chunk(data)
    CHAT.parse_event(data)
    accumulator = CHAT.accumulator()
    accumulator.add(data)
    accumulator.add(data)
    return accumulator.snapshot()


def read_completion_chunk(data):
    shapes.check_completion_chunk(data)
    accumulator = COMPLETION.accumulator()
    accumulator.add(data)
    accumulator.add(data)
    return accumulator.snapshot()


def read_embeddings(data):
    shapes.check_embeddings(data)
    reply = EMBEDDING.parse(data)
    assert len(reply.vectors) == len(data["data"])
    return reply


def change(value, source):
    """Put something else in a random place."""
    places = [*walk(value)]
    holder, key = source.choice(places)
    if source.random() < 0.2:
        del holder[key]
    else:
        holder[key] = chance.json_value(source, 2)


def walk(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(pairs):
        yield value, key
        if isinstance(item, dict | list):
            yield from walk(item)


RICH = {
    **wire.chat(
        [
            {"type": "text", "text": "a", "citations": [{"url": "u"}], "citation": {"url": "v"}},
            {
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": "h", "signature": "s"}],
            },
            {"type": "reasoning", "summary": [{"type": "summary_encrypted_text", "data": "e"}]},
        ],
        tool_calls=[{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
        refusal="no",
        reasoning_content="hm",
        reasoning={"a": 1},
        function_call={"name": "f", "arguments": "{}"},
    ),
    "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}},
}
RICH["choices"][0]["logprobs"] = {
    "content": [{"token": "a", "logprob": -1, "top_logprobs": [{"token": "a", "logprob": -1}]}]
}
RICH_CHUNK = {**RICH, "choices": [{**RICH["choices"][0], "delta": RICH["choices"][0]["message"]}]}


@pytest.mark.parametrize(
    ("read", "good"),
    [
        (read_chat, RICH),
        (read_chunk, RICH_CHUNK),
        (read_completion_chunk, wire.text_chunk("a", "stop")),
        (read_embeddings, wire.embeddings([1.0], "AACAPw==", [0])),
    ],
)
def test_whatever_passes_the_check_can_be_read_and_nothing_else_is_raised(read, good):
    read(copy.deepcopy(good))
    source = chance.source(3)
    passed = 0
    for _ in range(2500):
        data = copy.deepcopy(good)
        for _ in range(source.randrange(1, 4)):
            if data:
                change(data, source)
        try:
            reply = read(data)
        except InvalidResponseError:
            continue
        passed += 1
        reply.to_dict()
        repr(reply)
    assert 250 < passed < 2450


PLAIN = {
    "chat": wire.chunk("a", role="assistant"),
    "chat, more of it": {**wire.chunk("a", index=2), "usage": None, "service_tier": "x"},
    "completion": wire.text_chunk("a"),
}


def changed(good, source):
    data = copy.deepcopy(good)
    for _ in range(source.randrange(4)):
        if data:
            change(data, source)
        if source.random() < 0.5:
            holders = [data, *(holder for holder, _ in walk(data) if isinstance(holder, dict))]
            source.choice(holders)[source.choice(chance.KEYS)] = chance.json_value(source, 2)
    return data


def operation_of(kind):
    return COMPLETION if kind == "completion" else CHAT


@pytest.mark.parametrize("kind", [*PLAIN, "rich"])
def test_an_event_that_passes_for_plain_has_no_error_and_nothing_to_refuse_or_fill_in(kind):
    source = chance.source(4)
    good, operation = PLAIN.get(kind, RICH_CHUNK), operation_of(kind)
    plain = 0
    for _ in range(15_000):
        data = changed(good, source)
        if source.random() < 0.1:
            data["databricks_output"] = {"error": {"message": "failed"}}
        before = copy.deepcopy(data)
        if operation.accumulator().add_plain(data) is not None:
            assert find_event_error(data) is None
            operation.check_event(data)
            assert repr(data) == repr(before)
            plain += 1
    assert plain > 3_000 or kind == "rich"


@pytest.mark.parametrize("kind", [*PLAIN, "rich"])
def test_a_plain_event_comes_to_the_same_as_by_the_long_way(kind):
    source = chance.source(5)
    good, operation = PLAIN.get(kind, RICH_CHUNK), operation_of(kind)
    plain = PLAIN.get(kind, PLAIN["chat"])
    short = long = operation.accumulator()
    for number in range(15_000):
        if number % 10 == 0:
            short, long = operation.accumulator(), operation.accumulator()
        data = changed(source.choice([good, plain]), source)
        try:
            operation.check_event(copy.deepcopy(data))
        except InvalidResponseError:
            assert short.add_plain(data) is None
            continue
        told = short.add_plain(data)
        operation.check_event(data)
        assert repr(short.add(data) if told is None else told) == repr(long.add(data))
        assert short.finished == long.finished
        if number % 10 == 9:
            assert short.snapshot() == long.snapshot()
            assert repr(short.snapshot().to_dict()) == repr(long.snapshot().to_dict())
