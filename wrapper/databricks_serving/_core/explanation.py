"""What a call would send, without sending it."""

from dataclasses import dataclass, field
from typing import Any

from databricks_serving._core import json_codec
from databricks_serving._core.requests import Request
from databricks_serving.families import Change


@dataclass(frozen=True, slots=True)
class Explanation:
    """The request that a call would send, and what was changed in it.

    Attributes:
        method: The HTTP method.
        url: The whole address.
        body: The body, as it would be sent.
        family: The model family that the endpoint is known to be of; None if it is not known.
        changes: What was changed to suit that family, one by one, each with its reason.
    """

    method: str
    url: str = field(repr=False)
    body: dict[str, Any] = field(repr=False)
    family: str | None
    changes: tuple[Change, ...]

    def __str__(self) -> str:
        address = self.url.partition("?")[0]
        return "\n".join([f"{self.method} {address}", *(f"- {change}" for change in self.changes)])


def explanation_of(request: Request, family: str | None) -> Explanation:
    """Return the explanation of a request that was built."""
    body = json_codec.decode(request.content.reveal())
    return Explanation(request.method, request.url, body, family, request.changes)
