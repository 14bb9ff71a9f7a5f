"""Answers as objects, as users ask for them with both clients."""

import copy
import json
import logging
import pickle
import subprocess
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NewType, TypedDict

import httpx
import pydantic
import pytest
import recordings
import wire
from typing_extensions import TypeAliasType

from databricks_serving import ParsedCompletion
from databricks_serving.errors import (
    APITimeoutError,
    ContentFilterFinishReasonError,
    InvalidRequestError,
    LengthFinishReasonError,
    ParseError,
    RefusalError,
    ServingError,
    StreamInterruptedError,
    StreamUseError,
    StructuredOutputError,
)

USER = {"role": "user", "content": "Which rivers?"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


@dataclass
class River:
    """A river.

    Attributes:
        name: On maps.
    """

    name: str
    length: float | None = None


class Town(TypedDict):
    name: str


class Lake(pydantic.BaseModel):
    name: str
    depth: int = pydantic.Field(ge=0)


def said(value, finish_reason="stop", **message):
    text = value if isinstance(value, str) or value is None else json.dumps(value)
    return wire.chat(text, finish_reason, **message) | {"usage": USAGE}


def ask(shell, *replies, hint=River, **arguments):
    waiting = list(replies)

    def answer(_):
        return wire.json_reply(waiting.pop(0) if len(waiting) > 1 else waiting[0])

    client = shell.client(answer)
    arguments = {"model": "m", "messages": [USER], "response_format": hint} | arguments
    return shell.wait(client.chat.completions.parse(**arguments))


def test_an_answer_is_an_object_of_the_type(shell):
    done = ask(shell, said({"name": "Po", "length": 652}), temperature=0)
    assert isinstance(done, ParsedCompletion)
    assert done.parsed == River("Po", 652.0)
    assert done.text == '{"name": "Po", "length": 652}'
    assert done.finish_reason == "stop"
    assert done.completion is done.replies[0]
    assert done.usage.total_tokens == 5
    (body,) = shell.transport.bodies
    assert body == {
        "messages": [USER],
        "temperature": 0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "River",
                "strict": True,
                "schema": {
                    "description": "A river.",
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "description": "On maps."},
                        "length": {"type": ["number", "null"]},
                    },
                    "required": ["name", "length"],
                    "additionalProperties": False,
                },
            },
        },
    }


@pytest.mark.parametrize(
    ("hint", "answer", "parsed"),
    [
        (Town, {"name": "Ulm"}, {"name": "Ulm"}),
        (Lake, {"name": "Como", "depth": 414}, Lake(name="Como", depth=414)),
        (list[River], {"items": [{"name": "Po", "length": None}]}, [River("Po")]),
        (list[Lake], {"items": [{"name": "Como", "depth": 1}]}, [Lake(name="Como", depth=1)]),
        (int, {"value": 3}, 3),
        (River | None, {"value": None}, None),
        (dict[str, int], {"Po": 652}, {"Po": 652}),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": 1}, {"a": 1}),
        ({"type": "array", "items": {"type": "integer"}}, {"items": [1]}, [1]),
    ],
    ids=str,
)
def test_every_kind_of_type_is_asked_for_as_an_object(shell, hint, answer, parsed):
    assert ask(shell, said(answer), hint=hint).parsed == parsed
    schema = shell.transport.bodies[0]["response_format"]["json_schema"]["schema"]
    assert schema["type"] == "object"


