"""What a handle for chat does beside calls: tools and objects, with its defaults."""

from dataclasses import dataclass

import pytest
import wire

from databricks_serving.errors import InvalidRequestError

RIVER = wire.chat('{"name": "Po"}')
CALL = {"id": "c", "type": "function", "function": {"name": "length", "arguments": "{}"}}


@dataclass
class River:
    name: str


def length() -> str:
    """Tell the length."""
    return "652 km"


def in_turn(*answers):
    left = list(answers)
    return lambda _: left.pop(0)


def test_an_object_is_parsed_with_the_defaults(shell):
    client = shell.client(lambda _: wire.json_reply(RIVER))
    defaults = {"temperature": 0.5, "max_tokens": 9, "extra_body": {"house_key": 1}}
    defaults["response_format"] = {"type": "text"}
    rivers = client.endpoint("m", served_model="v2", defaults=defaults)
    answer = shell.wait(rivers.parse(response_format=River, messages=wire.USER, max_tokens=5))
    assert answer.parsed == River("Po")
    (body,) = shell.transport.bodies
    assert (body["temperature"], body["max_tokens"], body["house_key"]) == (0.5, 5, 1)
    assert body["response_format"]["type"] == "json_schema"
    assert "served-models/v2" in shell.transport.requests[0].url.path


def test_an_object_comes_part_by_part(shell):
    events = wire.chunk('{"name": '), wire.chunk('"Po"}'), wire.chunk(finish_reason="stop")
    rivers = shell.client(wire.stream(*events, "[DONE]")).endpoint("m", defaults={"seed": 7})
    stream = rivers.parse_stream(response_format=River, messages=wire.USER)
    with shell.opened(stream):
        assert shell.wait(stream.get_final_parsed()).parsed == River("Po")
    assert shell.transport.bodies[0]["seed"] == 7


def test_tools_are_run_with_the_defaults(shell):
    called = wire.json_reply(wire.chat(None, "tool_calls", tool_calls=[CALL]))
    client = shell.client(in_turn(called, wire.json_reply(wire.chat("652 km."))))
    rivers = client.endpoint("m", defaults={"temperature": 0.5})
    run = shell.wait(rivers.run_tools(messages=wire.USER, tools=[length]))
    assert run.text == "652 km."
    assert [body["temperature"] for body in shell.transport.bodies] == [0.5, 0.5]
    assert {request.url.path for request in shell.transport.requests} == {
        "/serving-endpoints/m/invocations"
    }


def test_a_run_of_tools_is_streamed(shell):
    client = shell.client(wire.stream(wire.chunk("652 km."), wire.chunk(finish_reason="stop")))
    stream = client.endpoint("m").stream_tools(messages=wire.USER, tools=[length])
    with shell.opened(stream):
        assert shell.wait(stream.get_final_run()).text == "652 km."


@pytest.mark.parametrize("option", ["transform_input", "transform_output"])
@pytest.mark.parametrize(
    "use",
    [
        lambda one: one.parse(response_format=River, messages=wire.USER),
        lambda one: one.parse_stream(response_format=River, messages=wire.USER),
        lambda one: one.run_tools(messages=wire.USER, tools=[length]),
        lambda one: one.stream_tools(messages=wire.USER, tools=[length]),
    ],
    ids=["parse", "parse_stream", "run_tools", "stream_tools"],
)
def test_transforms_are_refused_instead_of_passed_over(shell, use, option):
    client = shell.client(wire.json_reply(RIVER))
    with pytest.raises(InvalidRequestError, match="transforms are for invoke"):
        shell.wait(use(client.endpoint("m", **{option: dict})))
    assert shell.transport.requests == []
