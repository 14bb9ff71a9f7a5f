"""What a recording must come to, computed apart from the client and in another way."""

import itertools
import json
import re
from collections.abc import Set as AbstractSet
from typing import Any

from recordings import Recording

Json = dict[str, Any]

# What the models show as always present is filled in where a server left it out.
FILLED = {
    "arguments",
    "call_id",
    "choices",
    "content",
    "delta",
    "function",
    "id",
    "index",
    "message",
    "name",
    "refusal",
    "role",
    "text",
    "type",
}


# What an agent's stream may end with.
_LAST = {
    "response.completed",
    "responses.completed",
    "response.output_item.done",
    "function_call_output",
}


def deltas_first(seen: list[Json]) -> list[Json]:
    """Return the events that bring text: the pieces, or where there are none the whole items."""
    pieces = [event for event in seen if isinstance(event.get("delta"), str | dict)]
    return pieces or [event["item"] for event in seen if "item" in event]


def _agent_text(event: Json) -> str:
    delta = event.get("delta")
    if isinstance(delta, dict):
        return delta["content"] or "" if delta["role"] == "assistant" else ""
    if isinstance(delta, str):
        return delta if event["type"] == "response.output_text.delta" else ""
    parts = event.get("content") or ()
    return "".join(part.get("text", "") for part in parts if event["type"] == "message")


def events(recording: Recording) -> list[Any]:
    """Return the JSON of the events of a streamed body, up to its terminator."""
    found: list[Any] = []
    for block in re.split(r"\r\n\r\n|\n\n", recording.body.lstrip("\ufeff"))[:-1]:
        lines = re.split(r"\r\n|\n", block)
        data = "\n".join(line[5:].removeprefix(" ") for line in lines if line.startswith("data:"))
        if data == "[DONE]":
            break
        if data:
            found.append(json.loads(data))
    return found


def outcome(recording: Recording) -> str:
    """Return how a streamed body ends: `failed`, `finished` or `interrupted`."""
    seen = events(recording)
    if any(_is_error(event) for event in seen):
        return "failed"
    if recording.task in {"predictions", "agents"}:
        return "finished"
    if recording.task == "responses":
        kinds = [event["type"] for event in seen if "type" in event]
        whole = kinds[-1] in _LAST or "data: [DONE]" in recording.body
        return "finished" if whole else "interrupted"
    reasons: dict[int, str | None] = {}
    for event in seen:
        for position, choice in enumerate(event.get("choices") or ()):
            index = choice.get("index", position)
            reasons[index] = choice.get("finish_reason") or reasons.get(index)
    finished = bool(reasons) and all(reasons.values())
    return "finished" if finished or "data: [DONE]" in recording.body else "interrupted"


def _is_error(event: object) -> bool:
    if not isinstance(event, dict):
        return False
    inner = (event.get("databricks_output") or {}).get("error")
    said = event.get("error") if not isinstance(event.get("error"), float) else None
    own = "error_code" in event or said or event.get("type") in {"error", "response.failed"}
    return bool(inner or (own and not event.get("choices")))


def text_of(message: Json) -> str:
    """Return the text of a whole message, or of one delta."""
    content = message.get("content")
    if isinstance(content, dict):
        return json.dumps(content, ensure_ascii=False)
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if part["type"] == "text")
    return content or ""


def streamed_text(recording: Recording) -> str:
    """Return the text of choice 0 of a stream, up to an error."""
    sound = itertools.takewhile(lambda event: not _is_error(event), events(recording))
    if recording.task in {"responses", "agents"}:
        return "".join(map(_agent_text, deltas_first(list(sound))))
    return "".join(
        choice.get("text") or text_of(choice.get("delta") or {})
        for event in sound
        for choice in event.get("choices") or ()
        if choice.get("index", 0) == 0
    )


def streamed_calls(recording: Recording) -> list[list[str]]:
    """Return the tool calls of a stream as [id, name, arguments], in order of appearance."""
    calls: dict[object, list[str]] = {}
    for event in events(recording):
        for choice in event.get("choices") or ():
            for piece in (choice.get("delta") or {}).get("tool_calls") or ():
                key = piece.get("index", piece.get("id"))
                call = calls.setdefault(key, ["", "", ""])
                function = piece.get("function") or {}
                call[0] = call[0] or piece.get("id") or ""
                call[1] = call[1] or function.get("name") or ""
                new = function.get("arguments") or ""
                call[2] = new if call[2] == "{}" and new else call[2] + new
    return list(calls.values())


def exact(value: object) -> str:
    """Return JSON text that tells 1, 1.0 and true apart."""
    return json.dumps(value, sort_keys=True)


def in_order(body: Json) -> Json:
    """Return a reply as the client gives it: vectors in the order of their texts."""
    data = body.get("data")
    if not isinstance(data, list) or not all(isinstance(vector, dict) for vector in data):
        return body
    places = [vector.get("index") for vector in data]
    if any(not isinstance(place, int) for place in places):
        return body
    return {**body, "data": [data[at] for at in sorted(range(len(data)), key=places.__getitem__)]}


def only_filled(wire: object, seen: object, filled: AbstractSet[str] = FILLED) -> bool:
    """Tell whether a value differs from the wire by filled-in keys alone."""
    if isinstance(wire, dict) and isinstance(seen, dict):
        same = all(
            k in seen and ((v is None and k in filled) or only_filled(v, seen[k], filled))
            for k, v in wire.items()
        )
        return same and seen.keys() - wire.keys() <= filled
    if isinstance(wire, list) and isinstance(seen, list):
        return len(wire) == len(seen) and all(
            only_filled(one, other, filled) for one, other in zip(wire, seen, strict=True)
        )
    return exact(wire) == exact(seen)
