"""Requests sent over a blocking transport."""

from weakref import finalize

import httpx

from databricks_serving._core.fork import ForkLock, track
from databricks_serving._core.phases import Phases
from databricks_serving._core.requests import Request
from databricks_serving._http.answers import head_fault
from databricks_serving._http.checks import check_open, check_transport
from databricks_serving._http.connections import Connections
from databricks_serving._http.exchange import Exchange
from databricks_serving._http.failures import Scene, bared, failure, is_foreign
from databricks_serving._http.outgoing import host_of, httpx_request, is_secure
from databricks_serving._http.transport import PoolTransport
from databricks_serving._http.watch import Watch


class Sender:
    """Sends requests over a blocking transport, made at the first request unless given.

    Args:
        transport: A transport of httpx to use instead of the default one.
        connections: How the default transport connects.

    Raises:
        ConfigError: When the transport is not of the blocking kind.
    """

    __slots__ = (
        "__weakref__", "_closed", "_connections", "_finalizer", "_given", "_lock", "_pool"
    )  # fmt: skip

    def __init__(self, transport: httpx.BaseTransport | None, connections: Connections) -> None:
        check_transport(transport, "handle_request")
        self._given = transport
        self._connections = connections
        self._pool: PoolTransport | None = None
        self._finalizer: finalize[[], Sender] | None = None
        self._closed = False
        self._lock = ForkLock()
        track(self)

    @property
    def closed(self) -> bool:
        """Whether the sender was closed."""
        return self._closed

    @property
    def own(self) -> bool:
        """Whether requests go over the default transport."""
        return self._given is None

    def send(self, request: Request, phases: Phases) -> Exchange:
        """Send a request and return once the response's head is there."""
        watch = Watch(phases, idempotent=request.idempotent)
        try:
            transport = self._open(request)
            response = transport.handle_request(httpx_request(request, watch, own=self.own))
            exchange = Exchange(self, response, request, watch)
        except Exception as error:
            ours = failure(error, self._scene(request, watch))
            if ours is None or ours is error:
                raise
            raise ours from bared(error)
        fault = head_fault(response)
        if fault is not None:
            exchange.close()
            raise fault
        return exchange

    def close(self) -> None:
        """Close all connections; a thread that waits on one is woken."""
        with self._lock:
            closed, self._closed = self._closed, True
        if closed:
            return
        if self._finalizer is not None:
            self._finalizer()
        if self._given is not None:
            try:
                self._given.close()
            except Exception as error:
                if not is_foreign(error, own=False):
                    raise

    def after_fork(self) -> None:
        """Let go of the parent's connections; a transport of the user's is kept."""
        if self._pool is not None and self._finalizer is not None:
            self._finalizer.detach()
            self._pool.drop()
            self._pool = None

    def _open(self, request: Request) -> httpx.BaseTransport:
        with self._lock:
            check_open(closed=self._closed)
            if self._given is not None:
                return self._given
            if self._pool is None:
                self._pool = PoolTransport(self._connections, secure=is_secure(request))
                self._finalizer = finalize(self, self._pool.close)
            return self._pool

    def _scene(self, request: Request, watch: Watch) -> Scene:
        limit = self._connections.limits.connections
        usage = f"{self._pool.in_use()} of {limit} connections are in use" if self._pool else ""
        return Scene(
            watch=watch, host=host_of(request), own=self.own, closed=self._closed, usage=usage
        )
