"""llama.cpp's replies in the words of a model-serving endpoint."""

import json
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any, Final

from databricks_serving.local.errors import RefusedError, bad_request
from databricks_serving.local.jsontypes import Json, is_list, is_object
from databricks_serving.local.tasks import Task

# llama.cpp leaves these out without a word, which would look like a wrong answer.
_UNSUPPORTED: Final[dict[Task, tuple[str, ...]]] = {
    Task.CHAT: (),
    Task.COMPLETION: ("echo", "suffix"),
    Task.EMBEDDING: ("dimensions", "instruction"),
}
_CALLERS_FAULTS: Final = ("not supported", "too large to process")


def check_supported(task: Task, request: Json) -> None:
    """Refuse what the model cannot do.

    Raises:
        RefusedError: With status 400, naming the parameter.
    """
    for name in _UNSUPPORTED[task]:
        if request.get(name):
            raise RefusedError(
                HTTPStatus.BAD_REQUEST,
                "BAD_REQUEST",
                f'Unsupported parameter: "{name}" is not supported with this model.',
            )
    for message in request.get("messages", ()):
        content: Any = message.get("content")
        if is_list(content) and any(part["type"] != "text" for part in content):
            raise bad_request("this model reads text parts only")


def reply_of(reply: Json) -> Json:
    """Drop what only llama.cpp says."""
    return {key: value for key, value in reply.items() if key != "timings"}


def event_of(event: Any, spent: MutableMapping[int, int]) -> Json | None:
    """Translate one event of a stream; None if it says nothing.

    llama.cpp counts tokens per choice; foundation-model endpoints tell the growing usage of the
    whole call in every chunk.

    Args:
        event: The decoded event; llama.cpp begins some streams with a null.
        spent: Tokens generated so far by choice, which is brought up to date.
    """
    if not is_object(event):
        return None
    if "error" in event:
        raise refusal_of(HTTPStatus.INTERNAL_SERVER_ERROR, json.dumps(event).encode())
    timings: Json = event.pop("timings", {})
    if timings and event["choices"]:
        prompt: int = timings["cache_n"] + timings["prompt_n"]
        for choice in event["choices"]:
            spent[choice["index"]] = timings["predicted_n"]
        made = sum(spent.values())
        event["usage"] = event.get("usage", {}) | {
            "prompt_tokens": prompt,
            "completion_tokens": made,
            "total_tokens": prompt + made,
        }
    return event


def refusal_of(status: int, body: bytes) -> RefusedError:
    """Translate an error of llama.cpp."""
    try:
        error: Json = json.loads(body)
        error = error.get("error", error)
        message = str(error["message"])
    except (AttributeError, LookupError, TypeError, ValueError):
        message = "the model answered with an error"
    if status < HTTPStatus.INTERNAL_SERVER_ERROR or any(say in message for say in _CALLERS_FAULTS):
        return bad_request(message)
    return RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", message)
