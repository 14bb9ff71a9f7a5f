"""What senders of both kinds have in common."""

from typing import Generic, TypeVar

from databricks_serving._core.clocks import OwnTime
from databricks_serving._core.fork import fork_lock, track
from databricks_serving._core.phases import Phases
from databricks_serving._core.requests import Request
from databricks_serving._http.connections import Connections
from databricks_serving._http.failures import Scene
from databricks_serving._http.outgoing import host_of
from databricks_serving._http.stand_ins import StandIn, stand_in
from databricks_serving._http.watch import Watch
from databricks_serving.errors import ClientClosedError, ConfigError

TransportT = TypeVar("TransportT")


class BaseSender(Generic[TransportT]):
    """A transport, one of the user's or our own, until it is closed.

    Args:
        transport: A transport of httpx to use instead of the default one.
        connections: How the default transport connects.

    Raises:
        ConfigError: When the transport is of the other kind.
    """

    __slots__ = ("__weakref__", "_closed", "_connections", "_given", "_lock")

    _method: str

    def __init__(self, transport: TransportT | None, connections: Connections) -> None:
        if transport is not None and not hasattr(transport, self._method):
            raise ConfigError(
                f"transport must be an httpx transport with the method {self._method}"
            )
        self._given = transport
        self._connections = connections
        self._closed = False
        self._lock = fork_lock()
        track(self)

    @property
    def closed(self) -> bool:
        """Whether the sender was closed."""
        return self._closed

    @property
    def time(self) -> OwnTime | None:
        """The time that the transport brings with it, if it does."""
        return getattr(self._kit if self._given is None else self._given, "own_time", None)

    @property
    def _kit(self) -> StandIn | None:
        return stand_in() if self._given is None else None

    def _watch(self, phases: Phases) -> Watch:
        kit = self._kit
        return Watch(phases, own=self._given is None and not (kit and kit.replaces))

    def after_fork(self) -> None:
        """Let go of the parent's connections; a transport of the user's is kept."""
        raise NotImplementedError

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosedError("the client is closed")

    def _scene(self, request: Request, watch: Watch, in_use: int | None) -> Scene:
        limit = self._connections.limits.connections
        usage = "" if in_use is None else f"{in_use} of {limit} connections are in use"
        return Scene(watch=watch, host=host_of(request), closed=self._closed, usage=usage)
