"""What agents' streams come to, whatever order, names and marks their events have."""

import copy
import random
import time
from collections.abc import Iterator

import pytest
import wire

from databricks_serving import UsageTotals
from databricks_serving._core.agent_messages import AgentAccumulator
from databricks_serving._core.agent_shapes import check_agent_chunk, check_response_event
from databricks_serving._core.error_bodies import find_event_error
from databricks_serving._core.operations import AGENT, RESPONSES
from databricks_serving._core.reading import Reading
from databricks_serving._core.responses import ResponsesAccumulator
from databricks_serving._core.streaming import StreamSession
from databricks_serving.errors import InvalidResponseError, ServingError
from databricks_serving.models import ReplyMeta

STREAM = {"content-type": "text/event-stream"}

NOISE = [
    {"type": "ping"},
    {"type": "keepalive", "sequence_number": 7},
    {"type": "response.something_new", "delta": {"a": None}},
    {"type": "response.content_part.done", "part": None, "item_id": None},
    {"type": "response.output_text.done", "text": "whole"},
]


def read(*events):
    """Take in events, and return the accumulator and what it told."""
    accumulator, told = ResponsesAccumulator(), []
    for event in events:
        check_response_event(event)
        told += RESPONSES.events(RESPONSES.parse_event(event), accumulator.add(event))
    return accumulator, told


def text_in(told):
    return "".join(event.text for event in told if event.type == "text.delta")


def message(text, **fields):
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "role": "assistant", "content": [part], **fields}


def delta(text, **fields):
    return {"type": "response.output_text.delta", "delta": text, **fields}


def added(item, **fields):
    return {"type": "response.output_item.added", "item": item, **fields}


def done(item, **fields):
    return {"type": "response.output_item.done", "item": item, **fields}


def created():
    return {"type": "response.created", "response": {"id": "r", "output": []}}


def completed(*output, **fields):
    return {"type": "response.completed", "response": {"id": "r", "output": list(output), **fields}}


class Server:
    """A server with habits of its own, by chance."""

    def __init__(self, rng):
        self.rng = rng
        self.marks = rng.random() < 0.6
        self.adds = rng.random() < 0.5
        self.places = rng.choice(["none", "right", "same"])
        self.ids = rng.choice(["none", "own", "same", "of pieces"])
        self.repeats = self.ids != "none" and rng.random() < 0.3
        own = self.ids in {"own", "of pieces"}
        tells_apart = own and self.places != "same"
        self.reports = self.marks and tells_apart and rng.random() < 0.3
        self.output = rng.choice(["none", "all"]) if self.marks else "none"
        # What is reported by the last state alone comes after all that is streamed.
        self.interleaves = self.places == "right" and rng.random() < 0.5
        self.texts = []
        self.number = 0

    def events(self) -> Iterator[dict]:
        for _ in range(self.rng.randint(1, 3)):
            yield from self.turn()

    def turn(self):
        if self.marks:
            yield created()
        items, streams = [], []
        for place in range(self.rng.randint(1, 4)):
            self.number += 1
            whole, pieces = self.message(place) if self.rng.random() < 0.7 else self.call(place)
            items.append(whole)
            streams.append(list(pieces))
        for event in self.mixed(streams):
            if self.rng.random() < 0.2:
                yield dict(self.rng.choice(NOISE))
            yield event
            if self.repeats and event["type"] == "response.output_item.done":
                yield {**event}
        if self.marks:
            yield completed(*items if self.output == "all" or self.reports else ())

    def mixed(self, streams):
        streams = [stream for stream in streams if stream]
        while streams:
            stream = self.rng.choice(streams) if self.interleaves else streams[0]
            yield stream.pop(0)
            streams = [one for one in streams if one]

    def named(self, place, kind):
        index = {"none": None, "right": place, "same": 0}[self.places]
        name = {"none": None, "same": f"fake_{kind}"}.get(self.ids, f"{kind}_{self.number}")
        pieces = f"piece_{self.number}" if self.ids == "of pieces" else name
        return ({} if index is None else {"output_index": index}), name, pieces

    def message(self, place):
        words = [f"{self.number}w{n} " for n in range(self.rng.randint(1, 5))]
        self.texts.append("".join(words))
        where, name, of = self.named(place, "msg")
        whole = message(self.texts[-1]) | ({} if name is None else {"id": name})
        return whole, self.pieces(whole, where, [delta(w, item_id=of) for w in words])

    def call(self, place):
        where, name, of = self.named(place, "fc")
        call = {"type": "function_call", "call_id": f"c{self.number}", "name": "f"}
        whole = call | {"arguments": '{"a": 1}'} | ({} if name is None else {"id": name})
        piece = {"type": "response.function_call_arguments.delta", "item_id": of}
        pieces = [piece | {"delta": '{"a"'}, piece | {"delta": ": 1}"}]
        return whole, self.pieces(whole, where, pieces)

    def pieces(self, whole, where, pieces):
        streams = self.rng.random() < 0.7
        if self.adds and streams:
            empty = {"arguments": ""} if whole["type"] == "function_call" else {"content": []}
            yield added(whole | empty, **where)
        for event in pieces if streams else ():
            yield event | where
        if not self.reports:
            yield done(whole, **where)