def test_strict_is_asked_for_where_the_type_has_a_strict_form(shell):
    def sent(hint, **options):
        ask(shell, said({}), hint=hint, **options)
        return shell.transport.bodies[-1]["response_format"]["json_schema"]

    open_ended = {"type": "object"}
    assert "strict" not in sent(open_ended)
    assert sent({"type": "object", "properties": {}})["strict"] is True
    assert "strict" not in sent({"type": "object", "properties": {}}, strict=False)
    with pytest.raises(InvalidRequestError, match="no strict form"):
        sent(open_ended, strict=True)


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"name": "Po"}\n```',
        '<think>a {river}</think>\n\n{"name": "Po"}',
        ' {"name":"Po"}\n',
    ],
)
def test_what_models_write_around_json_is_read(shell, text):
    assert ask(shell, said(text)).parsed == River("Po")


def test_an_answer_that_comes_as_an_object_is_read(shell):
    exchange = next(one for one in recordings.own() if one.name == "chat/content-object")
    assert ask(shell, exchange.body).parsed == River("Ebro")


@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [
        (said('{"name": "P', "length"), LengthFinishReasonError, "River was cut off .* max_tokens"),
        (said(None, "length"), LengthFinishReasonError, "cut off"),
        (said("", "content_filter"), ContentFilterFinishReasonError, "a content filter"),
        (said(None, refusal="I will not."), RefusalError, "the model refused to answer$"),
        (said("It is the Secret."), ParseError, "the answer for River is not JSON: "),
        (said(""), ParseError, "is not JSON"),
        (said({"name": 77}), ParseError, r"does not fit: \$\.name: Expected `str`, got `int`$"),
        (said([]), ParseError, r"does not fit: \$: Expected `object`, got `array`"),
    ],
    ids=["cut", "cut-before", "filter", "refusal", "prose", "empty", "field", "list"],
)
def test_an_answer_without_an_object_is_an_error_that_keeps_it(shell, reply, kind, message):
    with pytest.raises(kind, match=message) as caught:
        ask(shell, reply)
    error = caught.value
    assert isinstance(error, StructuredOutputError)
    assert error.completion.to_dict() == reply
    assert error.text == error.completion.text
    assert error.usage.total_tokens == 5
    shown = f"{error}{error!r}"
    assert not any(word in shown for word in ("Secret", "77", "I will not"))
    assert error.__cause__ is None
    for clone in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - our own
        assert (clone.text, str(clone)) == (error.text, str(error))


def test_a_misfit_names_its_place(shell):
    with pytest.raises(ParseError) as caught:
        ask(shell, said({"items": [{"name": "Po"}, {"name": 7}]}), hint=list[River])
    assert (caught.value.path, caught.value.expected) == ("$[1].name", "Expected `str`, got `int`")
    with pytest.raises(ParseError, match="missing required field `items`"):
        ask(shell, said([]), hint=list[River])
    with pytest.raises(ParseError) as caught:
        ask(shell, said("no"))
    assert caught.value.path is None


def test_a_policy_that_denies_is_a_content_filter(shell):
    denied = {"choices": [], "databricks_service_policy": {"action": "deny"}}
    with pytest.raises(ContentFilterFinishReasonError):
        ask(shell, denied)


def test_calls_of_tools_instead_of_an_answer_say_so(shell):
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    tool = {"type": "function", "function": {"name": "f"}}
    with pytest.raises(ParseError, match="calls tools instead, which run_tools can make") as caught:
        ask(shell, said(None, "tool_calls", tool_calls=[call]), tools=[tool], max_reasks=2)
    assert len(shell.transport.requests) == 1
    assert caught.value.completion.tool_calls[0].id == "1"


def test_a_model_is_asked_again_with_what_was_wrong(shell):
    messages = [USER]
    done = ask(
        shell,
        said({"items": [{"name": 7}]}),
        said("nothing"),
        said({"items": []}),
        hint=list[River],
        max_reasks=3,
        messages=messages,
    )
    assert done.parsed == []
    assert [reply.text for reply in done.replies] == [
        '{"items": [{"name": 7}]}',
        "nothing",
        done.text,
    ]
    assert done.usage.total_tokens == 15
    assert messages == [USER]
    last = shell.transport.bodies[-1]["messages"]
    assert last[:2] == [USER, {"role": "assistant", "content": '{"items": [{"name": 7}]}'}]
    assert last[2]["role"] == "user"
    assert "$.items[0].name: Expected `str`, got `int`" in last[2]["content"]
    assert "it is not JSON" in last[4]["content"]
    assert (
        shell.transport.bodies[-1]["response_format"]
        == shell.transport.bodies[0]["response_format"]
    )


def test_asking_again_has_an_end_and_keeps_all_answers(shell):
    with pytest.raises(ParseError) as caught:
        ask(shell, said("no"), max_reasks=2)
    assert len(caught.value.replies) == 3
    assert caught.value.usage.total_tokens == 15
    with pytest.raises(LengthFinishReasonError):
        ask(shell, said("no", "length"), max_reasks=2)
    assert len(shell.transport.requests) == 1


def test_an_empty_answer_is_not_shown_to_the_model(shell):
    ask(shell, said(""), said({"name": "Po"}), max_reasks=1)
    assert [m["role"] for m in shell.transport.bodies[1]["messages"]] == ["user", "user"]


def test_one_deadline_bounds_all_calls(shell):
    def answer(_):
        shell.clock.advance(4)
        return wire.json_reply(said("no"))

    client = shell.client(answer)
    with pytest.raises(APITimeoutError, match="total") as caught:
        shell.wait(
            client.chat.completions.parse(
                model="m", messages=[USER], response_format=River, max_reasks=9, deadline=10
            )
        )
    assert len(shell.transport.requests) == 3
    assert [reply.text for reply in caught.value.replies] == ["no", "no"]


def test_the_time_between_calls_counts_too(shell):
    def answer(_):
        shell.clock.advance(9.5)
        return wire.json_reply(said({"name": "Po"}))

    client = shell.client(answer)

    @dataclass
    class Patient:
        name: str

        def __post_init__(self):
            shell.clock.advance(1)
            raise ValueError("never")

    with pytest.raises(APITimeoutError, match="the deadline for all answers"):
        shell.wait(
            client.chat.completions.parse(
                model="m", messages=[USER], response_format=Patient, max_reasks=9, deadline=10
            )
        )
    assert len(shell.transport.requests) == 1


@dataclass
class Bad:
    parts: list[complex]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"response_format": Bad}, r"Bad\.parts\[\]: complex has no JSON form"),
        ({"response_format": {"type": "json_object"}}, "create\\(\\) takes the form of the wire"),
        ({"response_format": "River"}, "must be a type or a JSON Schema, not str"),
        ({"response_format": River("Po")}, "must be a type or a JSON Schema, not River$"),
        ({"response_format": print}, "not builtin_function_or_method"),
        ({"response_format": None}, "must be a type or a JSON Schema, not NoneType"),
        ({"max_reasks": -1}, "max_reasks must be a whole number from 0 to 10"),
        ({"max_reasks": True}, "max_reasks must be"),
        ({"strict": "yes"}, "strict must be true or false"),
        ({"n": 2}, "n must be 1"),
        ({"max_reask": 1}, "unknown parameter 'max_reask'; did you mean 'max_reasks'"),
        ({"messages": "Hi"}, "messages must be a list"),
        ({"deadline": -1}, "deadline must be positive"),
    ],
    ids=str,
)
def test_what_cannot_work_is_refused_before_anything_is_sent(shell, changed, message):
    with pytest.raises(InvalidRequestError, match=message):
        ask(shell, said({}), **changed)
    assert shell.transport.requests == []


def test_no_answer_shows_in_logs_and_reprs(shell, caplog):
    caplog.set_level(logging.DEBUG)
    done = ask(shell, said({"name": "Atlantis"}))
    assert "Atlantis" not in f"{done!r}{caplog.text}"
    assert repr(done) == "ParsedCompletion(River, finish_reason='stop')"


def test_pydantic_models_need_pydantic_alone():
    code = """
import sys
sys.modules["msgspec"] = sys.modules["msgspec.inspect"] = sys.modules["docstring_parser"] = None
import json, httpx, pydantic
from databricks_serving import ServingClient
class Lake(pydantic.BaseModel):
    '''A lake.'''
    name: str
def answer(request):
    message = {"role": "assistant", "content": json.dumps({"items": [{"name": "Como"}]})}
    return httpx.Response(200, json={"choices": [{"index": 0, "message": message}]})
client = ServingClient("https://w.example.com", "t", transport=httpx.MockTransport(answer))
hi = [{"role": "user", "content": "Hi"}]
print(client.chat.completions.parse(model="m", messages=hi, response_format=list[Lake]).parsed)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[Lake(name='Como')]\n"


# ---------------------------------------------------------------- streams

PIECES = ['{"na', 'me": "P', 'o", "leng', 'th": 65', "2}"]


def stream_of(shell, *events, hint=River, **arguments):
    client = shell.client(lambda _: wire.stream(*events))
    return client.chat.completions.parse_stream(
        model="m", messages=[USER], response_format=hint, **arguments
    )


def chunks(*texts, reason="stop"):
    return [*map(wire.chunk, texts), wire.chunk(None, reason), "[DONE]"]


def partials(shell, stream):
    """Return what there was of the object at each event."""
    found = []

    async def read_async():
        async for event in stream:
            if event.type == "parsed.delta":
                found.append(copy.deepcopy(event.partial))

    if shell.name == "async":
        shell.wait(read_async())
    else:
        found = [copy.deepcopy(e.partial) for e in stream if e.type == "parsed.delta"]
    return found


def test_the_object_is_there_as_far_as_it_has_come(shell):
    with shell.opened(stream_of(shell, *chunks(*PIECES))) as stream:
        assert stream.partial is None
        assert partials(shell, stream) == [
            {},
            {"name": "P"},
            {"name": "Po"},
            {"name": "Po", "length": 652},
        ]
        assert stream.partial == {"name": "Po", "length": 652}
        assert stream.snapshot.text == "".join(PIECES)
        done = shell.wait(stream.get_final_parsed())
    assert done.parsed == River("Po", 652.0)
    assert done.completion.finish_reason == "stop"
    assert shell.transport.bodies[0]["stream"] is True


def test_lists_are_unwrapped_in_streams_too(shell):
    events = chunks('{"ite', 'ms": [{"name": "P', 'o"}, {"name"', ': "Ebro"}]}')
    with shell.opened(stream_of(shell, *events, hint=list[River])) as stream:
        found = partials(shell, stream)
        done = shell.wait(stream.get_final_parsed())
    assert found == [
        [{"name": "P"}],
        [{"name": "Po"}, {}],
        [{"name": "Po"}, {"name": "Ebro"}],
    ]
    assert done.parsed == [River("Po"), River("Ebro")]


def test_all_other_events_come_as_in_any_stream(shell):
    with shell.opened(stream_of(shell, *chunks("{}", '"'), hint=dict[str, Any])) as stream:
        kinds = [event.type for event in shell.items(stream)]
    assert kinds == [
        "chunk",
        "text.delta",
        "parsed.delta",
        "chunk",
        "text.delta",
        "chunk",
        "finish",
    ]


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        (chunks('{"name": "P', reason="length"), LengthFinishReasonError),
        (chunks("", reason="content_filter"), ContentFilterFinishReasonError),
        ([wire.chunk(None, refusal="No."), wire.chunk(None, "stop")], RefusalError),
        (chunks('{"name": 7}'), ParseError),
        (chunks("{'name': 7}"), ParseError),
        ([wire.chunk('{"name"')], StreamInterruptedError),
    ],
    ids=["cut", "filter", "refusal", "field", "quotes", "broken"],
)
def test_a_stream_ends_with_the_errors_of_a_call(shell, events, kind):
    with shell.opened(stream_of(shell, *events)) as stream, pytest.raises(kind) as caught:
        shell.wait(stream.get_final_parsed())
    kept = caught.value.partial if kind is StreamInterruptedError else caught.value.completion
    assert kept is not None


def test_thoughts_of_a_stream_are_no_part_of_the_object(shell):
    events = chunks("<th", "ink>rivers {", "}</th", 'ink>{"name"', ': "Po"}')
    with shell.opened(stream_of(shell, *events)) as stream:
        assert partials(shell, stream)[-1] == {"name": "Po"}
        assert shell.wait(stream.get_final_parsed()).parsed == River("Po")


def test_a_stream_is_used_inside_its_block_and_refuses_what_a_call_refuses(shell):
    with pytest.raises(StreamUseError, match="not open"):
        shell.items(stream_of(shell, *chunks("{}")))
    for changed, message in (
        ({"hint": Bad}, r"Bad\.parts\[\]"),
        ({"max_reasks": 1}, "unknown parameter 'max_reasks'"),
    ):
        with pytest.raises(InvalidRequestError, match=message):
            stream_of(shell, **changed)


def test_an_error_of_the_server_comes_on_entry(shell):
    client = shell.client(httpx.Response(403, json={"message": "no"}))
    stream = client.chat.completions.parse_stream(model="m", messages=[USER], response_format=River)
    with pytest.raises(ServingError, match="403"), shell.opened(stream):
        pass


Name = NewType("Name", str)
Names = TypeAliasType("Names", list[str])


@pytest.mark.parametrize(
    ("hint", "answer", "parsed"),
    [
        (Name, {"value": "Po"}, "Po"),
        (Names, {"items": ["Po"]}, ["Po"]),
        (Any, {"value": [1]}, [1]),
        (Annotated[int, "how many"], {"value": 3}, 3),
        (Literal["a", "b"], {"value": "a"}, "a"),
    ],
    ids=["NewType", "alias", "Any", "Annotated", "Literal"],
)
def test_special_forms_are_types_too(shell, hint, answer, parsed):
    assert ask(shell, said(answer), hint=hint).parsed == parsed
