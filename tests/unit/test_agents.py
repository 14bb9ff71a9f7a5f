"""Agents: what is sent, what a stream tells, and when it is whole."""

import json

import httpx
import pytest
import wire

from databricks_serving.errors import (
    APIConnectionError,
    APIStatusError,
    InvalidRequestError,
    InvalidResponseError,
    RateLimitError,
    StreamInterruptedError,
    StreamServerError,
)
from databricks_serving.events import OutputItemEvent
from databricks_serving.models import (
    OtherItem,
    ResponsesEvent,
    ResponsesFunctionCall,
    ResponsesInputMessage,
    ResponsesMessage,
    ResponsesReply,
)

ASK = {"model": "m", "input": "How long is the Po?"}
TOLD = [{"role": "user", "content": "How long is the Po?"}]


def message(text, name="msg_1"):
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": name, "role": "assistant", "content": [part]}


def delta(text, name="msg_1", **fields):
    return {"type": "response.output_text.delta", "item_id": name, "delta": text, **fields}


def done(item, **fields):
    return {"type": "response.output_item.done", "item": item, **fields}


def answer(*output, **fields):
    return {"object": "response", "output": list(output), **fields}


def events_of(shell, *events, call="responses", **arguments):
    """Stream events, and return what the stream told and came to."""
    client = shell.client(wire.stream(*events))
    resource = client.responses if call == "responses" else client.agents
    given = ASK if call == "responses" else {"model": "m", "messages": wire.USER}
    with shell.opened(resource.stream(**given | arguments)) as stream:
        told = [event for event in shell.items(stream) if event.type != "chunk"]
        return told, shell.wait(stream.get_final_completion())


def texts(told):
    return [event.text for event in told if event.type == "text.delta"]


def test_a_text_is_what_the_user_says(shell):
    client = shell.client(wire.json_reply(answer(message("652 km."))))
    reply = shell.wait(client.responses.create(**ASK, custom_inputs={"tone": "dry"}))
    assert (reply.text, reply.last_text) == ("652 km.", "652 km.")
    assert shell.transport.bodies == [{"input": TOLD, "custom_inputs": {"tone": "dry"}}]
    assert shell.transport.requests[0].url.path == "/serving-endpoints/m/invocations"


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("openai", "/serving-endpoints/responses"),
        ("open-responses", "/serving-endpoints/open-responses"),
        ("ai-gateway", "/ai-gateway/mlflow/v1/responses"),
    ],
)
def test_responses_have_routes_of_their_own(shell, route, path):
    client = shell.client(wire.json_reply(answer()), route=route)
    shell.wait(client.responses.create(**ASK))
    assert shell.transport.requests[0].url.path == path
    assert shell.transport.bodies[0] == {"model": "m", "input": TOLD}


def test_models_of_items_are_sent(shell):
    client = shell.client(wire.json_reply(answer()))
    item = ResponsesInputMessage(role="user", content="Hi")
    shell.wait(client.responses.create(model="m", input=[item]))
    assert shell.transport.bodies == [
        {"input": [{"type": "message", "role": "user", "content": "Hi"}]}
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "not an empty one"),
        (None, "input must be a text or a list of at least one item"),
        ({"role": "user"}, "not dict"),
        (["Hi"], r"input\[0\] must be a dict or an item model, not str"),
        ([*TOLD, 7], r"input\[1\] must be a dict or an item model, not int"),
    ],
)
def test_an_input_that_is_none_is_refused(shell, given, message):
    client = shell.client(wire.json_reply(answer()))
    with pytest.raises(InvalidRequestError, match=message):
        shell.wait(client.responses.create(model="m", input=given))
    assert shell.transport.requests == []


def test_an_unknown_keyword_is_refused(shell):
    client = shell.client(wire.json_reply(answer()))
    with pytest.raises(InvalidRequestError, match="did you mean 'max_output_tokens'"):
        shell.wait(client.responses.create(**ASK, max_output_token=7))


def test_what_an_agent_did_can_be_sent_back(shell):
    long = "x" * 100
    items = [
        {"type": "reasoning", "id": long, "summary": [], "encrypted_content": "abc"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "brand_new", "kept": [1]},
        message("Done."),
    ]
    client = shell.client(lambda _: wire.json_reply(answer(*items)))
    reply = shell.wait(client.responses.create(**ASK))
    shell.wait(client.responses.create(model="m", input=[*TOLD, *reply.to_input()]))
    sent = shell.transport.bodies[1]["input"]
    assert sent[0] == TOLD[0]
    assert sent[1] == items[0] | {"id": "x" * 64}
    assert sent[2:] == items[1:]
    assert [type(item) for item in reply.output][1:] == [
        ResponsesFunctionCall,
        OtherItem,
        ResponsesMessage,
    ]
    assert [call.name for call in reply.function_calls] == ["f"]


