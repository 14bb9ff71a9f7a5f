"""Message content put together from the pieces in which it is streamed."""

from typing import Any

# Text and parts may alternate in one stream (recording: chat/stream-reasoning-signature).
Piece = str | list[Any] | dict[str, Any] | None

_SUMMARY_TEXT = "summary_text"


class GrowingContent:
    """The content of one choice: a text until the first part arrives, a list of parts after.

    A whole answer that comes as a stream of one event may have an object instead.
    """

    __slots__ = ("_object", "_parts", "_text")

    def __init__(self) -> None:
        self._object: dict[str, Any] | None = None
        self._text: list[str] = []
        self._parts: list[dict[str, Any]] | None = None

    def add(self, piece: Piece) -> None:
        """Take in the content of one event; parts are JSON objects."""
        if isinstance(piece, str):
            if self._parts is None:
                self._text.append(piece)
            elif piece:
                self._add_part({"type": "text", "text": piece})
        elif isinstance(piece, list):
            for part in piece:
                self._add_part(part)
        elif piece is not None:
            self._object = piece

    def result(self) -> str | list[dict[str, Any]] | dict[str, Any] | None:
        """Return the content as a whole reply would hold it."""
        if self._object is not None:
            return self._object
        if self._parts is not None:
            return [_joined(part) for part in self._parts]
        return "".join(self._text) if self._text else None

    def _add_part(self, part: dict[str, Any]) -> None:
        if self._parts is None:
            self._parts = []
            before = "".join(self._text)
            if before:
                self._add_part({"type": "text", "text": before})
        last = self._parts[-1] if self._parts else {}
        kind = part.get("type")
        if kind == "text" and last.get("type") == kind:
            _extend_text(last, part)
        elif kind == "reasoning" and last.get("type") == kind:
            _extend_summary(last["summary"], part.get("summary"))
        else:
            self._parts.append(_opened(part))


def text_in(content: Piece) -> str:
    """Return the text that a piece of content shows, as its model does."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    return "".join(_string(part) for part in parts if part.get("type") == "text")


def reasoning_in(content: Piece) -> str:
    """Return the readable reasoning that a piece of content shows, as its model does."""
    parts = content if isinstance(content, list) else ()
    pieces = (p for part in parts if part.get("type") == "reasoning" for p in _summary(part))
    return "".join(_string(piece) for piece in pieces if piece.get("type") == _SUMMARY_TEXT)


def _summary(part: dict[str, Any]) -> list[dict[str, Any]]:
    return part.get("summary") or []


def _string(part: dict[str, Any]) -> str:
    text = part.get("text")
    return text if isinstance(text, str) else ""


def _opened(part: dict[str, Any]) -> dict[str, Any]:
    """Copy a part so that it can grow: its texts become lists of pieces."""
    if part.get("type") == "text":
        opened = {k: v for k, v in part.items() if k not in {"citation", "citations"}}
        opened["text"] = []
        _extend_text(opened, part)
        return opened
    if part.get("type") != "reasoning":
        return part
    summary: list[dict[str, Any]] = []
    _extend_summary(summary, part.get("summary"))
    return {**part, "summary": summary}


def _extend_text(last: dict[str, Any], part: dict[str, Any]) -> None:
    last["text"].append(part["text"])
    # A stream sends sources one by one, a whole reply as a list.
    single = [] if part.get("citation") is None else [part["citation"]]
    sources = [*single, *(part.get("citations") or ())]
    if sources:
        last["citations"] = [*last.get("citations", ()), *sources]


def _extend_summary(summary: list[dict[str, Any]], pieces: list[dict[str, Any]] | None) -> None:
    for piece in pieces or ():
        last = summary[-1] if summary else {}
        is_text = piece.get("type") == _SUMMARY_TEXT
        # A signature closes its text: what follows is another thought.
        if is_text and last.get("type") == _SUMMARY_TEXT and not last.get("signature"):
            last["text"].append(piece["text"])
            last.update({k: v for k, v in piece.items() if k not in {"type", "text"}})
        else:
            summary.append({**piece, "text": [piece["text"]]} if is_text else piece)


def _joined(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("type") == "text":
        return {**part, "text": "".join(part["text"])}
    if part.get("type") == "reasoning":
        return {**part, "summary": [_joined_summary(piece) for piece in part["summary"]]}
    return part


def _joined_summary(piece: dict[str, Any]) -> dict[str, Any]:
    is_text = piece.get("type") == _SUMMARY_TEXT
    return {**piece, "text": "".join(piece["text"])} if is_text else piece
