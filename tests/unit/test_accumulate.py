"""A reply put together from pieces equals the reply that was cut into them."""

import json

import chance
import pytest
import wire

from databricks_serving._core.operations import CHAT, COMPLETION
from databricks_serving.events import (
    ChunkEvent,
    FinishEvent,
    ReasoningDeltaEvent,
    RefusalDeltaEvent,
    TextDeltaEvent,
    ToolCallDeltaEvent,
    ToolCallDoneEvent,
)


def accumulate(events, operation=CHAT):
    """Take in events as a stream does; return the reply and the news."""
    accumulator = operation.accumulator()
    news = []
    for event in events:
        data = json.loads(json.dumps(event))
        operation.check_event(data)
        news.extend(operation.events(operation.parse_event(data), accumulator.add(data)))
    return accumulator.snapshot(), [e for e in news if not isinstance(e, ChunkEvent)]


def call_delta(index=None, id_=None, name=None, arguments=None, **extra):
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": id_, "function": function, **extra}


def calls_of(reply, choice=0):
    calls = reply.choices[choice].message.tool_calls or []
    return [(call.id, call.function.name, call.function.arguments) for call in calls]


def calls_from(*deltas):
    return calls_of(accumulate(wire.chunk(tool_calls=[delta]) for delta in deltas)[0])


