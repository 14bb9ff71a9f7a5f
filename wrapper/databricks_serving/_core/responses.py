"""An agent's answer put together from the events of its stream.

An agent may answer in several turns, each an answer of its own that is created and completed, with
the results of tools in between. The last event is therefore known by the end of the stream alone;
that nothing is missing is known by every item and every turn that began being done.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from databricks_serving._core.agent_shapes import is_item_type
from databricks_serving._core.choices import Told
from databricks_serving._core.growing import (
    ARGUMENTS,
    REFUSAL,
    TEXT,
    GrowingItem,
    OpenItems,
    ToldItems,
    name_of,
    refusal_of,
    text_of,
)
from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving._core.plain import is_text_delta
from databricks_serving._counts import added
from databricks_serving.events import (
    FinishEvent,
    OutputItemEvent,
    ReasoningDeltaEvent,
    RefusalDeltaEvent,
    ToolCallDeltaEvent,
)
from databricks_serving_api.models import ResponsesReply

_Json = dict[str, Any]

_CREATED: Final = "response.created"
_BEGUN: Final = frozenset({_CREATED, "response.in_progress", "response.queued"})
# One server writes the name in the plural.
_OVER: Final = frozenset({"response.completed", "responses.completed", "response.incomplete"})
_REASONING: Final = frozenset(
    {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}
)
# What the pieces are of, and the item that they belong to.
_PIECES: Final[Mapping[str, tuple[str, str]]] = {
    "response.output_text.delta": (TEXT, "message"),
    "response.refusal.delta": (REFUSAL, "message"),
    "response.function_call_arguments.delta": (ARGUMENTS, "function_call"),
}
_ADDED: Final = "response.output_item.added"
_DONE: Final = "response.output_item.done"


class ResponsesAccumulator:
    """Puts an agent's answer together."""

    __slots__ = ("_created", "_done", "_envelope", "_known", "_open", "_over", "_turn", "_usage")

    def __init__(self) -> None:
        self._envelope: _Json = {}
        self._usage: _Json = {}
        self._done: list[_Json] = []
        self._open = OpenItems()
        # Number of the items that were done before this turn began, and those of it by their ids.
        self._turn = 0
        self._known: dict[object, _Json] = {}
        # Whether this turn said that it begins, and that it is over.
        self._created = False
        self._over = False

    def add(self, data: _Json) -> Told:
        """Take in an event and return what is new in it."""
        # What is new is worked out at once: somebody may never ask for it.
        return list(self._news(data))

    def add_plain(self, data: _Json) -> Told | None:
        """Take in an event as it came if it is a plain one, which needs no checks; else None."""
        return self._piece(data["type"], data) if is_text_delta(data) else None

    def snapshot(self) -> ResponsesReply:
        """Return the answer so far."""
        growing = (item.to_dict() for item in self._open)
        usage = {"usage": self._usage} if self._usage else {}
        data = {**self._envelope, **usage, "output": [*self._done, *growing]}
        return ResponsesReply.from_dict(data)

    @property
    def finished(self) -> int:
        """1 if all items and turns that began are done, and there is one; else 0."""
        whole = not self._open and (self._over or not self._created)
        return 1 if whole and (self._done or self._over) else 0

    def _news(self, event: _Json) -> Iterator[Any]:
        kind = event.get("type")
        self._take_extras(event)
        if kind is not None and kind in _PIECES:
            yield from self._piece(kind, event)
        elif kind in _REASONING:
            yield ReasoningDeltaEvent(_piece_of(event))
        elif kind == _ADDED:
            self._go_on()
            self._open.begin(event.get("item") or {}, event.get("output_index"))
        elif kind == _DONE:
            yield from self._item_done(event, event.get("item") or {})
        elif kind in _BEGUN:
            self._begin(event.get("response") or {}, anew=kind == _CREATED)
        elif kind in _OVER:
            yield from self._turn_over(event.get("response") or {})
        elif is_item_type(kind):
            # fact: the result of a tool comes as an event that is itself the item.
            yield from self._item_done(event, dict(event))

    def _begin(self, response: _Json, *, anew: bool) -> None:
        if anew or self._over or not self._created:
            self._new_turn()
        self._created = True
        self._take_envelope(response)

    def _go_on(self) -> None:
        """Take note of what belongs to a turn: the next one where the last is over."""
        if self._over:
            self._new_turn()

    def _new_turn(self) -> None:
        self._turn = len(self._done)
        self._known.clear()
        self._created = self._over = False

    def _piece(self, kind: str, event: _Json) -> Told:
        self._go_on()
        (key, owner), text = _PIECES[kind], _piece_of(event)
        item = self._open.of(event.get("output_index"), event.get("item_id"), owner)
        item.add(key, text)
        if key == TEXT:
            return [text]
        if key == REFUSAL:
            return [RefusalDeltaEvent(text)]
        call_id, name = item.data.get("call_id") or "", item.data.get("name") or ""
        return [ToolCallDeltaEvent(text, event.get("output_index") or 0, call_id, name)]

    def _item_done(self, event: _Json, item: _Json) -> Iterator[Any]:
        self._go_on()
        grown = self._open.close(item, event.get("output_index"))
        name = name_of(item)
        if grown is None and name is not None and self._known.get(name) == item:
            return
        self._known[name] = item
        self._done.append(item)
        yield from _rest_of(item, grown)
        yield OutputItemEvent(_typed(item))

    def _turn_over(self, response: _Json) -> Iterator[Any]:
        repeated, self._over = self._over, True
        output = response.get("output")
        items = [item for item in output if is_object(item)] if is_list(output) else []
        yield from self._settle(items)
        self._take_envelope(response)
        usage = response.get("usage")
        if is_object(usage):
            self._usage = added(self._usage, usage) if not repeated else self._usage
        if not repeated:
            status = response.get("status")
            yield FinishEvent(status if isinstance(status, str) else "completed")

    def _settle(self, items: list[_Json]) -> Iterator[Any]:
        """Take the output of a turn that is over, and tell what of it was not told."""
        told = self._done[self._turn :]
        copies = ToldItems(told)
        settled: list[_Json] = []
        new: list[_Json] = []
        for item in items:
            known = copies.take(item)
            if known is not None:
                # What was told has been read by somebody: it stays.
                settled.append(item if text_of(item) == text_of(known) else known)
                continue
            grown = self._open.close(item, None)
            yield from _rest_of(item, grown)
            yield OutputItemEvent(_typed(item))
            settled.append(item)
            new.append(item)
        # What has grown and was never reported is done with the turn.
        for grown in self._open.take_all():
            if grown.has_pieces or grown.kind != "message":
                new.append(grown.to_dict())
                settled.append(new[-1])
                yield OutputItemEvent(_typed(new[-1]))
        self._done[self._turn :] = settled if copies.is_empty else [*told, *new]

    def _take_extras(self, event: _Json) -> None:
        """Take what any event can have beside its own: a trace, and outputs of the agent's."""
        trace = event.get("trace_id")
        if trace is not None:
            self._envelope["trace_id"] = trace
        for key in ("custom_outputs", "databricks_output"):
            value = event.get(key)
            if is_object(value):
                self._envelope[key] = value

    def _take_envelope(self, response: Mapping[str, Any]) -> None:
        known = {key: value for key, value in response.items() if value is not None}
        self._envelope |= {k: v for k, v in known.items() if k not in {"output", "usage"}}


def _piece_of(event: _Json) -> str:
    piece = event.get("delta")
    return piece if isinstance(piece, str) else ""


def _rest_of(item: _Json, grown: GrowingItem | None) -> Iterator[Any]:
    """Yield what an item says beyond what was streamed of it, which it repeats."""
    text, refusal = text_of(item), refusal_of(item)
    said = grown.said(TEXT) if grown else ""
    refused = grown.said(REFUSAL) if grown else ""
    if text.startswith(said) and text != said:
        yield text[len(said) :]
    if refusal.startswith(refused) and refusal != refused:
        yield RefusalDeltaEvent(refusal[len(refused) :])


def _typed(item: _Json) -> Any:
    return ResponsesReply.from_dict({"output": [item]}).output[0]
