"""Runs in which tools, their results, or the calls of a model are out of the ordinary."""

import asyncio
import copy
import functools
import subprocess
import sys
import threading
from dataclasses import dataclass

import pytest
import wire
from shells import AsyncShell, SyncShell

from databricks_serving import tool
from databricks_serving.errors import StreamUseError

USER = {"role": "user", "content": "The tide at Brest and Vigo?"}


class Sealed:
    def to_dict(self):
        raise KeyError("of its own")


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@dataclass
class Ship:
    """A ship."""

    name: str


@dataclass
class Picky:
    name: str

    def __post_init__(self):
        raise KeyError("harbour")


def knot():
    made = []
    made.append(made)
    return made


def deep():
    made = []
    for _ in range(500):
        made = [made]
    return made


def call(name, arguments="{}", id_="c"):
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls, **more):
    return wire.chat(None, "tool_calls", tool_calls=list(calls)) | more


def run(shell, *replies, tools, messages=(USER,), **arguments):
    waiting = list(replies)
    client = shell.client(lambda _: wire.json_reply(waiting.pop(0)))
    return shell.wait(
        client.chat.completions.run_tools(
            model="m", messages=list(messages), tools=tools, **arguments
        )
    )


def ids_of(messages):
    return [m["tool_call_id"] for m in messages if m["role"] == "tool"]


@tool
def tide(port: str = "Brest") -> str:
    """Tell the tide."""
    return f"low at {port}"


@pytest.mark.parametrize(
    ("value", "told"),
    [(knot(), "RecursionError"), (deep(), "RecursionError"), (Sealed(), "KeyError: 'of its own'")],
)
def test_a_result_that_cannot_be_written_is_told_and_the_run_goes_on(shell, value, told):
    def odd() -> object:
        return value

    done = run(shell, calling(call("odd")), wire.chat("Well."), tools=[odd])
    (result,) = done.steps[0].results
    assert result.content.startswith("InvalidRequestError: the result of odd cannot be sent: ")
    assert told in result.content
    assert done.text == "Well."


def test_an_error_without_words_is_told_by_its_type(shell):
    def mute() -> str:
        raise MuteError

    def timed_out() -> str:
        raise TimeoutError

    made = calling(call("mute", id_="1"), call("timed_out", id_="2"))
    done = run(shell, made, wire.chat("Well."), tools=[mute, timed_out])
    assert [one.content for one in done.steps[0].results] == ["MuteError", "TimeoutError"]


def test_calls_with_one_id_get_one_each(shell):
    made = calling(call("tide", id_="x"), call("tide", '{"port": "Vigo"}', "x"))
    done = run(shell, made, wire.chat("Low."), tools=[tide])
    _, asked, *_ = done.messages
    assert ids_of(done.messages) == [one["id"] for one in asked["tool_calls"]]
    assert len(set(ids_of(done.messages))) == 2
    assert [one["content"] for one in done.messages[2:4]] == ["low at Brest", "low at Vigo"]


def test_made_up_ids_stand_once_in_a_conversation_that_goes_on(shell):
    made = calling(call("tide", id_=""), call("tide", id_=""))
    first = run(shell, made, made, wire.chat("Low."), tools=[tide])
    more = [*first.messages, USER]
    second = run(shell, copy.deepcopy(made), wire.chat("Low."), tools=[tide], messages=more)
    assert len(set(ids_of(second.messages))) == len(ids_of(second.messages)) == 6


def test_arguments_that_are_null_are_none(shell):
    done = run(shell, calling(call("tide", "null")), wire.chat("Low."), tools=[tide])
    assert done.steps[0].results[0].content == "low at Brest"


def test_a_class_that_refuses_its_arguments_in_any_way_is_told_to_the_model(shell):
    def greet(who: Picky) -> str:
        return who.name

    made = calling(call("greet", '{"who": {"name": "Ada"}}'))
    done = run(shell, made, wire.chat("Well."), tools=[greet], on_tool_error="raise")
    assert done.steps[0].results[0].content == (
        "ValueError: the arguments do not fit: $.who: KeyError: 'harbour'"
    )


def test_counts_that_change_their_form_between_turns_are_no_error(shell):
    first = calling(call("tide"), usage={"prompt_tokens": 1, "cache": 5})
    second = wire.chat("Low.") | {"usage": {"prompt_tokens": 2, "cache": {"read": 1}}}
    assert run(shell, first, second, tools=[tide]).usage.prompt_tokens == 3


@pytest.mark.parametrize(
    ("made", "name", "keys"),
    [
        (lambda: tool(tide, name="other"), "other", ["port"]),
        (lambda: tool(functools.partial(tide, port="Vigo")), "tide", []),
        (lambda: tool(functools.lru_cache(tide)), "tide", ["port"]),
        (lambda: tool(Ship), "Ship", ["name"]),
    ],
)
def test_what_stands_for_a_function_is_described_by_it(made, name, keys):
    one = made()
    assert one.name == name
    assert one.description in {"Tell the tide.", "A ship."}
    assert list(one.parameters["properties"]) == keys