@pytest.mark.parametrize(
    "where",
    [
        {"trace_id": "tr-1"},
        {"metadata": {"trace_id": "tr-1"}},
        {"databricks_output": {"trace": {"info": {"trace_id": "tr-1"}}}},
    ],
)
def test_the_id_of_the_trace_is_found_wherever_it_is(where):
    assert ResponsesReply.from_dict(answer(**where)).trace_id == "tr-1"
    odd = {"databricks_output": {"trace": "tr"}, "metadata": ["tr"]}
    assert ResponsesReply.from_dict(answer(**odd)).trace_id is None
    assert ResponsesReply.from_dict(answer()).trace_id is None


def test_a_reply_shows_itself():
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a": 1}'}
    shown = ResponsesReply.from_dict(answer(call, message("*652* km.")))._repr_markdown_()
    assert shown == '```python\nf({"a": 1})\n```\n\n*652* km.'


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "output is not a list"),
        ({"output": [1]}, r"output\[0\] is not an object"),
        ({"output": [{}]}, r"output\[0\].type is not a text"),
        (answer({"type": "message", "content": "Hi"}), r"output\[0\].content is not a list"),
        (answer({"type": "function_call", "name": 7}), r"output\[0\].name is not a text"),
        (answer(usage=7), "usage is not an object"),
    ],
)
def test_a_reply_of_another_shape_is_refused(shell, body, place):
    client = shell.client(wire.json_reply(body))
    with pytest.raises(InvalidResponseError, match=place):
        shell.wait(client.responses.create(**ASK))


def test_a_reply_with_parts_of_any_kind_shows_itself():
    odd = {"type": "brand_new", "text": 7}
    refused = {"type": "refusal", "refusal": "I *may* not."}
    item = message("652 km.") | {"content": [*message("652 km.")["content"], odd, refused]}
    reply = ResponsesReply.from_dict(answer({"id": "no type"}, item))
    assert reply._repr_markdown_() == "652 km.\n\n**Refused:** I \\*may\\* not."
    assert reply.messages[0].refusal == "I *may* not."


def test_an_error_in_the_first_event_is_that_of_its_status(shell):
    event = {"type": "error", "code": "rate_limit_exceeded", "message": "Slower."}
    answers = [wire.stream(event), wire.stream(done(message("652 km.")), "[DONE]")]
    client = shell.client(lambda _: answers.pop(0))
    with shell.opened(client.responses.stream(**ASK)) as stream:
        assert shell.wait(stream.get_final_completion()).text == "652 km."
    client = shell.client(wire.stream(event), max_retries=0)
    with (
        pytest.raises(RateLimitError, match="Slower"),
        shell.opened(client.responses.stream(**ASK)),
    ):
        pass


def test_an_item_that_is_an_event_is_checked_as_others_are(shell):
    with pytest.raises(StreamInterruptedError, match=r"the event\.content is not a list"):
        events_of(shell, done(message("652")), {"type": "message", "content": "km."})


def test_a_failure_at_status_200_is_an_error(shell):
    error = {"code": "server_error", "message": "The model failed."}
    client = shell.client(wire.json_reply(answer(status="failed", error=error)), max_retries=0)
    with pytest.raises(APIStatusError, match="The model failed"):
        shell.wait(client.responses.create(**ASK))


def test_the_text_of_an_item_that_is_done_comes_once(shell):
    told, reply = events_of(shell, delta("65"), delta("2 km."), done(message("652 km.")), "[DONE]")
    assert texts(told) == ["65", "2 km."]
    assert reply.to_dict()["output"] == [message("652 km.")]


def test_the_rest_of_a_text_that_was_not_streamed_comes_with_its_item(shell):
    told, reply = events_of(shell, delta("652"), done(message("652 km.")), "[DONE]")
    assert texts(told) == ["652", " km."]
    assert reply.text == "652 km."


def test_items_without_pieces_bring_their_text(shell):
    told, _ = events_of(shell, done(message("652 km.")), "[DONE]")
    assert texts(told) == ["652 km."]
    assert [type(event) for event in told][-1] is OutputItemEvent


