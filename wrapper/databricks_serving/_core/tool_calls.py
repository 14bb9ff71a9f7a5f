"""Tool calls put together from the pieces in which they are streamed."""

from typing import Any

from databricks_serving_api.models import FunctionCallDelta, ToolCallDelta

# Sent by some servers before the real arguments begin.
_PLACEHOLDER = "{}"


class GrowingFunction:
    """The name and the arguments of a call as far as they have arrived."""

    __slots__ = ("_arguments", "_extras", "name")

    def __init__(self) -> None:
        self.name = ""
        self._arguments: list[str] = []
        self._extras: dict[str, Any] = {}

    def add(self, delta: FunctionCallDelta) -> str:
        """Take in a piece; returns the new part of the arguments."""
        self.name = self.name or delta.name or ""
        fragment = delta.arguments or ""
        if fragment and self._arguments == [_PLACEHOLDER]:
            self._arguments.clear()
        if fragment:
            self._arguments.append(fragment)
        self._extras |= _given(delta.extra)
        return fragment

    def to_dict(self) -> dict[str, Any]:
        """Return the function as a whole reply would hold it."""
        return {**self._extras, "name": self.name, "arguments": "".join(self._arguments)}


class GrowingToolCall:
    """One tool call as far as it has arrived."""

    __slots__ = ("_extras", "_function", "_type", "id", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self.id = ""
        self._type = ""
        self._function = GrowingFunction()
        self._extras: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """Name of the function; empty until it has come."""
        return self._function.name

    def add(self, delta: ToolCallDelta) -> str:
        """Take in a piece; returns the new part of the arguments."""
        self.id = self.id or delta.id or ""
        self._type = self._type or delta.type_ or ""
        signed = {key: getattr(delta, key) for key in ("thought_signature", "extra_content")}
        self._extras |= _given(delta.extra) | _given(signed)
        return "" if delta.function is None else self._function.add(delta.function)

    def to_dict(self) -> dict[str, Any]:
        """Return the call as a whole reply would hold it."""
        known = {"id": self.id, "type": self._type or "function"}
        return {**known, "function": self._function.to_dict(), **self._extras}


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


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
