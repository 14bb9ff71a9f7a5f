"""The form that nearly all events have: a piece of the text of one choice, and nothing more.

In such an event there is no error, and nothing that the checks of `shapes` would refuse or fill in:
one glance is enough. For all others this says None, and they go the long way.
"""

from typing import Any

Piece = tuple[int, str]
"""The number of a choice, and a piece of its text."""

# What has no place, or is no object, where a plain event has one.
_OTHERWISE = (KeyError, TypeError, ValueError)


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
