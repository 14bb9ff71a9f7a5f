"""Runs of tools as streams of events."""

import pytest
import wire
from shells import SyncShell

from databricks_serving import tool
from databricks_serving.errors import (
    InvalidRequestError,
    RateLimitError,
    StreamInterruptedError,
    StreamUseError,
    ToolLoopError,
)

USER = {"role": "user", "content": "The tide at Brest?"}


@tool
def tide(port: str) -> str:
    """Tell the tide."""
    return f"low at {port}"


def piece(arguments, name=None, id_=None):
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"index": 0, "function": function} | ({"id": id_} if id_ else {})


CALLING = [
    wire.chunk("Let me see. "),
    wire.chunk(tool_calls=[piece("", "tide", "c-1")]),
    wire.chunk(tool_calls=[piece('{"port": ')]),
    wire.chunk(tool_calls=[piece('"Brest"}')]),
    wire.chunk(None, "tool_calls"),
    "[DONE]",
]
ANSWER = [wire.chunk("Low"), wire.chunk(" tide."), wire.chunk(None, "stop"), "[DONE]"]


def stream_of(shell, *turns, tools=(tide,), **arguments):
    waiting = [list(turn) if isinstance(turn, list) else turn for turn in turns]

    def answer(_):
        turn = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return wire.stream(*turn) if isinstance(turn, list) else turn

    client = shell.client(answer, max_retries=0)
    return client.chat.completions.stream_tools(
        model="m", messages=[USER], tools=list(tools), **arguments
    )


def test_the_events_of_all_turns_come_with_the_results_of_their_tools(shell):
    with shell.opened(stream_of(shell, CALLING, ANSWER)) as stream:
        events = shell.items(stream)
        done = shell.wait(stream.get_final_run())
    assert [e.type for e in events if e.type != "chunk"] == [
        *("text.delta", "tool_call.delta", "tool_call.delta", "tool_call.delta"),
        *("tool_call.done", "finish", "tool.result", "tool.step"),
        *("text.delta", "text.delta", "finish", "tool.step"),
    ]
    (result,) = [e.result for e in events if e.type == "tool.result"]
    assert (result.name, result.content) == ("tide", "low at Brest")
    assert [e.step for e in events if e.type == "tool.step"] == list(done.steps)
    assert done.text == "Low tide."
    assert [body["stream"] for body in shell.transport.bodies] == [True, True]
    assert shell.transport.bodies[1]["messages"] == done.messages[:-1]


def test_text_and_the_final_run_are_there_alone(shell):
    with shell.opened(stream_of(shell, CALLING, ANSWER)) as stream:
        assert "".join(shell.items(stream.text_stream)) == "Let me see. Low tide."
        assert len(stream.run.steps) == 2
    with shell.opened(stream_of(shell, CALLING, ANSWER)) as stream:
        assert shell.wait(stream.get_final_run()).text == "Low tide."


def test_a_run_that_is_left_early_can_be_read_to_its_end(shell):
    with shell.opened(stream_of(shell, CALLING, ANSWER)) as stream:
        assert shell.next(stream).type == "chunk"
        assert shell.wait(stream.get_final_run()).text == "Low tide."


def test_a_run_that_is_closed_early_makes_no_more_calls(shell):
    with shell.opened(stream_of(shell, CALLING, ANSWER)) as stream:
        shell.next(stream)
        shell.wait(stream.close())
        with pytest.raises(StreamUseError, match="broken off"):
            shell.wait(stream.get_final_run())
    assert len(shell.transport.requests) == 1


def test_a_stream_that_is_cut_keeps_its_part_and_the_run(shell):
    with (
        shell.opened(stream_of(shell, CALLING, ANSWER[:1])) as stream,
        pytest.raises(StreamInterruptedError) as caught,
    ):
        shell.items(stream)
    assert caught.value.partial.text == "Low"
    assert caught.value.run.steps[0].results[0].content == "low at Brest"
    with pytest.raises(StreamInterruptedError):
        shell.wait(stream.get_final_run())


def test_what_fails_before_the_first_event_fails_on_entry(shell):
    busy = wire.json_reply({"message": "busy"}, 429)
    with pytest.raises(RateLimitError) as caught, shell.opened(stream_of(shell, busy)):
        pass
    assert caught.value.run.messages == [USER]


def test_a_stream_of_turns_is_bounded_as_a_run_is(shell):
    with (
        shell.opened(stream_of(shell, CALLING, max_turns=2)) as stream,
        pytest.raises(ToolLoopError, match="max_turns=2") as caught,
    ):
        shell.items(stream)
    assert len(caught.value.run.steps) == 2


def test_an_error_that_a_tool_raises_is_raised_again(shell):
    def fail(port: str) -> str:
        raise KeyError(port)

    tools = [tool(fail, name="tide")]
    with shell.opened(stream_of(shell, CALLING, tools=tools, on_tool_error="raise")) as stream:
        for _ in range(2):
            with pytest.raises(KeyError, match="Brest"):
                shell.wait(stream.get_final_run())


def test_a_stream_is_read_once_inside_its_block(shell):
    outside = stream_of(shell, ANSWER)
    with pytest.raises(StreamUseError, match="not open"):
        shell.items(outside)
    with shell.opened(stream_of(shell, ANSWER)) as stream:
        shell.items(stream)
        with pytest.raises(StreamUseError, match="iterated before"):
            shell.items(stream)
        with pytest.raises(StreamUseError, match="opened before"), shell.opened(stream):
            pass


def test_a_stream_that_a_tool_of_its_own_reads_is_busy():
    shell = SyncShell()

    def peek(port: str) -> str:
        next(iter(stream))
        return port

    with shell.opened(stream_of(shell, CALLING, ANSWER, tools=[tool(peek, name="tide")])) as stream:
        done = shell.wait(stream.get_final_run())
    assert done.messages[2]["content"].startswith("StreamUseError: the stream is being read")


def test_what_cannot_work_is_refused_at_once(shell):
    with pytest.raises(InvalidRequestError, match="max_turns"):
        stream_of(shell, ANSWER, max_turns=-1)
