"""Options of a client and of a single call: values that check themselves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypedDict

from databricks_serving.errors import ConfigError

__all__ = ["CallOptions", "ColdStart", "Limits", "RetryPolicy", "Timeouts"]

# What a socket takes; None means longer.
_MAX_SECONDS: Final = 1e9
_MAX_RETRIES: Final = 10
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait, in seconds; None waits without end. A timeout error names the phase.

    Args:
        pool: For a free connection of the pool.
        connect: For a connection, TLS included.
        write: For the server to take a piece of the request.
        first_byte: From the request's end to the first piece of the answer (of a stream, to its
            first event). The platform lets a model run for several minutes, so a short limit
            pays for answers that nobody reads.
        idle: For the next piece of an answer that has begun (of a stream, for its next event:
            comments that keep a connection alive do not count).
        total: For the whole call: all tries, the waits between them and the whole answer.
    """

    pool: float | None = 30.0
    connect: float | None = 5.0
    write: float | None = 60.0
    first_byte: float | None = 300.0
    idle: float | None = 60.0
    total: float | None = 600.0

    def __post_init__(self) -> None:
        for one in fields(self):
            check_seconds(f"timeout ({one.name})", getattr(self, one.name))

    @classmethod
    def of(cls, timeout: "float | Timeouts") -> "Timeouts":
        """Return timeouts of one limit for each phase of one try.

        Connecting never takes over 5 s of it, and the whole call at least its default of 600 s.
        """
        if isinstance(timeout, Timeouts):
            return timeout
        check_seconds("timeout", timeout)
        return cls(
            pool=timeout,
            connect=min(timeout, 5.0),
            write=timeout,
            first_byte=timeout,
            idle=timeout,
            total=max(timeout, 600.0),
        )


@dataclass(frozen=True, slots=True)
class ColdStart:
    """How far the wait for an endpoint that scales up from zero has come.

    Attributes:
        endpoint: Name of the endpoint.
        elapsed: Seconds since the endpoint was first found asleep.
        next_try: Seconds until the next try.
        message: What the server said last.
    """

    endpoint: str
    elapsed: float
    next_try: float
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When and how often to try a call again.

    A call that the server provably did not run is tried again (the request was not sent, or the
    answer was 408, 409, 425, 429, 503 or 529). One that may have run, and may be billed, is tried
    again `max_reruns` times at most: after a broken connection, or 500, 502 or 504.

    Args:
        max_retries: Tries after the first one, 0 to 10.
        max_reruns: How many of them may follow a try that the model may have run, 0 to 10.
        base: Seconds; the first wait is drawn below it, and the bound doubles each time. Waits
            that a server's limit causes are drawn below twice as much.
        cap: Seconds; no such bound is longer.
        max_retry_after: Seconds; a longer wait that a server asks for makes the error final.
        cold_start_timeout: Seconds to go on asking an endpoint that scales up from zero; 0 treats
            its answer like any other 503.
        on_cold_start: Called before each wait for such an endpoint.
    """

    max_retries: int = 2
    max_reruns: int = 1
    base: float = 0.5
    cap: float = 20.0
    max_retry_after: float = 120.0
    cold_start_timeout: float = 0.0
    on_cold_start: Callable[[ColdStart], None] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name in ("max_retries", "max_reruns"):
            _check_count(name, getattr(self, name), 0, _MAX_RETRIES)
        for name in ("base", "cap", "max_retry_after"):
            _check_number(name, getattr(self, name))
        if self.cold_start_timeout != 0:
            _check_number("cold_start_timeout", self.cold_start_timeout)
        if self.on_cold_start is not None and not callable(self.on_cold_start):
            raise ConfigError("on_cold_start must be a function")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a client keeps open, sends and takes in.

    Args:
        connections: Connections open at a time; further calls wait for one (phase `pool`).
        keepalive_connections: Idle connections kept for later calls.
        request_bytes: Largest body to send. The platform takes 16 MiB for custom models and
            4 MiB for foundation models.
        response_bytes: Largest answer to read, unpacked; None means 64 MiB, and 256 MiB for
            embeddings.
        event_bytes: Largest event of a stream.
        stream_bytes: Largest stream, all events together.
    """

    connections: int = 1000
    keepalive_connections: int = 100
    request_bytes: int = 16 * _MIB
    response_bytes: int | None = None
    event_bytes: int = 16 * _MIB
    stream_bytes: int = 1024 * _MIB

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not (one.name == "response_bytes" and value is None):
                lowest = 0 if one.name == "keepalive_connections" else 1
                _check_count(f"limits ({one.name})", value, lowest, 2**40)


def check_seconds(name: str, value: object) -> None:
    """Refuse what is not a positive number of seconds (or None).

    Raises:
        ConfigError: Naming the option and what was given.
    """
    if value is not None:
        _check_number(name, value)


def _check_number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if not 0 < value <= _MAX_SECONDS:
        raise ConfigError(f"{name} must be positive, and at most {_MAX_SECONDS:g} seconds")


def _check_count(name: str, value: object, lowest: int, highest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise ConfigError(f"{name} must be a whole number from {lowest} to {highest}")


class CallOptions(TypedDict, total=False):
    """Options that every call takes beside the parameters of its task."""

    extra_body: Mapping[str, Any] | None
    """Keys added to the body as they are, over those of the parameters."""
    extra_headers: Mapping[str, str] | None
    """Headers added to the request."""
    extra_query: Mapping[str, str] | None
    """Query parameters added to the URL."""
    timeout: float | Timeouts | None
    """Seconds per phase of a try, for this call instead of the client's."""
    deadline: float | None
    """Seconds for the whole call: all tries, the waits between them and the whole answer."""
    idempotent: bool | None
    """Whether the call may be tried again although the model may have run it: False where the
    endpoint is an agent whose tools act."""