def test_a_text_is_not_lost_where_its_item_has_another_id(shell):
    told, reply = events_of(shell, delta("652", "a"), done(message("652 km.", "b")), "[DONE]")
    assert texts(told) == ["652", " km."]
    assert len(reply.output) == 1


def test_pieces_of_a_call_are_told(shell):
    call = {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": ""}
    piece = {"type": "response.function_call_arguments.delta", "item_id": "fc", "output_index": 0}
    whole = call | {"arguments": '{"a": 1}'}
    told, reply = events_of(
        shell,
        {"type": "response.output_item.added", "output_index": 0, "item": call},
        piece | {"delta": '{"a"'},
        piece | {"delta": ": 1}"},
        done(whole, output_index=0),
    )
    pieces = [(e.name, e.id, e.arguments) for e in told if e.type == "tool_call.delta"]
    assert pieces == [("f", "c", '{"a"'), ("f", "c", ": 1}")]
    assert reply.function_calls[0].arguments == '{"a": 1}'


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_stream_that_ends_within_an_item_is_an_error_that_keeps_it(shell, cut):
    call = {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": ""}
    begun = {"type": "response.output_item.added", "output_index": 1, "item": call}
    piece = {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{"}
    events = [delta("652", output_index=0), begun, piece][:cut]
    with pytest.raises(StreamInterruptedError) as caught:
        events_of(shell, *events)
    partial = caught.value.partial
    assert partial.text == "652"
    assert [item.type_ for item in partial.output][1:] == ["function_call"] * (cut > 1)
    assert [call.arguments for call in partial.function_calls] == ["{" * (cut > 2)] * (cut > 1)


def test_a_stream_without_items_and_without_an_end_mark_is_an_error(shell):
    with pytest.raises(StreamInterruptedError):
        events_of(shell, {"type": "response.created", "response": answer()})


def test_turns_add_up(shell):
    def turn(name, text, spent):
        usage = {"input_tokens": spent, "output_tokens": 1, "total_tokens": spent + 1}
        item = message(text, f"{name}-m")
        yield {"type": "response.created", "response": answer(id=name)}
        yield delta(text, f"{name}-m", output_index=0)
        yield done(item, output_index=0)
        yield {"type": "response.completed", "response": answer(item, id=name, usage=usage)}

    result = {"type": "function_call_output", "call_id": "c", "output": "652"}
    told, reply = events_of(shell, *turn("a", "One. ", 10), result, *turn("b", "Two.", 20))
    assert texts(told) == ["One. ", "Two."]
    assert [item.type_ for item in reply.output] == ["message", "function_call_output", "message"]
    assert (reply.text, reply.last_text) == ("One. Two.", "Two.")
    assert reply.usage.total_tokens == 32
    assert reply.to_dict()["id"] == "b"
    assert [event.type for event in told].count("finish") == 2


def test_a_turn_that_is_reported_as_a_whole_only_is_told_all_the_same(shell):
    whole = answer(message("652 km."), status="completed")
    told, reply = events_of(
        shell, delta("652", "x"), {"type": "response.completed", "response": whole}
    )
    assert texts(told) == ["652", " km."]
    assert reply.status == "completed"


def test_reasoning_and_refusals_are_told_apart(shell):
    thought = {"type": "response.reasoning_summary_text.delta", "delta": "Hm."}
    refused = {"type": "response.refusal.delta", "item_id": "m", "delta": "No."}
    part = {"type": "refusal", "refusal": "No."}
    item = {"type": "message", "id": "m", "role": "assistant", "content": [part]}
    told, reply = events_of(shell, thought, refused, done(item))
    assert [e.type for e in told] == ["reasoning.delta", "refusal.delta", "output_item"]
    assert reply.text == ""


@pytest.mark.parametrize("call", ["responses", "agents"])
def test_signs_of_life_are_no_part_of_the_answer(shell, call):
    life = b"event: ping\ndata: {}\n\n", b": alive\n\n", b"event: ping\ndata:\n\n"
    events = [delta("652"), done(message("652 km."))] if call == "responses" else [piece("652 km.")]
    told, reply = events_of(shell, *life, *events, *life, "[DONE]", call=call)
    assert reply.text == "652 km."
    assert len(reply.messages) == 1
    assert texts(told)[0].startswith("652")


def test_named_events_are_read(shell):
    named = [
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
        for event in (delta("652 km."), done(message("652 km.")))
    ]
    _, reply = events_of(shell, *named)
    assert reply.text == "652 km."


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "server_error", "message": "It failed."},
        {"error": "It failed."},
        {"error_code": "INTERNAL_ERROR", "message": "It failed."},
        {"type": "response.failed", "response": answer(error={"message": "It failed."})},
    ],
)
def test_an_error_inside_the_stream_keeps_what_had_come(shell, event):
    with pytest.raises(StreamServerError, match="It failed") as caught:
        events_of(shell, delta("652"), event, "[DONE]")
    assert caught.value.partial.text == "652"


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ({}, "type is not a text"),
        ({"type": 7}, "type is not a text"),
        (done({"type": "message", "content": 7}), "item.content is not a list"),
        (delta("a", output_index="0"), "output_index is not a whole number"),
    ],
)
def test_an_event_of_another_shape_is_named(shell, event, place):
    with pytest.raises(StreamInterruptedError, match=place):
        events_of(shell, delta("652"), event)


