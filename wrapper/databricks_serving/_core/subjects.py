"""What a call is about (messages, a prompt, texts), checked before anything is sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from databricks_serving.errors import InvalidRequestError
from databricks_serving_api.types import Model


def check_messages(given: Mapping[str, Any]) -> None:
    """Refuse anything but a list of at least one message."""
    messages = given.get("messages")
    if not _is_list(messages) or not messages:
        raise InvalidRequestError("messages must be a list of at least one message")
    for position, message in enumerate(messages):
        if hasattr(message, "to_request_message"):
            raise InvalidRequestError(
                f"messages[{position}] is a reply: send its to_request_message() instead"
            )
        if not isinstance(message, Mapping | Model):
            kind = type(message).__name__
            raise InvalidRequestError(
                f"messages[{position}] must be a dict or a message model, not {kind}"
            )


def check_prompt(given: Mapping[str, Any]) -> None:
    """Refuse anything but a text or a list of at least one text."""
    _check_texts("prompt", given.get("prompt"))


def check_input(given: Mapping[str, Any]) -> None:
    """Refuse anything but a text or a list of at least one text."""
    _check_texts("input", given.get("input"))


def _check_texts(name: str, value: Any) -> None:
    if isinstance(value, str):
        return
    if not (_is_list(value) and value and all(isinstance(item, str) for item in value)):
        raise InvalidRequestError(f"{name} must be a str or a list of at least one str")


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)
