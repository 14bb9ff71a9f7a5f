"""Whether a decoded reply has the shape that its type promises.

The models read anything, so what this package itself builds on is checked here, on the JSON, before
they are built. What a server may leave out although the type shows it (`x-sdk-required` in the
contract) is filled in.
"""

from collections.abc import Iterator
from typing import Any, Final

from databricks_serving._core.checks import (
    check_filled,
    check_optional,
    fill,
    filled_object,
    misfit,
    objects,
    optional_object,
    optional_objects,
    wrong,
)
from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving._core.vectors import check_vectors

# What most messages have, and nothing more.
_SAID: Final = frozenset({"role", "content"})
# What a piece of reasoning of a known type holds.
_SUMMARY_KEYS = {"summary_text": "text", "summary_encrypted_text": "data"}


def check_chat_completion(data: dict[str, Any], _expected: int | None = None) -> None:
    """Check and complete a whole chat answer."""
    if is_object(data.get("databricks_service_policy")):
        # A denied call has no choices (recording: chat/service-policy-denied).
        fill(data, "choices", [])
    for path, choice in _choices(data):
        message = filled_object(choice, "message", path)
        _check_message(message, f"{path}.message")
        _check_chat_logprobs(choice, path)
        check_tool_calls(message, f"{path}.message")
    _check_usage(data)


def check_chat_chunk(data: dict[str, Any]) -> None:
    """Check and complete one event of a chat answer."""
    fill(data, "choices", [])
    for path, choice in _choices(data):
        delta = filled_object(choice, "delta", path)
        _check_message(delta, f"{path}.delta")
        _check_chat_logprobs(choice, path)
        for place, call in _calls(delta, f"{path}.delta"):
            check_optional(call, "index", int, place)
            check_optional(call, "id", str, place)
            check_optional(call, "type", str, place)
            _check_function(call, "function", place)
    _check_usage(data)


def check_completion(data: dict[str, Any], _expected: int | None = None) -> None:
    """Check and complete a whole completion."""
    for path, choice in _choices(data):
        if type(choice.get("text")) is not str:
            raise wrong(f"{path}.text", "a text")
        optional_object(choice, "logprobs", path)
    _check_usage(data)


def check_completion_chunk(data: dict[str, Any]) -> None:
    """Check and complete one event of a completion."""
    fill(data, "choices", [])
    for choice in objects(data, "choices", ""):
        fill(choice, "text", "")
    check_completion(data)


def check_embeddings(data: dict[str, Any], expected: int | None = None) -> None:
    """Check and complete a list of vectors, and put it in the order of the texts.

    Args:
        data: The decoded reply.
        expected: Number of texts in the request; None if unknown.
    """
    items = objects(data, "data", "")
    for position, item in enumerate(items):
        check_filled(item, "index", position, f"data[{position}]")
    check_vectors(items, expected)
    _check_usage(data)


def check_prediction(data: dict[str, Any], expected: int | None = None) -> None:
    """Check that a custom model's reply has predictions, where the request was of their kind.

    Args:
        data: The decoded reply.
        expected: None for a request whose reply may have any keys.
    """
    if expected is not None and not data.keys() & {"predictions", "outputs"}:
        raise misfit("there are neither predictions nor outputs")


def check_any(_data: Any) -> None:
    """Accept any JSON."""


def prediction_as_event(data: dict[str, Any]) -> dict[str, Any]:
    """Return a whole reply of a custom model as the one event of a stream."""
    return data


def check_tool_calls(message: dict[str, Any], path: str) -> None:
    """Check and complete the whole tool calls of a message."""
    for place, call in _calls(message, path):
        check_filled(call, "id", "", place)
        check_filled(call, "type", "function", place)
        function = filled_object(call, "function", place)
        check_filled(function, "name", "", f"{place}.function")
        check_filled(function, "arguments", "", f"{place}.function")


def chat_completion_as_chunk(data: dict[str, Any]) -> dict[str, Any]:
    """Return a whole chat answer, checked, as the one event of a stream."""
    choices = [
        {**{k: v for k, v in choice.items() if k != "message"}, "delta": _as_delta(choice)}
        for choice in data["choices"]
    ]
    return {**data, "object": "chat.completion.chunk", "choices": choices}


def completion_as_chunk(data: dict[str, Any]) -> dict[str, Any]:
    """Return a whole completion as the one event of a stream: they have the same form."""
    return data


def _as_delta(choice: dict[str, Any]) -> dict[str, Any]:
    delta: dict[str, Any] = dict(choice["message"])
    calls: list[dict[str, Any]] = delta.get("tool_calls") or []
    if calls:
        delta["tool_calls"] = [{**call, "index": n} for n, call in enumerate(calls)]
    return delta


def _choices(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for position, choice in enumerate(objects(data, "choices", "")):
        path = f"choices[{position}]"
        check_filled(choice, "index", position, path)
        check_optional(choice, "finish_reason", str, path)
        yield path, choice


def _calls(message: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for position, call in enumerate(optional_objects(message, "tool_calls", path)):
        yield f"{path}.tool_calls[{position}]", call


def _check_message(message: dict[str, Any], path: str) -> None:
    content = message.get("content")
    if is_list(content):
        for position, part in enumerate(objects(message, "content", path)):
            _check_part(part, f"{path}.content[{position}]")
    elif not (content is None or isinstance(content, str | dict)):
        raise wrong(f"{path}.content", "a text, a list of parts or an object")
    if message.keys() <= _SAID:
        return
    check_optional(message, "refusal", str, path)
    check_optional(message, "reasoning_content", str, path)
    _check_function(message, "function_call", path)


def _check_part(part: dict[str, Any], path: str) -> None:
    kind = part.get("type")
    if kind == "text":
        check_filled(part, "text", "", path)
        optional_objects(part, "citations", path)
    elif kind == "reasoning":
        for position, piece in enumerate(optional_objects(part, "summary", path)):
            key = _SUMMARY_KEYS.get(str(piece.get("type")))
            if key is not None:
                check_filled(piece, key, "", f"{path}.summary[{position}]")


def _check_function(data: dict[str, Any], key: str, path: str) -> None:
    function = optional_object(data, key, path)
    check_optional(function, "name", str, f"{path}.{key}")
    check_optional(function, "arguments", str, f"{path}.{key}")


def _check_chat_logprobs(choice: dict[str, Any], path: str) -> None:
    logprobs = optional_object(choice, "logprobs", path)
    if not logprobs:
        return
    for key in ("content", "refusal"):
        for position, token in enumerate(optional_objects(logprobs, key, f"{path}.logprobs")):
            place = f"{path}.logprobs.{key}[{position}]"
            _check_token(token, place)
            for rank, other in enumerate(optional_objects(token, "top_logprobs", place)):
                _check_token(other, f"{place}.top_logprobs[{rank}]")


def _check_token(token: dict[str, Any], path: str) -> None:
    check_filled(token, "token", "", path)
    if type(token.get("logprob")) not in {int, float}:
        raise wrong(f"{path}.logprob", "a number")


def _check_usage(data: dict[str, Any]) -> None:
    usage = optional_object(data, "usage", "")
    if not usage:
        return
    optional_object(usage, "prompt_tokens_details", "usage")
    optional_object(usage, "completion_tokens_details", "usage")
