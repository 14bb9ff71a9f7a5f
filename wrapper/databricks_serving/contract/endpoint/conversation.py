"""Tells chat models and agents, whose messages the client knows, from other models."""

from collections.abc import Sequence
from typing import Literal

from databricks_serving.contract.endpoint.types import Conversation, Field, List, Record


def conversation_of(inputs: Sequence[Field], outputs: Sequence[Field]) -> Conversation | None:
    """Return what a chat model or an agent takes; None when it is neither.

    Args:
        inputs: The keys of the request.
        outputs: The keys of the reply.
    """
    given = {field.name: field for field in inputs}
    gives = {field.name for field in outputs}
    task: Literal["chat", "agents", "responses"]
    if "messages" in given and _has_roles(given["messages"]) and gives & {"choices", "messages"}:
        subject = "messages"
        task = "chat" if "choices" in gives else "agents"
    elif "input" in given and "output" in gives and isinstance(given["input"].type, List):
        subject, task = "input", "responses"
    else:
        return None
    return Conversation(task, tuple(field for field in inputs if field.name != subject))


def _has_roles(field: Field) -> bool:
    items = field.type.items if isinstance(field.type, List) else None
    return isinstance(items, Record) and any(each.name == "role" for each in items.fields)
