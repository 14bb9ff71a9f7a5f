"""An agent's answer put together from the events of its stream.

An agent may answer in several turns, each an answer of its own that is created and completed, with
the results of tools in between. The last event is therefore known by the end of the stream alone;
that nothing is missing is known by every item that began being done.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving.events import (
    ChunkEvent,
    FinishEvent,
    OutputItemEvent,
    ReasoningDeltaEvent,
    RefusalDeltaEvent,
    ResponsesStreamEvent,
    TextDeltaEvent,
    ToolCallDeltaEvent,
)
from databricks_serving_api.models import ResponsesEvent, ResponsesReply

_Json = dict[str, Any]

_BEGUN: Final = frozenset({"response.created", "response.in_progress", "response.queued"})
# One server writes the name in the plural.
_OVER: Final = frozenset({"response.completed", "responses.completed", "response.incomplete"})
_TEXT: Final = "response.output_text.delta"
_REFUSAL: Final = "response.refusal.delta"
_REASONING: Final = frozenset(
    {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}
)
_ARGUMENTS: Final = "response.function_call_arguments.delta"
_PIECES: Final = _REASONING | {_TEXT, _REFUSAL, _ARGUMENTS}


class GrowingItem:
    """An item that has begun and is not done yet."""

    __slots__ = ("arguments", "data", "refusal", "text")

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = dict(data)
        self.text = ""
        self.refusal = ""
        self.arguments = ""

    def to_dict(self) -> _Json:
        """Return the item as far as it has come."""
        if self.data.get("type") == "function_call" or self.arguments:
            return {"type": "function_call", **self.data, "arguments": self.arguments}
        if self.data.get("type", "message") != "message":
            return self.data
        parts = [{"type": "output_text", "text": self.text}] if self.text else []
        if self.refusal:
            parts.append({"type": "refusal", "refusal": self.refusal})
        return {"role": "assistant", **self.data, "type": "message", "content": parts}


class ResponsesAccumulator:
    """Puts an agent's answer together."""

    __slots__ = ("_done", "_envelope", "_growing", "_turn", "_usage")

    def __init__(self) -> None:
        self._envelope: _Json = {}
        self._usage: _Json = {}
        self._done: list[_Json] = []
        self._growing: dict[object, GrowingItem] = {}
        # Number of the items that were done before this turn began.
        self._turn = 0

    def add(self, chunk: ResponsesEvent) -> Iterator[ResponsesStreamEvent]:
        """Take in an event and return what is new in it."""
        # What is new is worked out at once: somebody may never ask for it.
        return iter([ChunkEvent(chunk), *self._news(chunk)])

    def snapshot(self) -> ResponsesReply:
        """Return the answer so far."""
        growing = (item.to_dict() for item in self._growing.values())
        usage = {"usage": self._usage} if self._usage else {}
        data = {**self._envelope, **usage, "output": [*self._done, *growing]}
        return ResponsesReply.from_dict(data)

    @property
    def finished(self) -> int:
        """1 if all items that began are done, and there is one; else 0."""
        return 1 if self._done and not self._growing else 0

    def _news(self, event: ResponsesEvent) -> Iterator[ResponsesStreamEvent]:
        kind = event.type_
        if kind in _PIECES:
            yield from self._piece(kind, event)
        elif kind == "response.output_item.added":
            self._growing[_key(event, event.item)] = GrowingItem(event.item or {})
        elif kind == "response.output_item.done":
            yield from self._item_done(event, event.item or {})
        elif kind in _BEGUN:
            self._turn = len(self._done)
            self._take_envelope(event.response or {})
        elif kind in _OVER:
            yield from self._turn_over(event.response or {})
        elif kind is None:
            self._envelope["trace_id"] = event.trace_id
        elif not kind.startswith("response."):
            # fact: the result of a tool comes as an event that is itself the item.
            yield from self._item_done(event, event.to_dict())

    def _piece(self, kind: str, event: ResponsesEvent) -> Iterator[ResponsesStreamEvent]:
        text = event.delta if isinstance(event.delta, str) else ""
        if kind in _REASONING:
            yield ReasoningDeltaEvent(text)
            return
        item = self._growing.setdefault(_key(event, None), GrowingItem({"id": event.item_id}))
        if kind == _TEXT:
            item.text += text
            yield TextDeltaEvent(text)
        elif kind == _REFUSAL:
            item.refusal += text
            yield RefusalDeltaEvent(text)
        else:
            item.arguments += text
            call_id, name = item.data.get("call_id") or "", item.data.get("name") or ""
            yield ToolCallDeltaEvent(text, event.output_index or 0, call_id, name)

    def _item_done(self, event: ResponsesEvent, item: _Json) -> Iterator[ResponsesStreamEvent]:
        grown, text = self._close(event, item), _text_of(item)
        self._done.append(item)
        # The text of an item that is done repeats what was streamed of it.
        said = grown.text if grown else ""
        if text.startswith(said):
            yield from _text_events(text[len(said) :])
        yield OutputItemEvent(_typed(item))

    def _close(self, event: ResponsesEvent, item: _Json) -> GrowingItem | None:
        """Return what had come of an item that is done now."""
        for key in (event.output_index, item.get("id")):
            if key is not None and key in self._growing:
                return self._growing.pop(key)
        # fact: some servers give the pieces of a text another id than its message.
        text = _text_of(item)
        for key, grown in self._growing.items():
            if grown.text and text.startswith(grown.text):
                return self._growing.pop(key)
        return None

    def _turn_over(self, response: _Json) -> Iterator[ResponsesStreamEvent]:
        output = response.get("output")
        told = self._done[self._turn :]
        if is_list(output) and output:
            items = [item for item in output if is_object(item)]
            for item in items[len(told) :]:
                yield from _text_events(self._unsaid(item))
                yield OutputItemEvent(_typed(item))
            self._done[self._turn :] = items if len(items) >= len(told) else told
        self._growing.clear()
        self._turn = len(self._done)
        self._take_envelope(response)
        usage = response.get("usage")
        if is_object(usage):
            self._usage = _summed(self._usage, usage)
        status = response.get("status")
        yield FinishEvent(status if isinstance(status, str) else "completed")

    def _unsaid(self, item: _Json) -> str:
        """Return the text of an item that was never reported done, without what was streamed."""
        text = _text_of(item)
        said = (grown.text for grown in self._growing.values() if grown.text)
        return next((text[len(t) :] for t in said if text.startswith(t)), text)

    def _take_envelope(self, response: Mapping[str, Any]) -> None:
        known = {key: value for key, value in response.items() if value is not None}
        self._envelope |= {k: v for k, v in known.items() if k not in {"output", "usage"}}


def _key(event: ResponsesEvent, item: Mapping[str, Any] | None) -> object:
    if event.output_index is not None:
        return event.output_index
    return event.item_id if item is None else item.get("id")


def _text_events(text: str) -> Iterator[ResponsesStreamEvent]:
    if text:
        yield TextDeltaEvent(text)


def _text_of(item: Mapping[str, Any]) -> str:
    parts = item.get("content")
    if item.get("type") != "message" or not is_list(parts):
        return ""
    texts = (part.get("text") for part in parts if is_object(part))
    return "".join(text for text in texts if isinstance(text, str))


def _typed(item: _Json) -> Any:
    return ResponsesReply.from_dict({"output": [item]}).output[0]


def _summed(one: Mapping[str, Any], other: Mapping[str, Any]) -> _Json:
    """Add up the counts of two turns, those inside objects too."""
    total = {**one}
    for key, value in other.items():
        before = total.get(key)
        if is_object(value):
            total[key] = _summed(before if is_object(before) else {}, value)
        elif type(value) is int and type(before) is int:
            total[key] = before + value
        elif value is not None:
            total[key] = value
    return total
