"""Whether a decoded reply has the shape that its type promises.

The models read anything, so the promise is checked here, on the JSON, before they are built. What
a server may leave out although the type shows it (`x-sdk-required` in the contract) is filled in.
"""

from typing import Any

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving.errors import InvalidResponseError


def check_chat_completion(data: dict[str, Any]) -> None:
    """Check and complete a whole chat answer."""
    if is_object(data.get("databricks_service_policy")):
        # A denied call has no choices (recording: chat/service-policy-denied).
        _fill(data, "choices", [])
    for position, choice in enumerate(_objects(data, "choices", "")):
        path = f"choices[{position}]"
        _fill(choice, "index", position)
        message = _object(choice, "message", path)
        _check_content(message, f"{path}.message")
        _complete_tool_calls(message, f"{path}.message")


def check_chat_chunk(data: dict[str, Any]) -> None:
    """Check and complete one event of a chat answer."""
    _fill(data, "choices", [])
    for position, choice in enumerate(_objects(data, "choices", "")):
        path = f"choices[{position}]"
        _fill(choice, "index", position)
        delta = _object(choice, "delta", path)
        _check_content(delta, f"{path}.delta")
        if delta.get("tool_calls") is not None:
            _objects(delta, "tool_calls", f"{path}.delta.")


def check_completion(data: dict[str, Any]) -> None:
    """Check and complete a whole completion."""
    for position, choice in enumerate(_objects(data, "choices", "")):
        _fill(choice, "index", position)
        if not isinstance(choice.get("text"), str):
            raise _wrong(f"choices[{position}].text", "a text")


def check_completion_chunk(data: dict[str, Any]) -> None:
    """Check and complete one event of a completion."""
    _fill(data, "choices", [])
    for choice in _objects(data, "choices", ""):
        _fill(choice, "text", "")
    check_completion(data)


def check_embeddings(data: dict[str, Any]) -> None:
    """Check and complete a list of vectors."""
    for position, item in enumerate(_objects(data, "data", "")):
        _fill(item, "index", position)
        if not isinstance(item.get("embedding"), list | str):
            raise _wrong(f"data[{position}].embedding", "a list of numbers or base64 text")


def chat_completion_as_chunk(data: dict[str, Any]) -> dict[str, Any]:
    """Return a whole chat answer as the one event of a stream."""
    choices = [
        {**{k: v for k, v in choice.items() if k != "message"}, "delta": _as_delta(choice)}
        for choice in _objects(data, "choices", "")
    ]
    return {**data, "object": "chat.completion.chunk", "choices": choices}


def completion_as_chunk(data: dict[str, Any]) -> dict[str, Any]:
    """Return a whole completion as the one event of a stream: they have the same form."""
    return data


def _as_delta(choice: dict[str, Any]) -> dict[str, Any]:
    delta: dict[str, Any] = dict(choice["message"])
    calls: list[dict[str, Any]] = delta.get("tool_calls") or []
    if calls:
        delta["tool_calls"] = [{"index": n, **call} for n, call in enumerate(calls)]
    return delta


def _complete_tool_calls(message: dict[str, Any], path: str) -> None:
    if message.get("tool_calls") is None:
        return
    for position, call in enumerate(_objects(message, "tool_calls", f"{path}.")):
        _fill(call, "id", "")
        _fill(call, "type", "function")
        function = _object(call, "function", f"{path}.tool_calls[{position}]")
        _fill(function, "name", "")
        _fill(function, "arguments", "")


def _check_content(message: dict[str, Any], path: str) -> None:
    content = message.get("content")
    if not (content is None or isinstance(content, str | list | dict)):
        raise _wrong(f"{path}.content", "a text, a list of parts or an object")


def _fill(data: dict[str, Any], key: str, value: object) -> None:
    if data.get(key) is None:
        data[key] = value


def _object(data: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    _fill(data, key, {})
    value = data[key]
    if not is_object(value):
        raise _wrong(f"{path}.{key}", "an object")
    return value


def _objects(data: dict[str, Any], key: str, path: str) -> list[dict[str, Any]]:
    values = data.get(key)
    if not is_list(values):
        raise _wrong(f"{path}{key}", "a list")
    for position, value in enumerate(values):
        if not is_object(value):
            raise _wrong(f"{path}{key}[{position}]", "an object")
    return values


def _wrong(path: str, expected: str) -> InvalidResponseError:
    return InvalidResponseError(f"the reply does not fit the contract: {path} is not {expected}")
