"""Options of a client and of a single call: values that check themselves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from inspect import iscoroutinefunction
from typing import Any, Final, Literal, TypeAlias, TypedDict, TypeVar

from databricks_serving.errors import ConfigError
from databricks_serving.families import ModelFamily

__all__ = [
    "AdaptLevel",
    "CallOptions",
    "ClientOptions",
    "ColdStart",
    "Limits",
    "RequestOptions",
    "RetryPolicy",
    "Timeouts",
]

AdaptLevel: TypeAlias = Literal["off", "certain", "all"]
"""How far requests are changed to what the family of their model takes."""

# The system counts milliseconds in 32 bits; None means longer.
_MAX_SECONDS: Final = 2_000_000.0
_SECONDS: Final = "a number of seconds"
_MAX_RETRIES: Final = 10
_MIB: Final = 1024 * 1024
_TOTAL: Final = 600.0


class _Float(float):
    """A default; what users give is a plain float, even where it is the same number."""


class _Int(int):
    """A default, as `_Float`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait, in seconds; None waits without end. A timeout error names the phase.

    What is not given stays as the client has it, in `with_options` and in a call.

    Args:
        pool: For a free connection of the pool.
        connect: For a connection, TLS included.
        write: For the server to take a piece of the request.
        first_byte: From the request's end to the first piece of the answer (of a stream, to its
            first event). The platform lets a model run for several minutes, so a short limit
            pays for answers that nobody reads.
        idle: For the next piece of an answer that has begun (of a stream, for its next event:
            comments that keep a connection alive do not count).
        total: For the whole call: all tries, the waits between them and the whole answer. If it
            is not given, as long as the longest of the others, and 600 s at least.
    """

    pool: float | None = _Float(30.0)
    connect: float | None = _Float(5.0)
    write: float | None = _Float(60.0)
    first_byte: float | None = _Float(300.0)
    idle: float | None = _Float(60.0)
    total: float | None = _Float(_TOTAL)

    def __post_init__(self) -> None:
        for one in fields(self):
            check_seconds(f"timeout ({one.name})", getattr(self, one.name))
        if isinstance(self.total, _Float):
            phases = (self.pool, self.connect, self.write, self.first_byte, self.idle)
            longest = max(_TOTAL, *(phase or 0.0 for phase in phases))
            object.__setattr__(self, "total", _Float(longest))

    @classmethod
    def of(cls, timeout: "float | Timeouts") -> "Timeouts":
        """Return timeouts of one limit for each phase of one try, connecting 5 s at most."""
        if isinstance(timeout, Timeouts):
            return timeout
        check_seconds("timeout", timeout, "a number of seconds, or Timeouts(...)")
        return cls(
            pool=timeout,
            connect=min(timeout, 5.0),
            write=timeout,
            first_byte=timeout,
            idle=timeout,
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

    What is not given stays as the client has it, in `with_options`.

    Args:
        max_retries: Tries after the first one, 0 to 10.
        max_reruns: How many of them may follow a try that the model may have run, 0 to 10.
        base: Seconds; the first wait is drawn below it, and the bound doubles each time. Waits
            that a server's limit causes are drawn below twice as much.
        cap: Seconds; no such bound is longer.
        max_retry_after: Seconds; a longer wait that a server asks for makes the error final.
        cold_start_timeout: Seconds to go on asking an endpoint that scales up from zero; 0 treats
            its answer like any other 503.
        on_cold_start: Called before each wait for such an endpoint, by the call that asks it: the
            others look on.
    """

    max_retries: int = _Int(2)
    max_reruns: int = _Int(1)
    base: float = _Float(0.5)
    cap: float = _Float(20.0)
    max_retry_after: float = _Float(120.0)
    cold_start_timeout: float = _Float(0.0)
    on_cold_start: Callable[[ColdStart], None] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name in ("max_retries", "max_reruns"):
            _check_count(name, getattr(self, name), 0, _MAX_RETRIES)
        for name in ("base", "cap", "max_retry_after"):
            _check_number(name, getattr(self, name))
        if self.cold_start_timeout != 0:
            _check_number("cold_start_timeout", self.cold_start_timeout)
        check_callback("on_cold_start", self.on_cold_start)


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


PartialT = TypeVar("PartialT", Timeouts, RetryPolicy)


