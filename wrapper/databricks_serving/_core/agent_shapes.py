"""Whether the reply of an agent has the shape that its type promises."""

from typing import Any, Final

from databricks_serving._core.checks import (
    check_filled,
    check_optional,
    fill,
    filled_object,
    objects,
    optional_object,
    optional_objects,
    wrong,
)
from databricks_serving._core.json_codec import is_object
from databricks_serving._core.shapes import check_tool_calls

# The texts that items of a known type hold; a server may leave them out.
_TEXTS: Final = {
    "message": ("role",),
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id",),
    "mcp_approval_request": ("id", "name", "arguments", "server_label"),
}
_ITEMS: Final = frozenset(
    {"message", "reasoning", "mcp_approval_request", "mcp_approval_response", "mcp_list_tools"}
)
_DEFAULTS: Final = {"role": "assistant"}
_PARTS: Final = {"output_text": "text", "refusal": "refusal"}


def check_response(data: dict[str, Any], _expected: int | None = None) -> None:
    """Check and complete a whole answer of an agent."""
    for position, item in enumerate(objects(data, "output", "")):
        check_item(item, f"output[{position}]")
    _check_envelope(data)


def check_response_event(data: dict[str, Any]) -> None:
    """Check and complete one event of an agent's stream."""
    if data.get("type") is None and type(data.get("trace_id")) is not str:
        raise wrong("type", "a text")
    check_optional(data, "type", str, "")
    if is_item_type(data.get("type")):
        check_item(data, "the event")
        return
    for key in ("output_index", "content_index", "summary_index", "sequence_number"):
        check_optional(data, key, int, "")
    check_optional(data, "item_id", str, "")
    item = optional_object(data, "item", "")
    if item:
        check_item(item, "item")
    response = optional_object(data, "response", "")
    for position, item in enumerate(optional_objects(response, "output", "response")):
        check_item(item, f"response.output[{position}]")


def is_item_type(kind: str | None) -> bool:
    """Tell items from events that say nothing of the answer, such as signs of life."""
    return kind is not None and (kind in _ITEMS or kind.endswith(("_call", "_call_output")))


def check_item(item: dict[str, Any], path: str) -> None:
    """Check and complete one item."""
    kind = item.get("type")
    if type(kind) is not str:
        raise wrong(f"{path}.type", "a text")
    for key in _TEXTS.get(kind, ()):
        check_filled(item, key, _DEFAULTS.get(key, ""), path)
    if kind == "message":
        fill(item, "content", [])
        for position, part in enumerate(objects(item, "content", path)):
            text = _PARTS.get(str(part.get("type")))
            if text is not None:
                check_filled(part, text, "", f"{path}.content[{position}]")


def check_agent_reply(data: dict[str, Any], _expected: int | None = None) -> None:
    """Check and complete a whole answer of an agent of the older kind."""
    for position, message in enumerate(objects(data, "messages", "")):
        _check_message(message, f"messages[{position}]")
    _check_envelope(data)


def check_agent_chunk(data: Any) -> None:
    """Check and complete one event of such an agent's stream."""
    if not is_object(data):
        raise wrong("the event", "a JSON object")
    _check_message(filled_object(data, "delta", ""), "delta")
    _check_envelope(data)


def response_as_event(data: dict[str, Any]) -> dict[str, Any]:
    """Return a whole answer as the one event of a stream."""
    return {"type": "response.completed", "response": data}


def agent_reply_as_chunk(data: dict[str, Any]) -> dict[str, Any]:
    """Return a whole answer as the one event of a stream."""
    said = [m["content"] or "" for m in data["messages"] if m["role"] == "assistant"]
    kept = {key: value for key, value in data.items() if key != "messages"}
    return {**kept, "delta": {"role": "assistant", "content": "".join(said)}}


def _check_message(message: dict[str, Any], path: str) -> None:
    check_filled(message, "role", "assistant", path)
    fill(message, "content", None)
    check_optional(message, "content", str, path)
    check_tool_calls(message, path)


def _check_envelope(data: dict[str, Any]) -> None:
    for key in ("usage", "custom_outputs", "databricks_output"):
        optional_object(data, key, "")