@pytest.mark.parametrize("seed", range(600))
def test_the_texts_that_are_told_are_the_text_of_the_answer(seed):
    server = Server(random.Random(seed))  # noqa: S311 - a test that can be repeated
    events = list(server.events())
    accumulator, told = read(*events)
    reply = accumulator.snapshot()
    assert [one.text for one in reply.messages] == server.texts or server.interleaves
    assert sorted(one.text for one in reply.messages) == sorted(server.texts)
    assert sorted(text_in(told).split()) == sorted("".join(server.texts).split())
    if not (server.interleaves or server.reports):
        assert text_in(told) == reply.text
    assert len(reply.output) == server.number
    assert all(call.arguments == '{"a": 1}' for call in reply.function_calls)
    assert len([event for event in told if event.type == "output_item"]) == server.number
    assert accumulator.finished


@pytest.mark.parametrize("seed", range(200))
def test_a_stream_that_is_cut_within_a_turn_or_an_item_is_not_whole(seed):
    server = Server(random.Random(seed))  # noqa: S311 - a test that can be repeated
    server.marks, server.output, server.reports = True, "all", False
    events = list(server.events())
    for cut in range(len(events)):
        accumulator, told = read(*events[:cut])
        whole = cut > 0 and events[cut - 1]["type"] == "response.completed"
        assert bool(accumulator.finished) == whole
        if not server.interleaves:
            assert text_in(told) == accumulator.snapshot().text


ODD = [None, 0, -1, True, 1.5, "", "x", [], [1], {}, {"a": None}, [{}], {"type": "message"}]
ODD += [[{"type": None, "text": 5}], [{"type": {}, "text": "a"}], {"output": [{"type": "message"}]}]


