"""What a call is about (messages, a prompt, texts), checked before anything is sent."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_origin

from databricks_serving._core.argument_types import check_types
from databricks_serving._core.json_codec import kind_of
from databricks_serving.errors import InvalidRequestError
from databricks_serving_api.params import (
    ChatParams,
    CompletionParams,
    CreateEndpointParams,
    EmbeddingParams,
    PredictionParams,
    ResponsesParams,
)
from databricks_serving_api.types import Model

# The forms of rows that MLflow's scoring server takes, of which a request has one.
FORMS: Final = ("dataframe_split", "dataframe_records", "instances", "inputs")
_MESSAGES: Final = 'a list of at least one message such as {"role": "user", "content": "Hi"}'
_ITEMS: Final = 'a list of at least one item such as {"role": "user", "content": "Hi"}'
_NEED_CONTENT: Final = frozenset({"developer", "system", "tool", "user"})
# What an assistant may say instead of content; the last two as other APIs have them.
_INSTEAD: Final = ("tool_calls", "function_call", "refusal")


def check_chat(given: Mapping[str, Any]) -> None:
    """Refuse anything but a list of at least one message, and parameters of other types."""
    messages = given.get("messages")
    if not _is_list(messages):
        raise InvalidRequestError(f"messages must be {_MESSAGES}, not {kind_of(messages)}")
    if not messages:
        raise InvalidRequestError(f"messages must be {_MESSAGES}, not an empty one")
    for position, message in enumerate(messages):
        _check_message(message, f"messages[{position}]")
    _refuse_python(given)
    check_types(ChatParams, given)


def check_completion(given: Mapping[str, Any]) -> None:
    """Refuse anything but a text or a list of at least one, and parameters of other types."""
    _check_texts("prompt", given.get("prompt"))
    check_types(CompletionParams, given)


def check_embedding(given: Mapping[str, Any]) -> None:
    """Refuse anything but a text or a list of at least one, and parameters of other types."""
    _check_texts("input", given.get("input"))
    check_types(EmbeddingParams, given)


def check_new_endpoint(given: Mapping[str, Any]) -> None:
    """Refuse parameters of other types."""
    check_types(CreateEndpointParams, given)


def check_response(given: Mapping[str, Any]) -> None:
    """Refuse anything but a list of at least one item, and parameters of other types."""
    items = given.get("input")
    if not _is_list(items) or not items:
        found = "an empty one" if _is_list(items) else kind_of(items)
        raise InvalidRequestError(f"input must be a text or {_ITEMS}, not {found}")
    for position, item in enumerate(items):
        if not isinstance(item, Mapping | Model):
            raise InvalidRequestError(
                f"input[{position}] must be a dict or an item model, not {kind_of(item)}"
            )
    check_types(ResponsesParams, given)


def as_items(given: Any) -> Any:
    """Return the input of an agent as a list of items; a text is what the user says."""
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def check_prediction(given: Mapping[str, Any]) -> None:
    """Refuse parameters of other types; the rows were checked when they were written."""
    check_types(PredictionParams, given)


def count_predictions(body: Mapping[str, Any]) -> int | None:
    """Return 1 where predictions must come; None where the reply may have any keys."""
    return 1 if body.keys() & FORMS else None


def count_answers(body: Mapping[str, Any]) -> int:
    """Return how many answers a conversation is to have."""
    n: Any = body.get("n")
    return n if type(n) is int and n > 0 else 1


def count_completions(body: Mapping[str, Any]) -> int:
    """Return how many completions one prompt or several are to have."""
    prompt: Any = body.get("prompt")
    # A list of numbers, which `extra_body` can send, is one prompt in tokens.
    several = _is_list(prompt) and all(isinstance(one, str) for one in prompt)
    return count_answers(body) * (len(prompt) if several else 1)


def count_texts(body: Mapping[str, Any]) -> int | None:
    """Return how many texts a request wants vectors of; None if that cannot be told."""
    texts: Any = body.get("input")
    if isinstance(texts, str):
        return 1
    # A list of numbers, which `extra_body` can send, is one text in tokens.
    if not (_is_list(texts) and all(isinstance(text, str) for text in texts)):
        return None
    return len(texts)


def _refuse_python(given: Mapping[str, Any]) -> None:
    """Refuse functions and types where the wire has JSON, naming what takes them."""
    wanted = given.get("response_format")
    if isinstance(wanted, type) or get_origin(wanted) is not None:
        raise InvalidRequestError("response_format is a type: parse() takes one, not this method")
    tools: Any = given.get("tools")
    if not _is_list(tools):
        return
    for position, tool in enumerate(tools):
        if not isinstance(tool, Model) and callable(tool):
            raise InvalidRequestError(
                f"tools[{position}] is a function: run_tools() takes one; here pass "
                "databricks_serving.tool(function)"
            )


def _check_message(message: Any, place: str) -> None:
    # Long talks have many of these: the common kind is told before abstract classes are asked.
    if type(message) is not dict:
        if hasattr(message, "to_request_message"):
            raise InvalidRequestError(f"{place} is a reply: send its to_request_message() instead")
        if not isinstance(message, Mapping | Model):
            raise InvalidRequestError(
                f"{place} must be a dict or a message model, not {kind_of(message)}"
            )
    role = _field(message, "role")
    if role is None:
        raise InvalidRequestError(f'{place} has no role, such as "user"')
    if not isinstance(role, str):
        raise InvalidRequestError(f"{place}.role must be a text, not {kind_of(role)}")
    if role == "assistant" and any(_field(message, name) for name in _INSTEAD):
        return
    # A role that the contract does not know is for the server to judge.
    if role == "assistant" or role in _NEED_CONTENT:
        _check_content(_field(message, "content"), role, place)


def _check_content(content: Any, role: str, place: str) -> None:
    if content is None:
        lacks = "neither content nor tool_calls" if role == "assistant" else "no content"
        raise InvalidRequestError(f"{place} has {lacks}")
    if isinstance(content, str):
        return
    if not _is_list(content):
        raise InvalidRequestError(
            f"{place}.content must be a text or a list of parts, not {kind_of(content)}"
        )
    for position, part in enumerate(content):
        if not isinstance(part, Mapping | Model):
            raise InvalidRequestError(
                f"{place}.content[{position}] must be a dict or a part model, not {kind_of(part)}"
            )


def _field(message: Any, name: str) -> Any:
    # Not by type(), from which pyright would conclude that keys are of unknown types.
    if message.__class__ is not dict and isinstance(message, Model):
        return getattr(message, name, None)
    return message.get(name)


def _check_texts(name: str, value: Any) -> None:
    if isinstance(value, str):
        return
    expected = f"{name} must be a str or a list of at least one str"
    if not _is_list(value) or not value:
        raise InvalidRequestError(f"{expected}, not {kind_of(value)}")
    for position, item in enumerate(value):
        if not isinstance(item, str):
            raise InvalidRequestError(f"{expected}; {name}[{position}] is {kind_of(item)}")


def _is_list(value: Any) -> bool:
    if type(value) is list:
        return True
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)
