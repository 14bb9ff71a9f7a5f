"""Runs of tools, as users make them with both clients."""

# ruff: noqa: ARG001, ARG005 - what a tool is asked for it need not use

import asyncio
import json
import logging
import threading
import time
import traceback
from dataclasses import dataclass
from decimal import Decimal

import anyio
import httpx
import pytest
import wire

from databricks_serving import AsyncServingClient, ServingClient, tool
from databricks_serving.errors import (
    APITimeoutError,
    InvalidRequestError,
    RateLimitError,
    ServingError,
    ToolLoopError,
)
from databricks_serving.local import LocalEndpoint

USER = {"role": "user", "content": "The tide at Brest and Vigo?"}
PLAIN = {"type": "function", "function": {"name": "ask_human", "parameters": {"type": "object"}}}


@tool
def tide(port: str) -> str:
    """Tell the tide."""
    return f"low at {port}"


@dataclass
class Height:
    metres: Decimal


def height(port: str, marks: list[int] | None = None) -> list[Height]:
    return [Height(Decimal("1.50"))]


def call(name, arguments, id_=None, **extra):
    function = {"name": name, "arguments": json.dumps(arguments)}
    if isinstance(arguments, str):
        function["arguments"] = arguments
    return {
        "id": f"c-{name}" if id_ is None else id_,
        "type": "function",
        "function": function,
    } | extra


def calls(*made, finish_reason="tool_calls", **message):
    return wire.chat(None, finish_reason, tool_calls=list(made), **message)


def answers(*replies):
    """Answer each request with the next reply; the last one goes on."""
    waiting = list(replies)

    def answer(_):
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return reply if isinstance(reply, httpx.Response) else wire.json_reply(reply)

    return answer


def run(shell, *replies, tools=(tide,), messages=(USER,), client=None, **arguments):
    client = client or shell.client(answers(*replies))
    return shell.wait(
        client.chat.completions.run_tools(
            model="m", messages=list(messages), tools=list(tools), **arguments
        )
    )


def with_usage(reply, **usage):
    return reply | {"usage": usage}


def test_a_run_calls_what_the_model_calls_and_returns_its_answer(shell):
    first = calls(call("tide", {"port": "Brest"}, "1"), call("tide", {"port": "Vigo"}, "2"))
    first = with_usage(first, prompt_tokens=5, prompt_tokens_details={"cached_tokens": 1})
    second = with_usage(
        wire.chat("Low."), prompt_tokens=9, prompt_tokens_details={"cached_tokens": 4}
    )
    done = run(shell, first, second, temperature=0)
    assert done.text == done.reply.text == "Low."
    assert done.finish_reason == "stop"
    assert done.pending == ()
    assert [[(r.name, r.value, r.content, r.error) for r in s.results] for s in done.steps] == [
        [
            ("tide", "low at Brest", "low at Brest", None),
            ("tide", "low at Vigo", "low at Vigo", None),
        ],
        [],
    ]
    assert (done.usage.prompt_tokens, done.usage.cached_tokens) == (14, 5)
    one, two = shell.transport.bodies
    assert one["messages"] == [USER]
    assert one["tools"] == two["tools"] == [tide.definition]
    assert one["temperature"] == two["temperature"] == 0
    assert two["messages"] == [
        USER,
        {"role": "assistant", "tool_calls": first["choices"][0]["message"]["tool_calls"]},
        {"role": "tool", "tool_call_id": "1", "content": "low at Brest"},
        {"role": "tool", "tool_call_id": "2", "content": "low at Vigo"},
    ]
    assert done.messages == [*two["messages"], {"role": "assistant", "content": "Low."}]


def test_the_conversation_goes_on_with_the_messages_of_a_run(shell):
    messages = [USER]
    client = shell.client(answers(calls(call("tide", {"port": "Brest"})), wire.chat("Low.")))
    done = run(shell, messages=messages, client=client)
    assert messages == [USER]
    more = [*done.messages, {"role": "user", "content": "And tomorrow?"}]
    shell.wait(client.chat.completions.create(model="m", messages=more, tools=[tide]))
    assert len(shell.transport.bodies[-1]["messages"]) == 5


def test_plain_functions_are_tools_and_results_become_json(shell):
    done = run(shell, calls(call("height", {"port": "Brest"})), wire.chat("1.5 m"), tools=[height])
    (result,) = done.steps[0].results
    assert result.value == [Height(Decimal("1.50"))]
    assert result.content == '[{"metres":"1.50"}]'


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("", ""),
        (None, "null"),
        (3, "3"),
        ({"tidé": [1.5, True]}, '{"tidé":[1.5,true]}'),
        ((1, "a"), '[1,"a"]'),
        (wire.USER, '[{"role":"user","content":"Name a river."}]'),
    ],
)
def test_results_are_sent_as_they_are_or_as_json(shell, value, content):
    def give():
        return value

    done = run(shell, calls(call("give", {})), wire.chat("so"), tools=[give])
    assert done.messages[2]["content"] == content