def test_a_whole_answer_that_came_instead_of_a_stream_is_read(shell):
    client = shell.client(wire.json_reply(answer(message("652 km."))))
    with shell.opened(client.responses.stream(**ASK)) as stream:
        assert shell.wait(stream.get_final_completion()).text == "652 km."


def test_an_agent_is_not_called_again_where_it_may_have_run(shell):
    def answer_once(_):
        raise httpx.ReadError("reset")

    client = shell.client(answer_once, idempotent=False)
    with pytest.raises(APIConnectionError):
        shell.wait(client.responses.create(**ASK))
    assert len(shell.transport.requests) == 1


def test_an_event_loses_nothing():
    event = delta("a", logprobs=[], obfuscation="x")
    assert ResponsesEvent.from_dict(event).to_dict() == event


# ------------------------------------------------------------------ the older kind

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def piece(content, id_="m1", role="assistant", **fields):
    return {"delta": {"role": role, "content": content, "id": id_, **fields}}


def test_an_older_agent_answers_with_messages(shell):
    body = {"messages": [{"role": "assistant", "content": "652 km."}], "custom_outputs": {"a": 1}}
    client = shell.client(wire.json_reply(body))
    context = {"conversation_id": "c-1"}
    reply = shell.wait(client.agents.create(model="m", messages=wire.USER, context=context))
    assert (reply.text, reply.custom_outputs) == ("652 km.", {"a": 1})
    assert shell.transport.bodies == [{"messages": wire.USER, "context": context}]
    assert reply.to_messages() == body["messages"]


def test_pieces_with_one_id_are_one_message(shell):
    told, reply = events_of(
        shell,
        piece("I look "),
        piece("it up. "),
        piece("", tool_calls=[CALL]),
        piece("652", "t", "tool", tool_call_id="c", name="f"),
        piece("652 km.", "m2"),
        call="agents",
    )
    assert texts(told) == ["I look ", "it up. ", "652 km."]
    assert [m.role for m in reply.messages] == ["assistant", "tool", "assistant"]
    assert reply.messages[0].tool_calls[0].function.name == "f"
    assert (reply.text, reply.last_text) == ("I look it up. 652 km.", "652 km.")


def test_an_older_agents_stream_may_say_that_it_is_over(shell):
    last = piece("") | {"finish_reason": "stop", "custom_outputs": {"a": 1}}
    told, reply = events_of(shell, piece("652 km."), last, "[DONE]", call="agents")
    assert told[-1].finish_reason == "stop"
    assert reply.custom_outputs == {"a": 1}


def test_a_connection_that_breaks_is_an_error(shell):
    broken = wire.pieces(wire.sse(piece("652")), httpx.ReadError("reset"))
    client = shell.client(broken)
    stream = client.agents.stream(model="m", messages=wire.USER)
    with pytest.raises(StreamInterruptedError) as caught, shell.opened(stream):
        shell.wait(stream.get_final_completion())
    assert caught.value.partial.text == "652"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "messages is not a list"),
        ({"messages": [{"content": 7}]}, r"messages\[0\].content is not a text"),
        ({"messages": [{"tool_calls": [7]}]}, r"messages\[0\].tool_calls\[0\] is not an object"),
    ],
)
def test_an_older_agents_reply_of_another_shape_is_refused(shell, body, place):
    client = shell.client(wire.json_reply(body))
    with pytest.raises(InvalidResponseError, match=place):
        shell.wait(client.agents.create(model="m", messages=wire.USER))
