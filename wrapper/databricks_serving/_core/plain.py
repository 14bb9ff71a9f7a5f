"""Whether an event has the form that nearly all events have: a piece of text and nothing more.

The checks of `shapes` find nothing wrong in such an event and nothing to fill in, so they need not
be made. `tests/unit/test_shapes.py` holds both against each other.
"""

from typing import Any, Final

from databricks_serving._core.json_codec import is_list, is_object

_SAID: Final = frozenset({"role", "content"})


def is_plain_chat_chunk(data: dict[str, Any]) -> bool:
    """Tell whether an event of a chat is a piece of the text of one choice."""
    choice = _only_choice(data)
    if choice is None:
        return False
    delta = choice.get("delta")
    if not is_object(delta) or not delta.keys() <= _SAID:
        return False
    return type(delta.get("content")) is str


def is_plain_completion_chunk(data: dict[str, Any]) -> bool:
    """Tell whether an event of a completion is a piece of the text of one choice."""
    choice = _only_choice(data)
    return choice is not None and type(choice.get("text")) is str


def _only_choice(data: dict[str, Any]) -> dict[str, Any] | None:
    """Return the only choice, where all but its text is as it should be."""
    choices = data.get("choices")
    if not is_list(choices) or len(choices) != 1 or data.get("usage") is not None:
        return None
    choice = choices[0]
    if not is_object(choice) or type(choice.get("index")) is not int:
        return None
    reason = choice.get("finish_reason")
    ends_well = reason is None or type(reason) is str
    return choice if ends_well and choice.get("logprobs") is None else None
