"""JSON trees: access that survives a malformed document, equality that sees everything."""

from __future__ import annotations

import json
import re
from enum import Enum
from os.path import commonprefix
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
Node: TypeAlias = Json | Literal[_Absent.ABSENT]

_PLAIN_KEY = re.compile(r"[\w$-]+")
_SHOWN = 60
_CONTEXT = 20


def mapping(node: Node) -> dict[str, Json]:
    """Return the node if it is a mapping, else an empty one."""
    return node if isinstance(node, dict) else {}


def sequence(node: Node) -> list[Json]:
    """Return the node if it is a list, else an empty one."""
    return node if isinstance(node, list) else []


def spelled(node: Node) -> str:
    """Return a text that two nodes share only when nothing at all differs, not even order."""
    return "absent" if node is ABSENT else json.dumps(node)


def canonical(node: Node) -> str:
    """Return a text that two nodes share when they are the same JSON value."""
    return "absent" if node is ABSENT else json.dumps(node, sort_keys=True)


def shown(node: Node) -> str:
    """Return the node for a message, shortened."""
    return _shortened(_text(node), 0)


def contrasted(old: Node, new: Node) -> str:
    """Return both nodes for a message, shortened to where they begin to differ."""
    texts = _text(old), _text(new)
    same = len(commonprefix(texts))  # noqa: RUF071 - characters are what is compared here
    start = same if max(map(len, texts)) > _SHOWN else 0
    before, after = (_shortened(text, max(0, start - _CONTEXT)) for text in texts)
    return f"from {before} to {after}"


def _text(node: Node) -> str:
    return "nothing" if node is ABSENT else json.dumps(node, ensure_ascii=False)


def _shortened(text: str, start: int) -> str:
    text = f"...{text[start:]}" if start else text
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def joined(path: str, key: str) -> str:
    """Append a key to a readable path."""
    if key.startswith("["):
        return f"{path}{key}"
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}['{key}']"
    return f"{path}.{key}" if path else key


def keys_of(old: Node, new: Node) -> list[str]:
    """Return the keys of both mappings, old ones first, each once."""
    return list(dict.fromkeys([*mapping(old), *mapping(new)]))


def reordered(old: Iterable[Hashable], new: Iterable[Hashable]) -> bool:
    """Whether what both have in common comes in another order."""
    old, new = list(old), list(new)
    return [item for item in old if item in new] != [item for item in new if item in old]


def labelled(items: Node, label: Callable[[Json], str]) -> dict[str, Json]:
    """Return the items of a list by label, so that they are matched by name and never by index."""
    by_label: dict[str, Json] = {}
    for item in sequence(items):
        key = f"[{label(item)}]"
        copies = sum(known.startswith(key) for known in by_label)
        by_label[f"{key}#{copies + 1}" if copies else key] = item
    return by_label


def field_of(name: str) -> Callable[[Json], str]:
    """Return a label function that reads one field of an item."""
    return lambda item: str(mapping(item).get(name, shown(item)))
