"""Items of an agent's answer that have begun and are not done yet.

fact: pieces name their item by its place in the output, by its id, by both, or by an id that the
item itself does not have; ids and places come again in later turns, and within one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from databricks_serving._core.json_codec import is_list, is_object

Json = dict[str, Any]

TEXT = "text"
REFUSAL = "refusal"
ARGUMENTS = "arguments"


class GrowingItem:
    """An item as far as it has come.

    Args:
        data: What it began with.
        index: Its place in the output, if it has one.
    """

    __slots__ = ("_pieces", "data", "index", "keys")

    def __init__(self, data: Mapping[str, Any], index: int | None) -> None:
        self.data: Json = dict(data)
        self.index = index
        # What it can be found by.
        self.keys: set[object] = set()
        self._pieces: dict[str, list[str]] = {TEXT: [], REFUSAL: [], ARGUMENTS: []}

    @property
    def kind(self) -> str:
        """The type of the item; a message unless it is known better."""
        told = self.data.get("type")
        if isinstance(told, str):
            return told
        return "function_call" if self._pieces[ARGUMENTS] else "message"

    def add(self, key: str, piece: str) -> None:
        """Take in the next piece of its text, its refusal or its arguments."""
        self._pieces[key].append(piece)

    def said(self, key: str) -> str:
        """Return what has come of its text, its refusal or its arguments."""
        return "".join(self._pieces[key])

    @property
    def has_pieces(self) -> bool:
        """Whether anything has come of it."""
        return any(self._pieces.values())

    def may_stand_at(self, index: int | None) -> bool:
        """Tell whether it can be the item at a place in the output."""
        return index is None or self.index is None or self.index == index

    def continues_as(self, item: Mapping[str, Any]) -> bool:
        """Tell whether an item that is done can be what this has grown to."""
        if self.kind != item.get("type"):
            return False
        text, arguments = text_of(item), item.get("arguments")
        said = self.said(TEXT).strip()
        called = self.said(ARGUMENTS)
        return text.strip().startswith(said) and (
            not called or (isinstance(arguments, str) and arguments.startswith(called))
        )

    def to_dict(self) -> Json:
        """Return the item as far as it has come."""
        text, refusal = self.said(TEXT), self.said(REFUSAL)
        if self.kind == "function_call" or self._pieces[ARGUMENTS]:
            data = {"type": "function_call", "call_id": "", "name": "", **self.data}
            return {**data, "arguments": self.said(ARGUMENTS)}
        if self.kind != "message":
            return self.data
        parts = [{"type": "output_text", "text": text}] if text else []
        if refusal:
            parts.append({"type": "refusal", "refusal": refusal})
        return {"role": "assistant", **self.data, "type": "message", "content": parts}


class OpenItems:
    """The items that have begun and are not done yet, in the order in which they began."""

    __slots__ = ("_by_key", "_items")

    def __init__(self) -> None:
        # Both keep their order, and lose an entry without a walk.
        self._items: dict[int, GrowingItem] = {}
        self._by_key: dict[object, GrowingItem] = {}

    def __iter__(self) -> Iterator[GrowingItem]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def begin(self, item: Mapping[str, Any], index: int | None) -> None:
        """Take note that an item begins, or what it is if pieces of it have come."""
        name = _text_in(item, "id")
        grown = self._find(index, name, item.get("type"))
        if grown is None:
            self._new(item, index, name)
        else:
            grown.data |= item
            self._name(grown, index, name)

    def of(self, index: int | None, name: str | None, kind: str) -> GrowingItem:
        """Return the item of a type that a piece belongs to."""
        found = self._find(index, name, kind) or self._unnamed(index, name, kind)
        if found is not None:
            self._name(found, index, name)
            return found
        return self._new({"type": kind} | ({} if name is None else {"id": name}), index, name)

    def close(self, item: Mapping[str, Any], index: int | None) -> GrowingItem | None:
        """Return what had come of an item that is done, and keep it no longer."""
        named = self._find(index, _text_in(item, "id"), item.get("type"))
        fits = named is not None and named.continues_as(item)
        found = named if fits else self._similar(item, index) or named
        if found is not None:
            self._drop(found)
        return found

    def take_all(self) -> list[GrowingItem]:
        """Return all items, and keep them no longer."""
        items = list(self._items.values())
        self._items.clear()
        self._by_key.clear()
        return items

    def _find(self, index: int | None, name: str | None, kind: object) -> GrowingItem | None:
        for key in (index, name):
            found = None if key is None else self._by_key.get(key)
            # Servers give several items the same place, and several the same id.
            if found is not None and found.kind == kind and found.may_stand_at(index):
                return found
        return None

    def _unnamed(self, index: int | None, name: str | None, kind: str) -> GrowingItem | None:
        """Return the last item of a type, where a piece has no name or one that nobody knows."""
        for grown in reversed(self._items.values()):
            if grown.kind == kind and grown.may_stand_at(index):
                return grown if name is None or not grown.has_pieces else None
        return None

    def _similar(self, item: Mapping[str, Any], index: int | None) -> GrowingItem | None:
        fitting = [
            grown
            for grown in self._items.values()
            if grown.may_stand_at(index) and grown.continues_as(item)
        ]
        told = (grown for grown in fitting if grown.has_pieces)
        return next(told, fitting[0] if fitting else None)

    def _new(self, data: Mapping[str, Any], index: int | None, name: str | None) -> GrowingItem:
        grown = GrowingItem(data, index)
        self._items[id(grown)] = grown
        self._name(grown, index, name)
        return grown

    def _name(self, grown: GrowingItem, index: int | None, name: str | None) -> None:
        grown.index = index if grown.index is None else grown.index
        for key in (index, name):
            if key is not None:
                self._by_key[key] = grown
                grown.keys.add(key)

    def _drop(self, grown: GrowingItem) -> None:
        del self._items[id(grown)]
        for key in grown.keys:
            if self._by_key.get(key) is grown:
                del self._by_key[key]


class ToldItems:
    """Items that were reported done, among which those of a whole answer are looked for.

    Args:
        items: The items, in order.
    """

    def __init__(self, items: list[Json]) -> None:
        self._left = dict(enumerate(items))
        self._places: dict[object, list[int]] = {}
        for place in reversed(range(len(items))):
            for key in _names(items[place]):
                self._places.setdefault(key, []).append(place)

    @property
    def is_empty(self) -> bool:
        """Whether all of them were found."""
        return not self._left

    def take(self, item: Json) -> Json | None:
        """Return the item that another is a copy of, each one once; None if it is new."""
        for key in _names(item):
            places = self._places.get(key, [])
            while places:
                found = self._left.pop(places.pop(), None)
                if found is not None:
                    return found
        return None


def text_of(item: Mapping[str, Any]) -> str:
    """Return the text of an item, as the model of a message shows it."""
    return _joined(item, ("input_text", "output_text"), "text")


def refusal_of(item: Mapping[str, Any]) -> str:
    """Return the text in which an item refuses."""
    return _joined(item, ("refusal",), "refusal")


def name_of(item: Mapping[str, Any]) -> tuple[str | None, str | None] | None:
    """Return what tells an item from others of its turn; None where it has no id."""
    name = _text_in(item, "id") or _text_in(item, "call_id")
    return None if name is None else (_text_in(item, "type"), name)


def _text_in(item: Mapping[str, Any], key: str) -> str | None:
    value = item.get(key)
    return value if isinstance(value, str) else None


def _joined(item: Mapping[str, Any], kinds: tuple[str, ...], key: str) -> str:
    parts = item.get("content")
    if item.get("type") != "message" or not is_list(parts):
        return ""
    texts = (part.get(key) for part in parts if is_object(part) and part.get("type") in kinds)
    return "".join(text for text in texts if isinstance(text, str))


def _names(item: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """Yield what an item is known by, the surest first."""
    kind, name, call = (_text_in(item, key) for key in ("type", "id", "call_id"))
    text = text_of(item)
    if name is not None:
        yield kind, "both", name, text or call
    if call:
        yield kind, "call", call
    if text:
        yield kind, "text", text
    if name is not None:
        yield kind, "id", name
    if not (name or call or text):
        yield (kind,)
