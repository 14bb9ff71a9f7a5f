"""Requests sent over a blocking transport."""

from collections import deque
from contextlib import suppress
from weakref import finalize

import httpx

from databricks_serving._core.phases import Phases
from databricks_serving._core.requests import Request
from databricks_serving._http.answers import head_fault
from databricks_serving._http.base_sender import BaseSender
from databricks_serving._http.connections import Connections
from databricks_serving._http.exchange import Exchange
from databricks_serving._http.failures import bared, failure, is_foreign
from databricks_serving._http.outgoing import httpx_request, origin_of
from databricks_serving._http.transport import PoolBody, PoolTransport


class Sender(BaseSender[httpx.BaseTransport]):
    """Sends requests over a blocking transport, made at the first request unless given.

    The default transport keeps one pool for each origin.
    """

    __slots__ = ("_finalizers", "_left", "_pools")

    _method = "handle_request"

    def __init__(self, transport: httpx.BaseTransport | None, connections: Connections) -> None:
        super().__init__(transport, connections)
        self._pools: dict[str, PoolTransport] = {}
        self._left: deque[httpx.Response] = deque()
        self._finalizers: list[finalize[[], Sender]] = []

    def send(self, request: Request, phases: Phases) -> Exchange:
        """Send a request and return once the response's head is there."""
        watch = self._watch(phases)
        transport: httpx.BaseTransport | None = None
        self._tidy()
        try:
            transport = self._open(request)
            response = transport.handle_request(httpx_request(request, watch))
            exchange = Exchange(self, response, request, watch)
        except Exception as error:
            ours = failure(error, self._scene(request, watch, _in_use(transport)))
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
        self._tidy()
        for let_go in self._finalizers:
            let_go()
        if self._given is not None:
            try:
                self._given.close()
            except Exception as error:
                if not is_foreign(error, own=False):
                    raise

    def leave(self, response: httpx.Response) -> None:
        """Take back an answer that was forgotten; it is closed as soon as that is safe.

        The collector of garbage may come in the middle of anything, the pool's own work included.
        """
        self._left.append(response)
        if isinstance(response.stream, PoolBody):
            response.stream.cut()
            with response.stream.pool_at_rest() as at_rest:
                if at_rest:
                    self._tidy()

    def after_fork(self) -> None:
        """Let go of the parent's connections; a transport of the user's is kept."""
        for let_go in self._finalizers:
            let_go.detach()
        for pool in self._pools.values():
            pool.drop()
        self._finalizers, self._pools = [], {}

    def _tidy(self) -> None:
        while self._left:
            with suppress(IndexError, Exception):
                self._left.popleft().close()

    def _open(self, request: Request) -> httpx.BaseTransport:
        with self._lock:
            self._check_open()
            if self._given is not None:
                return self._given
            kit = self._kit
            if kit is None:
                return self._pool_for(request)
            return kit.blocking(None if kit.replaces else self._pool_for(request))

    def _pool_for(self, request: Request) -> PoolTransport:
        origin = origin_of(request.url)
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = PoolTransport(self._connections, origin)
            self._finalizers.append(finalize(self, pool.close))
        return pool


def _in_use(transport: httpx.BaseTransport | None) -> int | None:
    return transport.in_use() if isinstance(transport, PoolTransport) else None