def cut(text, source):
    """Cut a text at random into pieces, some of them empty."""
    cuts = sorted(source.randrange(len(text) + 1) for _ in range(source.randrange(6)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def random_text(source):
    return "".join(source.choice('abé\U0001f600{}"\\ \n') for _ in range(source.randrange(30)))


def random_answer(source):
    """Return what one choice will have said, computed without the code under test."""
    return {
        "text": random_text(source),
        "refusal": random_text(source),
        "reasoning_content": random_text(source),
        "calls": [
            (f"call_{n}", source.choice("fgh"), json.dumps({"q": random_text(source)}))
            for n in range(source.randrange(4))
        ],
        "finish": source.choice(["stop", "tool_calls", "length"]),
    }


def deltas_of(index, answer, source):
    """Return the answer in pieces: each key in order, the keys interleaved."""
    tracks = [
        [wire.chunk(index=index, content=piece) for piece in cut(answer["text"], source)],
        [wire.chunk(index=index, refusal=piece) for piece in cut(answer["refusal"], source)],
        [
            wire.chunk(index=index, reasoning_content=piece)
            for piece in cut(answer["reasoning_content"], source)
        ],
    ]
    gap = source.choice([1, 3])
    for number, (id_, name, arguments) in enumerate(answer["calls"]):
        place = number * gap + gap - 1
        pieces = [call_delta(place, arguments=piece) for piece in cut(arguments, source)]
        opening = call_delta(place, id_, name, source.choice([None, ""]))
        tracks.append([wire.chunk(index=index, tool_calls=[d]) for d in (opening, *pieces)])
    # The calls begin in their order; what follows may come in any.
    openings = [track.pop(0) for track in tracks[3:]]
    return [*openings, *shuffled(tracks, source), wire.chunk(None, answer["finish"], index)]


def shuffled(tracks, source):
    """Merge lists at random, each keeping its own order."""
    tracks = [list(track) for track in tracks if track]
    merged = []
    while tracks:
        track = source.choice(tracks)
        merged.append(track.pop(0))
        tracks = [track for track in tracks if track]
    return merged


@pytest.mark.parametrize("seed", range(150))
def test_answers_cut_and_interleaved_at_random_come_back_whole(seed):
    source = chance.source(seed)
    answers = [random_answer(source) for _ in range(source.randrange(1, 4))]
    tracks = [deltas_of(index, answer, source) for index, answer in enumerate(answers)]
    reply, news = accumulate(shuffled(tracks, source))
    for index, answer in enumerate(answers):
        message = reply.choices[index].message
        assert message.text == answer["text"]
        assert (message.refusal or "") == answer["refusal"]
        assert message.reasoning_text == answer["reasoning_content"]
        assert calls_of(reply, index) == answer["calls"]
        assert reply.choices[index].finish_reason == answer["finish"]
        mine = [event for event in news if event.choice == index]
        check_news(mine, answer)


def check_news(news, answer):
    def joined(kind):
        return "".join(event.text for event in news if isinstance(event, kind))

    assert joined(TextDeltaEvent) == answer["text"]
    assert joined(RefusalDeltaEvent) == answer["refusal"]
    assert joined(ReasoningDeltaEvent) == answer["reasoning_content"]
    for position, (id_, name, arguments) in enumerate(answer["calls"]):
        pieces = [e for e in news if isinstance(e, ToolCallDeltaEvent) and e.position == position]
        assert "".join(e.arguments for e in pieces) == arguments
        assert {(e.id, e.name) for e in pieces} == {(id_, name)}
    done = [event for event in news if isinstance(event, ToolCallDoneEvent)]
    assert [
        (e.tool_call.id, e.tool_call.function.name, e.tool_call.function.arguments) for e in done
    ] == answer["calls"]
    assert [e.position for e in done] == list(range(len(done)))
    assert isinstance(news[-1], FinishEvent)
    assert news[-1].finish_reason == answer["finish"]
    assert sum(isinstance(event, FinishEvent) for event in news) == 1


@pytest.mark.parametrize("seed", range(30))
def test_completions_cut_and_interleaved_at_random_come_back_whole(seed):
    source = chance.source(seed)
    texts = [random_text(source) for _ in range(source.randrange(1, 4))]
    tracks = [
        [*(wire.text_chunk(p, None, n) for p in cut(text, source)), wire.text_chunk("", "stop", n)]
        for n, text in enumerate(texts)
    ]
    reply, news = accumulate(shuffled(tracks, source), COMPLETION)
    assert [choice.text for choice in reply.choices] == texts
    assert [choice.index for choice in reply.choices] == list(range(len(texts)))
    assert sum(isinstance(event, FinishEvent) for event in news) == len(texts)


def test_pieces_without_index_open_a_call_by_their_id():
    assert calls_from(
        call_delta(id_="a", name="f", arguments="{"),
        call_delta(arguments="}"),
        call_delta(id_="b", name="g", arguments="["),
        call_delta(id_="a", arguments="!"),
        call_delta(id_="b", arguments="]"),
    ) == [("a", "f", "{}!"), ("b", "g", "[]")]


def test_a_piece_without_index_and_id_before_any_call_opens_one():
    assert calls_from(call_delta(name="f", arguments="{}")) == [("", "f", "{}")]


def test_an_index_used_again_with_another_id_is_another_call():
    assert calls_from(
        call_delta(0, "a", "f", "1"),
        call_delta(0, "a", None, "2"),
        call_delta(0, "b", "g", "3"),
        call_delta(0, None, None, "4"),
    ) == [("a", "f", "12"), ("b", "g", "34")]


def test_an_id_that_comes_late_is_taken():
    assert calls_from(call_delta(0, None, "f"), call_delta(0, "a")) == [("a", "f", "")]


def test_a_placeholder_before_the_real_arguments_is_dropped():
    assert calls_from(call_delta(0, "a", "f", "{}"), call_delta(0, None, None, '{"a": 1}')) == [
        ("a", "f", '{"a": 1}')
    ]
    assert calls_from(call_delta(0, "a", "f", "{}"), call_delta(0, None, None, "")) == [
        ("a", "f", "{}")
    ]


def test_signatures_and_unknown_keys_of_a_call_are_kept():
    reply, _ = accumulate(
        [
            wire.chunk(
                tool_calls=[
                    {"index": 0, "id": "a", "thought_signature": "s", "new": 1, "type": "function"}
                ]
            ),
            wire.chunk(
                tool_calls=[
                    {
                        "index": 0,
                        "extra_content": {"google": 1},
                        "thought_signature": None,
                        "function": {"name": "f", "strict": True},
                    }
                ]
            ),
        ]
    )
    assert reply.choices[0].message.to_dict()["tool_calls"] == [
        {
            "id": "a",
            "type": "function",
            "function": {"strict": True, "name": "f", "arguments": ""},
            "new": 1,
            "thought_signature": "s",
            "extra_content": {"google": 1},
        }
    ]


@pytest.mark.parametrize(
    ("types", "kept"),
    [([None, None], "function"), (["", "custom"], "custom"), (["custom", "other"], "custom")],
)
def test_the_first_kind_of_a_call_counts(types, kept):
    deltas = [call_delta(0, "a", "f", "", type=kind) for kind in types]
    reply, _ = accumulate(wire.chunk(tool_calls=[delta]) for delta in deltas)
    assert reply.tool_calls[0].type_ == kept


def test_the_older_form_of_one_call_is_put_together():
    reply, _ = accumulate(
        [
            wire.chunk(function_call={"name": "f", "arguments": "{"}),
            wire.chunk(function_call={"arguments": "}"}),
        ]
    )
    assert reply.choices[0].message.function_call.to_dict() == {"name": "f", "arguments": "{}"}


def content_of(*pieces):
    reply, _ = accumulate(wire.chunk(content=piece) for piece in pieces)
    return reply.to_dict()["choices"][0]["message"].get("content")


def text(value, **extra):
    return {"type": "text", "text": value, **extra}


def thought(value, **extra):
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": value, **extra}]}


@pytest.mark.parametrize(
    ("pieces", "content"),
    [
        ([None], None),
        (["", "a", None, "b"], "ab"),
        ([""], ""),
        ([[]], None),
        ([[text("a")], [text("b")]], [text("ab")]),
        (["a", [text("b")], "c", ""], [text("abc")]),
        (["", [thought("a")], "b"], [thought("a"), text("b")]),
        ([[thought("a")], ""], [thought("a")]),
        (
            [[thought("a")], [{"type": "reasoning", "summary": [{"type": "new", "text": "b"}]}]],
            [
                {
                    "type": "reasoning",
                    "summary": [*thought("a")["summary"], {"type": "new", "text": "b"}],
                }
            ],
        ),
        (
            [[text("a"), thought("b")], [thought("c"), text("d")]],
            [text("a"), thought("bc"), text("d")],
        ),
        ([[thought("a")], [thought("", signature="s")]], [thought("a", signature="s")]),
        (
            [[thought("a", signature="s")], [thought("b")]],
            [
                {
                    "type": "reasoning",
                    "summary": [*thought("a", signature="s")["summary"], *thought("b")["summary"]],
                }
            ],
        ),
        (
            [[{"type": "reasoning"}], [thought("a")]],
            [thought("a")],
        ),
        (
            [
                [
                    {
                        "type": "reasoning",
                        "summary": [{"type": "summary_encrypted_text", "data": "x"}],
                    }
                ],
                [{"type": "reasoning", "summary": [{"type": "new", "text": ["y"]}]}],
            ],
            [
                {
                    "type": "reasoning",
                    "summary": [
                        {"type": "summary_encrypted_text", "data": "x"},
                        {"type": "new", "text": ["y"]},
                    ],
                }
            ],
        ),
        (
            [[{"type": "image", "url": "a"}], [{"type": "image", "url": "b"}]],
            [{"type": "image", "url": "a"}, {"type": "image", "url": "b"}],
        ),
        (
            [[text("a", citation={"n": 1})], [text("b", citation={"n": 2})], [text("c")]],
            [text("abc", citations=[{"n": 1}, {"n": 2}])],
        ),
        (
            [[text("a", citations=[{"n": 1}])], [text("b", citations=[{"n": 2}], citation=None)]],
            [text("ab", citations=[{"n": 1}, {"n": 2}])],
        ),
        ([{"a": 1}], {"a": 1}),
    ],
)
def test_content_keeps_its_form(pieces, content):
    assert content_of(*pieces) == content


def test_the_first_envelope_and_the_last_figures_count():
    first = wire.chunk("a") | {"id": "", "created": 0, "model": "", "usage": {"total_tokens": 1}}
    second = wire.chunk("b", "stop") | {"id": "x", "created": 5, "model": "m", "usage": None}
    third = wire.chunk() | {"id": "y", "created": 6, "usage": {"total_tokens": 9}}
    third |= {"service_tier": "default", "custom_outputs": {"a": 1}, "new": [1]}
    reply, _ = accumulate([first, second, third | {"choices": []}])
    assert (reply.id, reply.created, reply.model) == ("x", 5, "m")
    assert reply.usage.total_tokens == 9
    assert reply.object_ == "chat.completion"
    assert reply.extra == {"new": [1]}
    assert reply.to_dict()["custom_outputs"] == {"a": 1}


def test_a_reply_holds_what_was_said_and_no_more():
    reply, _ = accumulate([wire.chunk("a"), wire.chunk("b", "stop")])
    message = {"role": "assistant", "content": "ab"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    assert reply.to_dict() == {"id": "c", "object": "chat.completion", "choices": [choice]}
    first = wire.text_chunk("a")
    first["choices"][0]["new"] = 1
    reply, _ = accumulate([first, wire.text_chunk("b", "stop")], COMPLETION)
    choice = {"index": 0, "text": "ab", "finish_reason": "stop", "new": 1}
    assert reply.to_dict() == {"id": "c", "object": "text_completion", "choices": [choice]}


def test_keys_that_the_contract_does_not_know_are_kept():
    first = wire.chunk("a", annotations=[{"n": 1}], mood="calm")
    first["choices"][0] |= {"filter": {"ok": True}, "parts": [1]}
    second = wire.chunk("b", "stop", annotations=[{"n": 2}], mood=None)
    second["choices"][0] |= {"filter": None, "parts": [2]}
    third = wire.chunk(annotations=None)
    reply, _ = accumulate([first, second, third])
    choice = reply.to_dict()["choices"][0]
    assert choice["message"]["annotations"] == [{"n": 1}, {"n": 2}]
    assert choice["message"]["mood"] == "calm"
    assert (choice["filter"], choice["parts"]) == ({"ok": True}, [1, 2])


def test_putting_together_leaves_the_chunks_as_they_came():
    pieces = [wire.chunk("a", annotations=[1]), wire.chunk("b", annotations=[2])]
    accumulator = CHAT.accumulator()
    events = json.loads(json.dumps(pieces))
    for event in events:
        accumulator.add(event)
    assert events == pieces


def test_an_object_of_reasoning_beside_the_content_is_kept():
    reply, news = accumulate([wire.chunk(reasoning={"effort": "low"}), wire.chunk("a", "stop")])
    assert reply.choices[0].message.reasoning == {"effort": "low"}
    assert [event.type for event in news] == ["text.delta", "finish"]


def token(value):
    return {"token": value, "logprob": -0.5}


def test_log_probabilities_run_along_the_tokens():
    chat = [wire.chunk("a"), wire.chunk("b"), wire.chunk(None, "stop")]
    chat[0]["choices"][0]["logprobs"] = {"content": [token("a")], "refusal": None}
    chat[1]["choices"][0]["logprobs"] = {"content": [token("b")], "refusal": [token("c")]}
    chat[2]["choices"][0]["logprobs"] = {"content": None}
    logprobs = accumulate(chat)[0].choices[0].logprobs
    assert [t.token for t in logprobs.content] == ["a", "b"]
    assert [t.token for t in logprobs.refusal] == ["c"]
    texts = [wire.text_chunk("a"), wire.text_chunk("b"), wire.text_chunk("", "stop")]
    texts[0]["choices"][0]["logprobs"] = {"tokens": None, "text_offset": [0]}
    texts[1]["choices"][0]["logprobs"] = {"tokens": ["b"], "text_offset": [1]}
    texts[2]["choices"][0]["logprobs"] = {"tokens": None, "mean": -0.5}
    reply, _ = accumulate(texts, COMPLETION)
    assert reply.choices[0].logprobs == {"tokens": ["b"], "text_offset": [0, 1], "mean": -0.5}


def test_an_answer_is_complete_once_all_that_began_have_finished():
    accumulator = CHAT.accumulator()
    assert accumulator.finished == 0

    def add(piece):
        accumulator.add(piece)
        return accumulator.finished

    assert add(wire.chunk("a", index=1)) == 0
    assert add(wire.chunk("b", "", index=0)) == 0
    assert add(wire.chunk(None, "stop", index=1)) == 0
    assert add(wire.chunk(None, "length", index=0)) == 2
    assert [c.finish_reason for c in accumulator.snapshot().choices] == ["length", "stop"]


def test_the_first_finish_reason_counts():
    reply, news = accumulate([wire.chunk("a", "stop"), wire.chunk("", "length")])
    assert reply.finish_reason == "stop"
    assert sum(isinstance(event, FinishEvent) for event in news) == 1
    reply, news = accumulate([wire.text_chunk("a", "stop"), wire.text_chunk("", "x")], COMPLETION)
    assert reply.finish_reason == "stop"
    assert len(news) == 2


def test_events_show_what_they_report():
    _, news = accumulate([wire.chunk("Hi", tool_calls=[call_delta(0, "a", "f", "{}")])])
    assert [repr(event) for event in news] == [
        "TextDeltaEvent(text='Hi', choice=0)",
        "ToolCallDeltaEvent(arguments='{}', position=0, id='a', name='f', choice=0)",
    ]