def mutated(value, rng):
    if rng.random() < 0.05:
        return rng.choice(ODD)
    if isinstance(value, dict):
        return {key: mutated(one, rng) for key, one in value.items() if rng.random() > 0.05}
    return [mutated(one, rng) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("part", range(4))
def test_events_of_any_shape_are_read_or_refused(part):
    read_whole = 0
    for seed in range(part * 500, part * 500 + 500):
        rng = random.Random(seed)  # noqa: S311 - a test that can be repeated
        session = StreamSession(RESPONSES, ReplyMeta(200, STREAM), Reading())
        events = [mutated(one, rng) if rng.random() < 0.2 else one for one in Server(rng).events()]
        try:
            session.feed(wire.sse(*events, "[DONE]"))
            while session.advance():
                list(session.news)
            read_whole += 1
        except ServingError:
            pass
        reply = session.snapshot()
        shown = reply.text, reply.trace_id, reply.to_input(), reply.function_calls, repr(reply)
        assert [*shown, reply._repr_markdown_(), UsageTotals.of(reply.usage)]
    assert read_whole > 50


def changed(event, rng):
    """Return an event to which little was done, as a server could that has habits of its own."""
    key = rng.choice([*event, "type", "item_id", "output_index", "error", "trace_id", "novelty"])
    return event | {key: rng.choice(ODD)}


def test_a_plain_event_comes_to_the_same_as_by_the_long_way():
    plain = 0
    for seed in range(1500):
        rng = random.Random(seed)  # noqa: S311 - a test that can be repeated
        short, long = ResponsesAccumulator(), ResponsesAccumulator()
        for one in Server(rng).events():
            event = changed(one, rng) if rng.random() < 0.2 else one
            before, told = copy.deepcopy(event), short.add_plain(event)
            try:
                check_response_event(event)
            except InvalidResponseError:
                assert told is None
                continue
            if told is not None:
                plain += 1
                assert repr(event) == repr(before)
                assert find_event_error(event) is None
            came = short.add(copy.deepcopy(event)) if told is None else told
            assert repr(came) == repr(long.add(event))
        assert short.snapshot() == long.snapshot()
    assert plain > 3_000


def test_a_text_without_an_item_is_kept_where_the_turn_is_over():
    accumulator, told = read(created(), delta("652 "), delta("km."), completed())
    assert accumulator.snapshot().text == text_in(told) == "652 km."
    assert [event.item.text for event in told if event.type == "output_item"] == ["652 km."]
    assert accumulator.finished


def test_an_answer_may_be_over_without_an_item():
    cut_short = {"type": "response.incomplete", "response": {"status": "incomplete"}}
    for last in (completed(), cut_short, completed(output=None)):
        accumulator, told = read(created(), last)
        assert accumulator.finished
        assert told[-1].type == "finish"


def test_a_turn_that_begins_must_end():
    accumulator, _ = read(created(), completed(message("One.")), created(), done(message("Two.")))
    assert not accumulator.finished


def test_what_is_in_progress_is_the_same_turn():
    progress = {"type": "response.in_progress", "response": {}}
    one = message("652 km.", id="m")
    accumulator, told = read(created(), done(one), progress, completed(one))
    assert accumulator.snapshot().text == text_in(told) == "652 km."


def test_a_turn_that_is_over_twice_is_counted_once():
    last = completed(message("652 km."), usage={"total_tokens": 7})
    accumulator, told = read(created(), last, last | {"type": "responses.completed"})
    reply = accumulator.snapshot()
    assert (reply.text, reply.usage.total_tokens) == ("652 km.", 7)
    assert [event.type for event in told].count("finish") == 1


def test_the_whole_of_an_answer_keeps_what_it_leaves_out():
    call = {"type": "function_call", "id": "f", "call_id": "c", "name": "f", "arguments": "{}"}
    last = completed(message("652 km.", id="m"))
    accumulator, told = read(created(), done(call), delta("652 ", item_id="m"), last)
    reply = accumulator.snapshot()
    assert [item.type_ for item in reply.output] == ["function_call", "message"]
    assert text_in(told) == reply.text == "652 km."


def test_what_was_told_stays_where_the_last_state_says_something_else():
    accumulator, told = read(
        created(), done(message("Po.", id="m")), completed(message("Oh", id="m"))
    )
    assert text_in(told) == accumulator.snapshot().text == "Po."


def test_signs_of_life_are_no_items():
    accumulator, _ = read(*NOISE, done(message("652 km.")), *NOISE)
    assert len(accumulator.snapshot().output) == 1


def test_nulls_everywhere_are_no_values():
    keys = ["delta", "item_id", "output_index", "item", "part", "response", "trace_id", "error"]
    nulls = dict.fromkeys(keys)
    part = {"type": "output_text", "text": None, "annotations": None}
    item = {"type": "message", "id": None, "role": None, "content": [part], "status": None}
    last = {"id": None, "output": None, "usage": None, "error": None, "status": None}
    accumulator, told = read(
        nulls | {"type": "response.created"},
        nulls | {"type": "response.output_item.added", "item": item},
        nulls | {"type": "response.output_text.delta"},
        nulls | {"type": "response.function_call_arguments.delta"},
        nulls | {"type": "response.output_item.done", "item": item},
        nulls | {"type": "response.completed", "response": last},
    )
    assert text_in(told) == accumulator.snapshot().text == ""
    assert accumulator.finished


def test_ids_of_any_kind_are_no_trouble():
    odd = {"type": "brand_new", "id": ["a"], "call_id": {"b": 1}}
    accumulator, _ = read(added(odd), done(odd), completed(odd))
    assert [item.type_ for item in accumulator.snapshot().output] == ["brand_new"]


def test_outputs_of_an_agents_own_come_with_any_event():
    extra = {"custom_outputs": {"a": 1}, "databricks_output": {"trace": {"info": {}}}}
    reply = read(done(message("652 km.")) | extra)[0].snapshot()
    assert (reply.custom_outputs, reply.trace) == ({"a": 1}, {"info": {}})


def test_a_refusal_that_was_not_streamed_comes_with_its_item():
    item = message("") | {"content": [{"type": "refusal", "refusal": "I may not."}]}
    _, told = read({"type": "response.refusal.delta", "delta": "I may"}, done(item))
    assert [event.text for event in told if event.type == "refusal.delta"] == ["I may", " not."]


def test_a_part_without_a_text_of_the_answer_brings_none():
    other = {"type": "brand_new", "text": "not said"}
    accumulator, told = read(done(message("") | {"content": [other]}))
    assert text_in(told) == accumulator.snapshot().text == ""


def test_an_older_agents_pieces_come_to_their_texts():
    accumulator, told = AgentAccumulator(), []
    words = [f"{n} " for n in range(50)]
    for word in [*words, None, ""]:
        event = {"delta": {"role": "assistant", "content": word, "id": "1"}}
        check_agent_chunk(event)
        told += AGENT.events(AGENT.parse_event(event), accumulator.add(event))
    assert accumulator.snapshot().text == text_in(told) == "".join(words)
    assert accumulator.snapshot() == accumulator.snapshot()


@pytest.mark.parametrize("kind", ["newer", "older"])
def test_a_long_text_takes_no_more_time_than_its_length(kind):
    word = "a word and more " * 10
    if kind == "newer":
        accumulator, event = ResponsesAccumulator(), delta(word)
    else:
        event = {"delta": {"role": "assistant", "content": word, "id": "1"}}
        accumulator = AgentAccumulator()
    begun = time.process_time()
    for _ in range(60_000):
        accumulator.add(event)
    assert len(accumulator.snapshot().text) == 60_000 * len(word)
    # Where each piece copied the text before it, this took a minute, and ten seconds.
    assert time.process_time() - begun < 5
