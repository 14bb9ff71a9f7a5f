"""Message content put together from the pieces in which it is streamed."""

from typing import Any

from databricks_serving._core.json_codec import is_list, is_object

# Text and parts may alternate in one stream (recording: chat/stream-reasoning-signature).
Piece = str | list[Any] | None


class GrowingContent:
    """The content of one choice: a text until the first part arrives, a list of parts after."""

    __slots__ = ("_parts", "_text")

    def __init__(self) -> None:
        self._text: list[str] | None = None
        self._parts: list[dict[str, Any]] | None = None

    def add(self, piece: Piece) -> None:
        """Take in the content of one event; parts are JSON objects."""
        if isinstance(piece, list):
            for part in piece:
                if is_object(part):
                    self._add_part(part)
        elif piece is not None:
            self._add_text(piece)

    def result(self) -> str | list[dict[str, Any]] | None:
        """Return the content as a whole reply would hold it."""
        if self._parts is not None:
            return [_joined(part) for part in self._parts]
        return None if self._text is None else "".join(self._text)

    def _add_text(self, text: str) -> None:
        if self._parts is not None:
            if text:
                self._add_part({"type": "text", "text": text})
        elif self._text is None:
            self._text = [text]
        else:
            self._text.append(text)

    def _add_part(self, part: dict[str, Any]) -> None:
        if self._parts is None:
            self._parts = []
            before = "".join(self._text or ())
            if before:
                self._add_part({"type": "text", "text": before})
        last = self._parts[-1] if self._parts else None
        kind = part.get("type")
        if last is None or last.get("type") != kind or kind not in {"text", "reasoning"}:
            self._parts.append(_opened(part))
        elif kind == "text":
            _extend_text(last, part)
        else:
            _extend_summary(last["summary"], part.get("summary"))


def _opened(part: dict[str, Any]) -> dict[str, Any]:
    """Copy a part so that it can grow: its texts become lists of pieces."""
    if part.get("type") == "text":
        return {**part, "text": [part.get("text") or ""]}
    if part.get("type") != "reasoning":
        return part
    summary: list[dict[str, Any]] = []
    _extend_summary(summary, part.get("summary"))
    return {**part, "summary": summary}


def _extend_text(last: dict[str, Any], part: dict[str, Any]) -> None:
    last["text"].append(part.get("text") or "")
    citation = part.get("citation")
    if citation is not None:
        last["citations"] = [*(last.get("citations") or ()), citation]
    if part.get("citations"):
        last["citations"] = [*(last.get("citations") or ()), *part["citations"]]


def _extend_summary(summary: list[dict[str, Any]], pieces: object) -> None:
    for piece in pieces if is_list(pieces) else ():
        if not is_object(piece):
            continue
        last = summary[-1] if summary else None
        joins = last is not None and last.get("type") == piece.get("type") == "summary_text"
        # A signature closes its text: what follows is another thought.
        if joins and last is not None and not last.get("signature"):
            last["text"].append(piece.get("text") or "")
            last.update({k: v for k, v in piece.items() if k not in {"type", "text"}})
        elif piece.get("type") == "summary_text":
            summary.append({**piece, "text": [piece.get("text") or ""]})
        else:
            summary.append(piece)


def _joined(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("type") == "text":
        return {**part, "text": "".join(part["text"])}
    if part.get("type") == "reasoning":
        return {**part, "summary": [_joined_summary(piece) for piece in part["summary"]]}
    return part


def _joined_summary(piece: dict[str, Any]) -> dict[str, Any]:
    return (
        {**piece, "text": "".join(piece["text"])} if isinstance(piece.get("text"), list) else piece
    )
