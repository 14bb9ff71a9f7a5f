"""Agents by rule: they count the words with a tool of their own, and say what was said to them."""

import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Final

from databricks_serving.local.backends.deterministic.text import echo, tokenize
from databricks_serving.local.jsontypes import Json, is_object

_TOOL: Final = "count_words"


def response(request: Json) -> Json:
    """What an agent of the task `agent/v1/responses` answers."""
    call_id, text = _call_id(), _last_text(request["input"])
    output = [*_tool_items(call_id, text), _message("msg_1", echo(text, seed=0, choice=0))]
    return {
        "id": f"resp_{uuid.uuid4()}",
        "object": "response",
        "output": output,
        "status": "completed",
        **_extras(request),
    }


def response_events(request: Json) -> Iterator[Json]:
    """The same as a stream: whole items of the tool, then the text word by word."""
    call_id, text = _call_id(), _last_text(request["input"])
    for item in _tool_items(call_id, text):
        yield {"type": "response.output_item.done", "item": item}
    said = echo(text, seed=0, choice=0)
    for word in tokenize(said):
        yield {"type": "response.output_text.delta", "item_id": "msg_1", "delta": word}
    yield {"type": "response.output_item.done", "item": _message("msg_1", said)}
    if "databricks_output" in _extras(request):
        yield {"trace_id": _extras(request)["databricks_output"]["trace"]["info"]["trace_id"]}


def messages(request: Json) -> Json:
    """What an agent of the task `agent/v2/chat` answers."""
    call_id, text = _call_id(), _last_text(request["messages"])
    said = {"role": "assistant", "content": echo(text, seed=0, choice=0), "id": "3"}
    return {"messages": [*_tool_messages(call_id, text), said], **_extras(request)}


def message_chunks(request: Json) -> Iterator[Json]:
    """The same as a stream."""
    call_id, text = _call_id(), _last_text(request["messages"])
    for message in _tool_messages(call_id, text):
        yield {"delta": message}
    for word in tokenize(echo(text, seed=0, choice=0)):
        yield {"delta": {"role": "assistant", "content": word, "id": "3"}}
    yield {"delta": {"role": "assistant", "content": "", "id": "3"}, "finish_reason": "stop"} | (
        _extras(request)
    )


def _tool_items(call_id: str, text: str) -> list[Json]:
    call = {"type": "function_call", "id": f"fc_{call_id}", "call_id": call_id, "name": _TOOL}
    result = {"type": "function_call_output", "call_id": call_id, "output": _count(text)}
    return [call | {"arguments": json.dumps({"text": text})}, result]


def _tool_messages(call_id: str, text: str) -> list[Json]:
    function = {"name": _TOOL, "arguments": json.dumps({"text": text})}
    calls = [{"id": call_id, "type": "function", "function": function}]
    return [
        {"role": "assistant", "content": "", "id": "1", "tool_calls": calls},
        {
            "role": "tool",
            "name": _TOOL,
            "content": _count(text),
            "tool_call_id": call_id,
            "id": "2",
        },
    ]


def _message(name: str, text: str) -> Json:
    part: Json = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": name, "role": "assistant", "content": [part]}


def _extras(request: Json) -> Json:
    """What an agent returns beside its answer: its inputs, and a trace if it was asked for."""
    given: Any = request.get("custom_inputs")
    extras: Json = {} if given is None else {"custom_outputs": given}
    if request.get("databricks_options", {}).get("return_trace"):
        extras["databricks_output"] = {"trace": {"info": {"trace_id": "tr-local"}}}
    return extras


def _last_text(items: Sequence[Json]) -> str:
    said = [item for item in items if item.get("role") == "user"]
    content: Any = said[-1].get("content") if said else ""
    if isinstance(content, str):
        return content
    texts = [part.get("text") for part in content or () if is_object(part)]
    return "".join(text for text in texts if isinstance(text, str))


def _count(text: str) -> str:
    return str(len(text.split()))


def _call_id() -> str:
    return f"call_{uuid.uuid4().hex[:8]}"
