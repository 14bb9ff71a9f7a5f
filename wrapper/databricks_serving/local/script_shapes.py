"""Scripted texts and calls of tools in the shape that each task has."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias
from zlib import crc32

from databricks_serving.local.backends.deterministic import stamp
from databricks_serving.local.backends.deterministic.text import tokenize, usage
from databricks_serving.local.jsontypes import Json
from databricks_serving.local.rates import tokens_of
from databricks_serving.local.tasks import Task

Calls: TypeAlias = Sequence[Mapping[str, Any]]
Pieces: TypeAlias = Sequence[str]
_MODEL: Final = "scripted"
_MESSAGE: Final = "msg_1"


def reply(task: Task, request: Json, pieces: Pieces, calls: Calls) -> Json:
    """Answer in one piece.

    Args:
        task: One of `SPEAKING`.
        request: The request.
        pieces: The text, as it is cut in a stream.
        calls: Calls of tools, each with a name and arguments.
    """
    return _REPLIES[task](request, "".join(pieces), calls)


def events(task: Task, request: Json, pieces: Pieces, calls: Calls) -> Iterator[Json]:
    """Answer in pieces; the arguments are as for `reply`."""
    return _EVENTS[task](request, pieces, calls)


def _usage(request: Json, text: str, calls: Calls) -> Json:
    said = tokenize(text + "".join(_arguments(call) for call in calls))
    return usage(tokens_of({**request, "max_tokens": 0, "max_completion_tokens": 0}), len(said))


def _chat(request: Json, text: str, calls: Calls) -> Json:
    message: Json = {"role": "assistant", "content": text or (None if calls else "")}
    if calls:
        message["tool_calls"] = [_call(position, call) for position, call in enumerate(calls)]
    choice = {"index": 0, "message": message, "finish_reason": _reason(calls)}
    head = stamp("chatcmpl_", "chat.completion", _MODEL)
    return head | {"choices": [choice], "usage": _usage(request, text, calls)}


def _chat_events(request: Json, pieces: Pieces, calls: Calls) -> Iterator[Json]:
    head = stamp("chatcmpl_", "chat.completion.chunk", _MODEL)
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in pieces]
    for position, call in enumerate(calls):
        deltas.append({"tool_calls": [{"index": position, **_call(position, call)}]})
    for delta in deltas:
        yield head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    last: Json = {"index": 0, "delta": {}, "finish_reason": _reason(calls)}
    spent = _usage(request, "".join(pieces), calls)
    yield head | {"choices": [last], "usage": spent}
    options: Json = request.get("stream_options", {})
    if options.get("include_usage"):
        yield head | {"choices": [], "usage": spent}


def _completion(request: Json, text: str, calls: Calls) -> Json:
    choice = {"index": 0, "text": text, "finish_reason": "stop", "logprobs": None}
    head = stamp("cmpl_", "text_completion", _MODEL)
    return head | {"choices": [choice], "usage": _usage(request, text, calls)}


def _completion_events(request: Json, pieces: Pieces, calls: Calls) -> Iterator[Json]:
    head = stamp("cmpl_", "text_completion", _MODEL)
    for piece in pieces:
        yield head | {"choices": [{"index": 0, "text": piece, "finish_reason": None}]}
    last = {"index": 0, "text": "", "finish_reason": "stop"}
    yield head | {"choices": [last], "usage": _usage(request, "".join(pieces), calls)}


def _response(_request: Json, text: str, calls: Calls) -> Json:
    output = [*_function_calls(calls), *([_output_message(text)] if text or not calls else [])]
    return {
        "id": f"resp_{uuid.uuid4()}",
        "object": "response",
        "output": output,
        "status": "completed",
    }


def _response_events(request: Json, pieces: Pieces, calls: Calls) -> Iterator[Json]:
    for piece in pieces:
        yield {"type": "response.output_text.delta", "item_id": _MESSAGE, "delta": piece}
    for item in _response(request, "".join(pieces), calls)["output"]:
        yield {"type": "response.output_item.done", "item": item}


def _agent(_request: Json, text: str, calls: Calls) -> Json:
    message: Json = {"role": "assistant", "content": text, "id": _MESSAGE}
    if calls:
        message["tool_calls"] = [_call(position, call) for position, call in enumerate(calls)]
    return {"messages": [message]}


def _agent_events(request: Json, pieces: Pieces, calls: Calls) -> Iterator[Json]:
    for piece in pieces:
        yield {"delta": {"role": "assistant", "content": piece, "id": _MESSAGE}}
    last = _agent(request, "", calls)["messages"][0]
    yield {"delta": last, "finish_reason": _reason(calls)}


def _output_message(text: str) -> Json:
    part: Json = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": _MESSAGE, "role": "assistant", "content": [part]}


def _function_calls(calls: Calls) -> Iterator[Json]:
    for position, call in enumerate(calls):
        made = _call(position, call)
        yield {
            "type": "function_call",
            "id": f"fc_{made['id']}",
            "call_id": made["id"],
            **made["function"],
        }


def _call(position: int, call: Mapping[str, Any]) -> Json:
    function = {"name": call["name"], "arguments": _arguments(call)}
    made_up = crc32(f"{position} {function['name']} {function['arguments']}".encode())
    name = call.get("id") or f"call_{made_up:08x}"
    return {"id": name, "type": "function", "function": function}


def _arguments(call: Mapping[str, Any]) -> str:
    given = call.get("arguments")
    return given if isinstance(given, str) else json.dumps({} if given is None else given)


def _reason(calls: Calls) -> str:
    return "tool_calls" if calls else "stop"


_REPLIES: Final[Mapping[Task, Callable[[Json, str, Calls], Json]]] = {
    Task.CHAT: _chat,
    Task.COMPLETION: _completion,
    Task.RESPONSES: _response,
    Task.AGENT: _agent,
}
_EVENTS: Final[Mapping[Task, Callable[[Json, Pieces, Calls], Iterator[Json]]]] = {
    Task.CHAT: _chat_events,
    Task.COMPLETION: _completion_events,
    Task.RESPONSES: _response_events,
    Task.AGENT: _agent_events,
}
SPEAKING: Final = frozenset(_REPLIES)
