"""Tool calls put together from the pieces in which they are streamed."""

from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]

# Sent by some servers before the real arguments begin.
_PLACEHOLDER = "{}"
_CALL: Final = frozenset({"index", "id", "type", "function"})
_FUNCTION: Final = frozenset({"name", "arguments"})


class GrowingFunction:
    """The name and the arguments of a call as far as they have arrived."""

    __slots__ = ("_arguments", "_extras", "name")

    def __init__(self) -> None:
        self.name = ""
        self._arguments: list[str] = []
        self._extras: dict[str, Any] = {}

    def add(self, delta: Json) -> str:
        """Take in a piece; returns the new part of the arguments."""
        self.name = self.name or delta.get("name") or ""
        fragment: str = delta.get("arguments") or ""
        if fragment and self._arguments == [_PLACEHOLDER]:
            self._arguments.clear()
        if fragment:
            self._arguments.append(fragment)
        self._extras |= _beside(delta, _FUNCTION)
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

    def add(self, delta: Json) -> str:
        """Take in a piece; returns the new part of the arguments."""
        self.id = self.id or delta.get("id") or ""
        self._type = self._type or delta.get("type") or ""
        self._extras |= _beside(delta, _CALL)
        function = delta.get("function")
        return "" if function is None else self._function.add(function)

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

    def find(self, delta: Json) -> GrowingToolCall:
        """Return the call that a piece belongs to, a new one if it opens one.

        The index decides; indexes may start above 0 and have gaps. Where it is missing, or one
        index is used for several calls, a new id opens a new call and no id continues the last.
        """
        index, name = delta.get("index"), delta.get("id")
        call = self._known(index, name)
        if call is None or (name and call.id and name != call.id):
            call = GrowingToolCall(position=len(self.calls))
            self.calls.append(call)
        if index is not None:
            self._by_index[index] = call
        return call

    def _known(self, index: int | None, name: str | None) -> GrowingToolCall | None:
        if index is not None:
            return self._by_index.get(index)
        if name:
            return next((call for call in self.calls if call.id == name), None)
        return self.calls[-1] if self.calls else None


def _beside(delta: Mapping[str, Any], known: frozenset[str]) -> Json:
    return {k: v for k, v in delta.items() if v is not None and k not in known}