def test_an_empty_text_of_arguments_means_none(shell):
    def now() -> str:
        return "noon"

    done = run(shell, calls(call("now", "")), wire.chat("noon"), tools=[now])
    assert done.steps[0].results[0].value == "noon"
    assert done.messages[1]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_what_went_wrong_is_told_to_the_model(shell):
    def fail(port: str) -> str:
        raise ValueError(f"no {port}")

    def odd(port: str) -> object:
        return object()

    made = [
        call("fail", {"port": "Brest"}, "1"),
        call("nothing", {}, "2"),
        call("tide", '{"port": ', "3"),
        call("tide", {"port": 5}, "4"),
        call("odd", {"port": "Brest"}, "5"),
    ]
    done = run(shell, calls(*made), wire.chat("sorry"), tools=[tide, fail, odd])
    assert [m["tool_call_id"] for m in done.messages[2:7]] == ["1", "2", "3", "4", "5"]
    told = [m["content"] for m in done.messages[2:7]]
    assert told[0] == "ValueError: no Brest"
    assert told[1] == "UnknownToolError: there is no tool 'nothing'; there are: tide, fail, odd"
    assert told[2].startswith("ValueError: the arguments are not JSON: ")
    assert told[3] == "ValueError: the arguments do not fit: $.port: Expected `str`, got `int`"
    assert told[4].endswith("the result of odd cannot be sent: object has no JSON form")
    results = done.steps[0].results
    assert [type(r.error).__name__ for r in results][:2] == ["ValueError", "UnknownToolError"]
    assert all(r.value is None for r in results)


def test_the_caller_may_say_what_the_model_is_told(shell):
    def fail() -> str:
        raise KeyError("secret")

    seen = []

    def on_error(made, error):
        seen.append((made.function.name, repr(error)))
        return "it does not work"

    done = run(
        shell, calls(call("fail", {})), wire.chat("ok"), tools=[fail], on_tool_error=on_error
    )
    assert done.messages[2]["content"] == "it does not work"
    assert seen == [("fail", "KeyError('secret')")]


def test_an_error_may_be_raised_as_it_is(shell):
    def fail() -> str:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(shell, calls(call("fail", {})), tools=[fail], on_tool_error="raise")


def test_a_result_that_cannot_be_sent_is_an_error_of_the_tool(shell):
    def odd() -> object:
        return object()

    with pytest.raises(InvalidRequestError, match="the result of odd cannot be sent: object"):
        run(shell, calls(call("odd", {})), tools=[odd], on_tool_error="raise")


def test_what_is_wrong_with_a_call_is_never_raised(shell):
    made = calls(call("nothing", {}), call("tide", {"port": 1}))
    done = run(shell, made, wire.chat("sorry"), on_tool_error="raise")
    assert done.text == "sorry"
    assert all(r.error is not None for r in done.steps[0].results)


def test_a_kept_error_has_the_frames_of_the_tool_alone(shell):
    def fail(port: str) -> str:
        raise ValueError(port)

    made = calls(call("fail", {"port": "a"}), call("none", {}))
    done = run(shell, made, wire.chat("ok"), tools=[fail])
    failed, unknown = (result.error for result in done.steps[0].results)
    assert [frame.name for frame in traceback.extract_tb(failed.__traceback__)] == ["fail"]
    assert unknown.__traceback__ is None
    assert unknown.__context__ is None


def test_a_model_that_never_answers_is_stopped_and_the_run_kept(shell):
    with pytest.raises(ToolLoopError, match="still calls tools after max_turns=3") as caught:
        run(shell, calls(call("tide", {"port": "Brest"})), max_turns=3)
    assert len(shell.transport.requests) == 3
    assert len(caught.value.run.steps) == 3
    assert len(caught.value.run.messages) == 6
    assert [made.function.name for made in caught.value.run.pending] == ["tide"]
    assert "Brest" not in f"{caught.value}{caught.value!r}{caught.value.run!r}"


def test_an_error_of_a_later_turn_keeps_what_was_done(shell):
    client = shell.client(
        answers(calls(call("tide", {"port": "Brest"})), wire.json_reply({"message": "no"}, 429)),
        max_retries=0,
    )
    with pytest.raises(RateLimitError) as caught:
        run(shell, client=client)
    assert [r.content for r in caught.value.run.steps[0].results] == ["low at Brest"]
    assert caught.value.run.messages[-1]["content"] == "low at Brest"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "tide"}}])
def test_a_forced_choice_is_forced_once(shell, choice):
    run(shell, calls(call("tide", {"port": "a"})), wire.chat("so"), tool_choice=choice)
    assert [b["tool_choice"] for b in shell.transport.bodies] == [choice, "auto"]


