from collections.abc import Collection, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from databricks_serving.local.errors import RefusedError


class Task(StrEnum):
    """What an endpoint does, as Databricks names tasks; a custom model has none there."""

    CHAT = "llm/v1/chat"
    COMPLETION = "llm/v1/completions"
    EMBEDDING = "llm/v1/embeddings"
    RESPONSES = "agent/v1/responses"
    AGENT = "agent/v2/chat"
    CUSTOM = "custom"

    @property
    def is_own_code(self) -> bool:
        """Whether what answers is somebody's own code and no language model."""
        return self in {Task.RESPONSES, Task.AGENT, Task.CUSTOM}


BUILT_IN: Final[Mapping[str, Task]] = {
    "local-chat": Task.CHAT,
    "local-completion": Task.COMPLETION,
    "local-embedding": Task.EMBEDDING,
    "local-responses": Task.RESPONSES,
    "local-agent": Task.AGENT,
    "local-custom": Task.CUSTOM,
}


def task_of(endpoint: str, extra: Mapping[str, Task]) -> Task:
    """Find the task of an endpoint by its name.

    Args:
        endpoint: The name in the path of the request.
        extra: Endpoints beside the built-in ones; these win.

    Raises:
        RefusedError: With status 404 when there is no such endpoint.
    """
    if endpoint in extra:
        return extra[endpoint]
    for prefix, task in BUILT_IN.items():
        if endpoint.startswith(prefix):
            return task
    raise RefusedError(
        HTTPStatus.NOT_FOUND,
        "RESOURCE_DOES_NOT_EXIST",
        f"Endpoint with name '{endpoint}' does not exist.",
    )


def check_name(endpoint: str, known: Collection[str]) -> None:
    """Refuse a name that no endpoint has.

    Args:
        endpoint: The name.
        known: The endpoints that there are, the built-in ones included.

    Raises:
        RefusedError: With status 404; the message has the names that there are.
    """
    if endpoint in known or endpoint.startswith(tuple(BUILT_IN)):
        return
    raise RefusedError(
        HTTPStatus.NOT_FOUND,
        "RESOURCE_DOES_NOT_EXIST",
        f"Endpoint with name '{endpoint}' does not exist. There are {', '.join(known)}, and names "
        f"that begin with {', '.join(BUILT_IN)}.",
    )
