"""Tool calls put together from the pieces in which they are streamed."""

from dataclasses import dataclass, field
from typing import Any

from databricks_serving_api.models import ToolCallDelta

# Sent by some servers before the real arguments begin.
_PLACEHOLDER = "{}"


@dataclass(slots=True)
class GrowingToolCall:
    """One tool call as far as it has arrived."""

    position: int
    id: str = ""
    type: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])
    extras: dict[str, Any] = field(default_factory=dict[str, Any])

    def add(self, delta: ToolCallDelta) -> str:
        """Take in a piece; returns the new part of the arguments."""
        self.id = self.id or delta.id or ""
        self.type = self.type or delta.type_ or ""
        for key in ("thought_signature", "extra_content"):
            value = getattr(delta, key)
            if value is not None:
                self.extras[key] = value
        if delta.function is None:
            return ""
        self.name = self.name or delta.function.name or ""
        fragment = delta.function.arguments or ""
        if fragment and self.arguments == [_PLACEHOLDER]:
            self.arguments.clear()
        if fragment:
            self.arguments.append(fragment)
        return fragment

    def to_dict(self) -> dict[str, Any]:
        """Return the call as a whole reply would hold it."""
        function = {"name": self.name, "arguments": "".join(self.arguments)}
        return {"id": self.id, "type": self.type or "function", "function": function, **self.extras}


class ToolCallList:
    """The tool calls of one choice, in the order in which they began."""

    __slots__ = ("_by_index", "calls")

    def __init__(self) -> None:
        self.calls: list[GrowingToolCall] = []
        self._by_index: dict[int, GrowingToolCall] = {}

    def find(self, delta: ToolCallDelta) -> GrowingToolCall:
        """Return the call that a piece belongs to, a new one if it opens one.

        The index decides; indexes may start above 0 and have gaps. Where it is missing, or one
        index is used for several calls, a new id opens a new call and no id continues the last.
        """
        call = self._known(delta)
        if call is None or (delta.id and call.id and delta.id != call.id):
            call = GrowingToolCall(position=len(self.calls))
            self.calls.append(call)
        if delta.index is not None:
            self._by_index[delta.index] = call
        return call

    def _known(self, delta: ToolCallDelta) -> GrowingToolCall | None:
        if delta.index is not None:
            return self._by_index.get(delta.index)
        if delta.id:
            return next((call for call in self.calls if call.id == delta.id), None)
        return self.calls[-1] if self.calls else None