def test_other_choices_stay(shell):
    run(shell, calls(call("tide", {"port": "a"})), wire.chat("so"), tool_choice="auto")
    run(shell, wire.chat("so"))
    assert [b.get("tool_choice") for b in shell.transport.bodies] == [None]


def test_a_tool_without_a_function_ends_the_run_for_the_caller(shell):
    made = calls(call("tide", {"port": "a"}, "1"), call("ask_human", {"q": "?"}, "2"))
    done = run(shell, made, tools=[tide, PLAIN])
    assert len(shell.transport.requests) == 1
    assert [c.id for c in done.pending] == ["2"]
    assert done.finish_reason == "tool_calls"
    assert [m.get("tool_call_id") for m in done.messages] == [None, None, "1"]


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_an_answer_that_is_cut_off_ends_the_run_and_calls_nothing(shell, reason):
    called = []

    def note(text: str) -> None:
        called.append(text)

    done = run(shell, calls(call("note", '{"text": "a'), finish_reason=reason), tools=[note])
    assert done.finish_reason == reason
    assert called == []
    assert [c.function.name for c in done.pending] == ["note"]


def test_a_policy_that_denies_ends_the_run(shell):
    denied = {
        "id": "c",
        "object": "chat.completion",
        "choices": [],
        "databricks_service_policy": {},
    }
    done = run(shell, denied | {"databricks_service_policy": {"action": "deny"}})
    assert done.finish_reason == "content_filter"
    assert done.messages == [USER]


def test_signatures_and_reasoning_go_back_as_they_came(shell):
    parts = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "t", "signature": "s"}]}
    ]
    made = call("tide", {"port": "a"}, thought_signature="sig")
    run(shell, calls(made, content=parts), wire.chat("so"))
    sent = shell.transport.bodies[1]["messages"][1]
    assert sent["content"] == parts
    assert sent["tool_calls"][0]["thought_signature"] == "sig"


def test_calls_without_an_id_get_one(shell):
    done = run(
        shell,
        calls(call("tide", {"port": "a"}, ""), call("tide", {"port": "b"}, "")),
        wire.chat("so"),
    )
    ids = [c["id"] for c in done.messages[1]["tool_calls"]]
    assert len(set(ids)) == 2
    assert all(ids)
    assert [m["tool_call_id"] for m in done.messages[2:4]] == ids


def test_each_turn_is_reported_with_its_seconds(shell):
    def wait() -> None:
        shell.clock.advance(2)

    steps = []
    run(shell, calls(call("wait", {})), wire.chat("so"), tools=[wait], on_step=steps.append)
    assert [[(r.name, r.seconds) for r in s.results] for s in steps] == [[("wait", 2.0)], []]


