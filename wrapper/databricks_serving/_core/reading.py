"""What reading an answer takes to know of its request."""

from dataclasses import dataclass

from databricks_serving._core.secret import Secret
from databricks_serving._core.sse import DEFAULT_MAX_EVENT_BYTES


@dataclass(frozen=True, slots=True)
class Reading:
    """How the answer to one request is read.

    Attributes:
        parts: How many parts the answer must have, where that is known: vectors, or choices.
        event_bytes: The largest event to take in.
        secrets: What is kept out of errors.
    """

    parts: int | None = None
    event_bytes: int = DEFAULT_MAX_EVENT_BYTES
    secrets: tuple[Secret, ...] = ()