def test_attributes_of_a_callable_object_are_its_own():
    class Tide:
        keywords = 5

        def __call__(self, port: str) -> str:
            return port

    assert list(tool(Tide(), name="tide").parameters["properties"]) == ["port"]


@pytest.mark.parametrize("name", ["on_step", "on_tool_error"])
def test_a_callback_that_is_async_by_its_class_is_refused(shell, name):
    class Hook:
        async def __call__(self, *_):
            """Nothing."""

    with pytest.raises(ValueError, match=f"{name} must be a function, and not an async one"):
        run(shell, wire.chat("Low."), tools=[tide], **{name: Hook()})


@pytest.mark.parametrize("beside", [[], ["tide"]])
def test_a_tool_that_cancels_itself_ends_the_run_as_cancelled(beside):
    async def quit_it() -> str:
        raise asyncio.CancelledError

    shell = AsyncShell()
    made = calling(call("quit_it", id_="1"), *(call(one, id_=one) for one in beside))
    with pytest.raises(asyncio.CancelledError):
        run(shell, made, wire.chat("Low."), tools=[quit_it, tide])
    shell.finish()


def test_a_stream_is_closed_by_another_thread_while_a_tool_runs():
    started, go_on, ended = threading.Event(), threading.Event(), []

    @tool
    def slow() -> str:
        started.set()
        go_on.wait(10)
        return "done"

    delta = {"index": 0, "id": "c", "function": {"name": "slow", "arguments": "{}"}}
    turn = [wire.chunk(tool_calls=[delta]), wire.chunk(None, "tool_calls"), "[DONE]"]
    shell = SyncShell()
    client = shell.client(lambda _: wire.stream(*turn), max_retries=0)
    with client.chat.completions.stream_tools(model="m", messages=[USER], tools=[slow]) as stream:
        reader = threading.Thread(target=lambda: ended.extend(stream))
        reader.start()
        assert started.wait(10)
        assert [one.id for one in stream.run.pending] == ["c"]
        stream.close()
        go_on.set()
        reader.join(10)
        assert ended[-1].type == "tool.step"
        assert stream.run.pending == ()
        with pytest.raises(StreamUseError, match="broken off"):
            stream.get_final_run()
    assert len(shell.transport.requests) == 1


def test_the_calls_of_a_turn_that_failed_are_pending(shell):
    @tool
    def broken() -> str:
        raise ZeroDivisionError

    made = [
        wire.chunk(tool_calls=[{"index": 0, "id": "c", "function": {"name": "broken"}}]),
        wire.chunk(None, "tool_calls"),
        "[DONE]",
    ]
    client = shell.client(lambda _: wire.stream(*made))
    opening = client.chat.completions.stream_tools(
        model="m", messages=[USER], tools=[broken], on_tool_error="raise"
    )
    with shell.opened(opening) as stream:
        with pytest.raises(ZeroDivisionError):
            shell.wait(stream.get_final_run())
        assert [one.id for one in stream.run.pending] == ["c"]


def test_results_that_are_json_need_no_library():
    code = """
import sys

class Refusing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in {"docstring_parser", "msgspec", "pydantic"}:
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Refusing())
from databricks_serving import errors, tool
from databricks_serving._core.tools.results import content_of
print(content_of({"low": [1.5, None]}))
for use in (lambda: content_of({1, 2}), lambda: tool(lambda port: 1, name="tide")):
    try:
        use()
    except errors.ServingError as error:
        print(error)
def tide(port: str) -> str: ...
try:
    tool(tide)
except errors.ConfigError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second, third, fourth = done.stdout.splitlines()
    assert first == '{"low":[1.5,null]}'
    assert second == fourth
    assert "tide(port)" in third
    assert fourth.endswith("needs msgspec: pip install 'databricks-serving[structured]'")


def test_the_deadline_of_a_stream_begins_when_it_is_opened(shell):
    turn = [wire.chunk("Low."), wire.chunk(None, "stop"), "[DONE]"]
    client = shell.client(lambda _: wire.stream(*turn))
    made = [
        client.chat.completions.stream_tools(model="m", messages=[USER], tools=[tide], deadline=5),
        client.chat.completions.parse_stream(
            model="m", messages=[USER], response_format=Ship, deadline=5
        ),
    ]
    shell.clock.advance(60)
    for opening in made:
        with shell.opened(opening):
            shell.clock.advance(1)
    with pytest.raises(ValueError, match="deadline must be positive"):
        client.chat.completions.stream_tools(model="m", messages=[USER], tools=[tide], deadline=-5)