def laid_over(base: PartialT, given: PartialT) -> PartialT:
    """Return a value with what was given in another; its defaults change nothing."""
    values = ((one.name, getattr(given, one.name)) for one in fields(given))
    return replace(base, **{name: value for name, value in values if _is_given(name, value)})


def _is_given(name: str, value: object) -> bool:
    # No limit is a limit that someone gave, but nobody gives no callback.
    return not isinstance(value, _Float | _Int) and (name, value) != ("on_cold_start", None)


def check_seconds(name: str, value: object, form: str = _SECONDS) -> None:
    """Refuse what is not a positive number of seconds (or None).

    Args:
        name: Name of the option.
        value: What was given.
        form: What it may be, in words.

    Raises:
        ConfigError: Naming the option and what was given.
    """
    if value is not None:
        _check_number(name, value, form)


def check_callback(name: str, value: object, word: str | None = None) -> None:
    """Refuse what is not a function that can be called without awaiting it (or None).

    Args:
        name: Name of the option.
        value: What was given.
        word: What may stand in its place.

    Raises:
        ConfigError: Naming the option.
    """
    if value is None or (word is not None and value == word):
        return
    by_class = getattr(type(value), "__call__", None)  # noqa: B004 - its own, `async` or not
    if not callable(value) or iscoroutinefunction(value) or iscoroutinefunction(by_class):
        instead = f', or "{word}"' if word else ""
        raise ConfigError(f"{name} must be a function, and not an async one{instead}")


def _check_number(name: str, value: object, form: str = _SECONDS) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{name} must be {form}, not {type(value).__name__}")
    if not 0 < value <= _MAX_SECONDS:
        raise ConfigError(f"{name} must be positive, and at most {_MAX_SECONDS:g} seconds")


def _check_count(name: str, value: object, lowest: int, highest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise ConfigError(f"{name} must be a whole number from {lowest} to {highest}")


class ClientOptions(TypedDict, total=False):
    """Options of a client that a copy of it can have otherwise (`with_options`)."""

    timeout: float | Timeouts | None
    """Seconds per phase of a try, or `Timeouts` phase by phase."""
    deadline: float | None
    """Seconds for a whole call: all tries, the waits between them, the whole answer; over
    `Timeouts(total=...)`."""
    max_retries: int | None
    """Tries after the first one, 0 to 10, over that of `retry`."""
    retry: RetryPolicy | None
    """When and how often to try again."""
    idempotent: bool | None
    """Whether a call may be tried again although the model may have run it: False where endpoints
    are agents whose tools act."""
    route: str | None
    """Which way to go to the endpoints: `invocations`, their own paths; `openai`, the
    OpenAI-compatible paths; `open-responses`; `ai-gateway`, for names of the catalogue; or the
    address of a gateway, which gets the token."""
    adapt: AdaptLevel | None
    """How far to change copies of chat requests to what the family of their model takes: `off`;
    `certain`, what is certainly refused otherwise and loses nothing, the default; `all`, also what
    drops parameters. `explain` of chat shows the changes."""
    families: Mapping[str, ModelFamily | str] | None
    """The model families of endpoints by name, of `databricks_serving.families` or by their names;
    those that Databricks hosts are known."""
    track_usage: bool | None
    """Whether to count the tokens of all calls; `client.usage` has the sums. A copy for which True
    is given has a meter of its own."""
    default_headers: Mapping[str, str] | None
    """Headers added to every request."""


class RequestOptions(TypedDict, total=False):
    """Options that every request takes."""

    extra_headers: Mapping[str, str] | None
    """Headers added to the request."""
    extra_query: Mapping[str, str] | None
    """Query parameters added to the URL."""
    timeout: float | Timeouts | None
    """Seconds per phase of a try, for this call instead of the client's."""
    deadline: float | None
    """Seconds for the whole call: all tries, the waits between them and the whole answer."""


class CallOptions(RequestOptions, total=False):
    """Options that every call of an endpoint takes beside the parameters of its task."""

    extra_body: Mapping[str, Any] | None
    """Keys added to the body as they are, over those of the parameters."""
    route: str | None
    """Which way to go to the endpoint, instead of the client's: as `route` of the client."""
    adapt: AdaptLevel | None
    """How far to change a copy of the request to what the model's family takes, instead of the
    client's `adapt`."""
    served_model: str | None
    """Name of the one served model of the endpoint to call; its traffic settings are ignored."""
    idempotent: bool | None
    """Whether the call may be tried again although the model may have run it: False where the
    endpoint is an agent whose tools act."""
