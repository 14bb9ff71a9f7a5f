"""The answer of an agent of the older kind (ChatAgent), put together from its stream."""

from typing import Any

from databricks_serving._core.choices import Told
from databricks_serving.events import FinishEvent, ToolCallDoneEvent
from databricks_serving_api.models import AgentReply, ToolCall
from databricks_serving_api.types import dump

_ENVELOPE = ("id", "finish_reason", "custom_outputs", "usage", "databricks_output")


class AgentAccumulator:
    """Puts an agent's messages together; pieces with the same id are one message."""

    __slots__ = ("_envelope", "_messages", "_texts")

    # Its stream has no mark of its own: it ends with the body.
    finished = 0

    def __init__(self) -> None:
        self._envelope: dict[str, Any] = {}
        self._messages: list[dict[str, Any]] = []
        # The pieces of each message's text.
        self._texts: list[list[str]] = []

    def add(self, data: dict[str, Any]) -> Told:
        """Take in a piece and return what is new in it."""
        delta = data["delta"]
        self._envelope |= {
            key: dump(value) for key in _ENVELOPE if (value := data.get(key)) is not None
        }
        self._add({key: dump(value) for key, value in delta.items() if value is not None})
        told: Told = []
        if delta["role"] == "assistant" and delta["content"]:
            told.append(delta["content"])
        for position, call in enumerate(delta.get("tool_calls") or ()):
            told.append(ToolCallDoneEvent(ToolCall.from_dict(call), position))
        if data.get("finish_reason") is not None:
            told.append(FinishEvent(data["finish_reason"]))
        return told

    def add_plain(self, _data: Any) -> None:
        """Say that an event goes the long way."""

    def snapshot(self) -> AgentReply:
        """Return the answer so far."""
        messages = [
            message | ({"content": "".join(text)} if text else {})
            for message, text in zip(self._messages, self._texts, strict=True)
        ]
        return AgentReply.from_dict({**self._envelope, "messages": messages})

    def _add(self, delta: dict[str, Any]) -> None:
        # A sign of life, and the id of a trace, come without a piece of a message.
        if not delta.keys() - {"role"}:
            return
        message = self._message_of(delta)
        content, calls = delta.pop("content", None), delta.pop("tool_calls", None)
        message |= delta
        if content is not None:
            self._texts[-1].append(content)
        if calls:
            message.setdefault("tool_calls", []).extend(calls)

    def _message_of(self, delta: dict[str, Any]) -> dict[str, Any]:
        last = self._messages[-1] if self._messages else {}
        name = delta.get("id")
        same = name is not None and name == last.get("id") and delta.get("role") == last.get("role")
        if not same:
            self._messages.append({})
            self._texts.append([])
        return self._messages[-1]
