"""Options of a client and of a single call."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypedDict

from databricks_serving.errors import ConfigError

__all__ = ["CallOptions", "Timeouts"]

# What a socket takes; None means longer.
_MAX_SECONDS = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait, in seconds, per phase of one request; None waits without end.

    Args:
        connect: For a connection, TLS included.
        pool: For a free connection of the pool.
        write: For the server to take a piece of the request.
        read: For the next piece of the answer. The platform lets a model run for several minutes,
            so a short read timeout pays for answers that nobody reads.
    """

    connect: float | None = 5.0
    pool: float | None = 30.0
    write: float | None = 60.0
    read: float | None = 300.0

    def __post_init__(self) -> None:
        for field in fields(self):
            check_seconds(f"timeout ({field.name})", getattr(self, field.name))

    @classmethod
    def of(cls, timeout: "float | Timeouts") -> "Timeouts":
        """Return timeouts of one limit for every phase; connecting never takes over 5 s of it."""
        if isinstance(timeout, Timeouts):
            return timeout
        check_seconds("timeout", timeout)
        return cls(connect=min(timeout, 5.0), pool=timeout, write=timeout, read=timeout)


def check_seconds(name: str, value: object) -> None:
    """Refuse what is not a positive number of seconds (or None).

    Raises:
        ConfigError: Naming the option and what was given.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if not 0 < value <= _MAX_SECONDS:
        raise ConfigError(f"{name} must be positive, and at most {_MAX_SECONDS:g} seconds")


class CallOptions(TypedDict, total=False):
    """Options that every call takes beside the parameters of its task."""

    extra_body: Mapping[str, Any] | None
    """Keys added to the body as they are, over those of the parameters."""
    extra_headers: Mapping[str, str] | None
    """Headers added to the request."""
    extra_query: Mapping[str, str] | None
    """Query parameters added to the URL."""
    timeout: float | Timeouts | None
    """Seconds, for this call instead of the client's."""
