"""Texts that a stream brings in pieces, cleaned as the one text that they come to."""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving.testing._layouts import layout_of, written

# The keys of streamed pieces that are parts of one text.
_KEYS: Final = {
    "content", "text", "delta", "arguments", "refusal",
    "reasoning", "reasoning_content", "thinking", "partial_json",
}  # fmt: skip
_DATA: Final = b"data:"

# What is replaced, and by what.
Rule = tuple[str | re.Pattern[str], str]


class _Piece(NamedTuple):
    """A piece of a text: which text, and where in an event it is."""

    text: str
    holder: dict[str, Any]
    key: str

    @property
    def value(self) -> str:
        """The piece itself."""
        value: str = self.holder[self.key]
        return value


def without_spread(
    lines: Sequence[bytes], rules: Sequence[Rule], whole: Callable[[str], str]
) -> list[bytes]:
    """Return the lines of a stream, cleaned in what their pieces come to.

    Args:
        lines: The lines.
        rules: What is replaced in place.
        whole: Cleans a text of which more than places must change: one that holds JSON.
    """
    parsed = [_event_in(line) for line in lines]
    before = [json.dumps(event) for event in parsed]
    texts: dict[str, list[_Piece]] = {}
    for event in parsed:
        for piece in _pieces(event, ""):
            texts.setdefault(piece.text, []).append(piece)
    for pieces in texts.values():
        text = "".join(piece.value for piece in pieces)
        for rule in rules:
            if replaced(text, rule) != text:
                _replace(pieces, rule)
                text = "".join(piece.value for piece in pieces)
        if (cleaned := whole(text)) != text:
            _set(pieces, [cleaned, *("" for _ in pieces[1:])])
    return [
        line if json.dumps(event) == was else _rewritten(line, event)
        for line, event, was in zip(lines, parsed, before, strict=True)
    ]


def replaced(text: str, rule: Rule) -> str:
    """Return a text after a rule."""
    what, replacement = rule
    if isinstance(what, str):
        return text.replace(what, replacement)
    # A backslash in a replacement would begin a reference.
    return what.sub(replacement.replace("\\", r"\\"), text)


def _replace(pieces: Sequence[_Piece], rule: Rule) -> None:
    """Replace what a rule finds in the whole text, in the piece in which it begins."""
    what, replacement = rule
    pattern = re.compile(re.escape(what)) if isinstance(what, str) else what
    values = [piece.value for piece in pieces]
    starts = [0, *accumulate(map(len, values))]
    for found in reversed([*pattern.finditer("".join(values))]):
        first = bisect_right(starts, found.start()) - 1
        for at in range(first, len(values)):
            if starts[at] >= found.end():
                break
            value, offset = values[at], starts[at]
            head = value[: max(found.start() - offset, 0)]
            tail = value[max(found.end() - offset, 0) :]
            values[at] = f"{head}{replacement if at == first else ''}{tail}"
    _set(pieces, values)


def _set(pieces: Sequence[_Piece], values: Sequence[str]) -> None:
    for piece, value in zip(pieces, values, strict=True):
        piece.holder[piece.key] = value


def _pieces(value: Any, place: str) -> Iterator[_Piece]:
    """Yield the pieces in an event; those of one text have the same place."""
    if is_list(value):
        for index, one in enumerate(value):
            yield from _pieces(one, f"{place}[{index}]")
    elif is_object(value):
        # What belongs to the same answer says so by its number, wherever it stands.
        place = f"{place}#{value.get('index', value.get('output_index', ''))}"
        for key, one in value.items():
            if isinstance(one, str) and key in _KEYS:
                yield _Piece(f"{place}.{key}", value, key)
            else:
                yield from _pieces(one, f"{place}.{key}")


def _event_in(line: bytes) -> Any:
    if not line.startswith(_DATA):
        return None
    try:
        return json.loads(line[len(_DATA) :])
    except (ValueError, RecursionError):
        return None


def _rewritten(line: bytes, event: Any) -> bytes:
    bare = line[len(_DATA) :].strip(b" \r\n")
    layout = layout_of(bare)[1] or "compact"
    start = line.index(bare)
    return line[:start] + written(event, layout) + line[start + len(bare) :]