def test_one_deadline_bounds_all_turns(shell):
    def wait() -> None:
        shell.clock.advance(4)

    with pytest.raises(APITimeoutError, match="deadline for the run") as caught:
        run(shell, calls(call("wait", {})), tools=[wait], deadline=10)
    assert len(shell.transport.requests) == 3
    assert caught.value.phase == "total"
    assert len(caught.value.run.steps) == 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tools": []}, "tools must be a list of at least one function or tool"),
        ({"tools": tide}, "tools must be a list"),
        ({"tools": [7]}, r"tools\[0\] must be a function or a tool, not int"),
        ({"tools": [tide, tide]}, r"tools\[1\]: tide is there twice"),
        ({"tools": [{"type": "function"}]}, r"tools\[0\] has no function with a name"),
        ({"tools": [lambda port: 1]}, "the name of a tool"),
        ({"max_turns": 0}, "max_turns must be a whole number of at least 1"),
        ({"max_turns": True}, "max_turns must be"),
        ({"parallel": 3}, "parallel must be true or false"),
        ({"n": 2}, "n must be 1"),
        ({"on_step": 3}, "on_step must be a function"),
        ({"on_tool_error": "ignore"}, 'on_tool_error must be a function, .* or "raise"'),
        ({"max_turn": 3}, "unknown parameter 'max_turn'; did you mean 'max_turns'"),
        ({"stream": True}, "unknown parameter 'stream'"),
        ({"messages": []}, "messages must be a list of at least one"),
        ({"messages": "Hi"}, "messages must be a list"),
        ({"deadline": "soon"}, "deadline must be a number"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_what_cannot_work_is_refused_before_anything_is_sent(shell, changed, message):
    client = shell.client(wire.json_reply(wire.chat()))
    arguments = {"model": "m", "messages": [USER], "tools": [tide]} | changed
    with pytest.raises(InvalidRequestError, match=message):
        shell.wait(client.chat.completions.run_tools(**arguments))
    assert shell.transport.requests == []


def test_an_async_function_is_refused_by_the_blocking_client_at_once():
    async def ask(port: str) -> str:
        return port

    with (
        ServingClient("https://w.example.com", "t") as client,
        pytest.raises(InvalidRequestError, match=r"tools\[0\]: ask is async; AsyncServingClient"),
    ):
        client.chat.completions.run_tools(model="m", messages=[USER], tools=[ask])


def test_a_function_that_returns_something_to_await_is_awaited_or_an_error(shell):
    async def inner() -> str:
        return "low"

    def outer() -> object:
        return inner()

    done = run(shell, calls(call("outer", {})), wire.chat("so"), tools=[outer])
    expected = "low" if shell.name == "async" else "TypeError: the tool returned something to await"
    assert done.messages[2]["content"].startswith(expected)


def test_the_calls_of_a_turn_run_at_once_unless_that_is_refused(shell):
    barrier = threading.Barrier(2, timeout=5)

    def meet(name: str) -> str:
        barrier.wait()
        return name

    made = calls(call("meet", {"name": "a"}, "1"), call("meet", {"name": "b"}, "2"))
    done = run(shell, made, wire.chat("so"), tools=[meet])
    assert [r.value for r in done.steps[0].results] == ["a", "b"]
    order = []

    def slow(name: str) -> None:
        order.append(f"{name} begins")
        time.sleep(0.02)
        order.append(f"{name} ends")

    made = calls(call("slow", {"name": "a"}, "1"), call("slow", {"name": "b"}, "2"))
    run(shell, made, wire.chat("so"), tools=[slow], parallel=False)
    assert order == ["a begins", "a ends", "b begins", "b ends"]


def test_async_tools_run_as_tasks_and_plain_ones_beside_the_loop():
    threads = []

    async def both(port: str) -> str:
        await asyncio.sleep(0)
        threads.append(threading.get_ident())
        return port

    def plain(port: str) -> str:
        threads.append(threading.get_ident())
        return port

    made = calls(call("both", {"port": "a"}, "1"), call("plain", {"port": "b"}, "2"))
    transport = httpx.MockTransport(answers(made, wire.chat("so")))

    async def main():
        async with AsyncServingClient("https://w.example.com", "t", transport=transport) as client:
            return await client.chat.completions.run_tools(
                model="m", messages=[USER], tools=[both, plain]
            )

    done = asyncio.run(main())
    assert [r.value for r in done.steps[0].results] == ["a", "b"]
    assert threading.get_ident() in threads
    assert len(set(threads)) == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_run_does_not_wait_for_a_tool(backend):
    release = threading.Event()

    def hang() -> None:
        release.wait(20)

    transport = httpx.MockTransport(answers(calls(call("hang", {}))))

    async def main():
        async with AsyncServingClient("https://w.example.com", "t", transport=transport) as client:
            with anyio.move_on_after(0.1) as scope:
                await client.chat.completions.run_tools(model="m", messages=[USER], tools=[hang])
            return scope.cancelled_caught

    try:
        started = time.monotonic()
        assert anyio.run(main, backend=backend)
        assert time.monotonic() - started < 5
    finally:
        release.set()


def test_a_ctrl_c_in_a_tool_goes_through(shell):
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(shell, calls(call("stop", {})), tools=[stop])


def test_a_run_shows_no_text_in_logs_and_reprs(shell, caplog):
    caplog.set_level(logging.DEBUG)
    done = run(shell, calls(call("tide", {"port": "Atlantis"})), wire.chat("Deep."))
    shown = f"{done!r}{done.steps!r}{done.steps[0].results!r}{caplog.text}"
    assert repr(done.steps[0].results[0]) == "ToolResult('tide', done, 0.000 s)"
    assert not any(word in shown for word in ("Atlantis", "Deep", "Vigo"))


def test_an_error_before_the_first_answer_has_an_empty_run(shell):
    client = shell.client(wire.json_reply({"message": "no"}, 403), max_retries=0)
    with pytest.raises(ServingError) as caught:
        run(shell, client=client)
    assert caught.value.run.steps == ()
    assert caught.value.run.messages == [USER]


def test_a_run_over_a_real_connection_calls_and_answers(shell):
    with LocalEndpoint(model="deterministic") as local:
        client = shell.client_class(local.host, local.token)
        chat = client.chat.completions
        arguments = {
            "model": "local-chat",
            "messages": [USER],
            "tools": [tide],
            "tool_choice": "required",
        }
        done = shell.wait(chat.run_tools(**arguments))
        with shell.opened(chat.stream_tools(**arguments)) as stream:
            kinds = {event.type for event in shell.items(stream)}
        shell.wait(client.close())
    assert [r.content for r in done.steps[0].results] == ["low at port"]
    assert done.text == f"You said: {USER['content']}"
    assert done.usage.total_tokens > 0
    assert {"text.delta", "tool_call.done", "tool.result", "tool.step"} <= kinds
