"""The form that nearly all events have: a piece of the text of one choice, and nothing more.

In such an event there is no error, and nothing that the checks of `shapes` would refuse or fill in:
one glance is enough. For all others this says None, and they go the long way.
"""

from typing import Any, Final

Piece = tuple[int, str]
"""The number of a choice, and a piece of its text."""

# What has no place, or is no object, where a plain event has one.
_OTHERWISE: Final = (KeyError, TypeError, ValueError)

_PLACES: Final = ("output_index", "content_index", "sequence_number")
_TEXT_DELTA: Final = frozenset({"type", "delta", "item_id", *_PLACES})
_PLACE: Final = (int, type(None))
_ID: Final = (str, type(None))


def chat_piece(data: dict[str, Any]) -> Piece | None:
    """Return what an event of a chat says, if it is a plain one."""
    try:
        (choice,) = data["choices"]
        index, delta = choice["index"], choice["delta"]
        text = delta["content"]
    except _OTHERWISE:
        return None
    if len(delta) != 1 + ("role" in delta):
        return None
    return _piece(data, choice, index, text)


def completion_piece(data: dict[str, Any]) -> Piece | None:
    """Return what an event of a completion says, if it is a plain one."""
    try:
        (choice,) = data["choices"]
        index, text = choice["index"], choice["text"]
    except _OTHERWISE:
        return None
    return _piece(data, choice, index, text)


def is_text_delta(data: dict[str, Any]) -> bool:
    """Tell whether an event of an agent's answer is a plain one."""
    if data.get("type") != "response.output_text.delta" or not data.keys() <= _TEXT_DELTA:
        return False
    if type(data.get("item_id")) not in _ID:
        return False
    return all(type(data.get(key)) in _PLACE for key in _PLACES)


def _piece(data: dict[str, Any], choice: dict[str, Any], index: Any, text: Any) -> Piece | None:
    """Return a piece, unless there is more to see than that."""
    if type(index) is not int or type(text) is not str:
        return None
    get = choice.get
    if get("finish_reason") is not None or get("logprobs") is not None:
        return None
    # The number, the text, and what is null.
    if len(choice) != 2 + ("finish_reason" in choice) + ("logprobs" in choice):
        return None
    if data.get("usage") is not None or data.get("databricks_output") is not None:
        return None
    return index, text
