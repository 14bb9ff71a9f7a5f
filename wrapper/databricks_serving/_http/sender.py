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
from databricks_serving._http.outgoing import httpx_request, is_secure
from databricks_serving._http.transport import PoolBody, PoolTransport
from databricks_serving._http.watch import Watch


class Sender(BaseSender[httpx.BaseTransport]):
    """Sends requests over a blocking transport, made at the first request unless given."""

    __slots__ = ("_finalizer", "_left", "_pool")

    _method = "handle_request"

    def __init__(self, transport: httpx.BaseTransport | None, connections: Connections) -> None:
        super().__init__(transport, connections)
        self._pool: PoolTransport | None = None
        self._left: deque[httpx.Response] = deque()
        self._finalizer: finalize[[], Sender] | None = None

    def send(self, request: Request, phases: Phases) -> Exchange:
        """Send a request and return once the response's head is there."""
        watch = Watch(phases)
        self._tidy()
        try:
            transport = self._open(request)
            response = transport.handle_request(httpx_request(request, watch, own=self.own))
            exchange = Exchange(self, response, request, watch)
        except Exception as error:
            ours = failure(error, self._scene(request, watch, self._in_use()))
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
        if self._finalizer is not None:
            self._finalizer()
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
        if self._pool is not None and self._finalizer is not None:
            self._finalizer.detach()
            self._pool.drop()
            self._pool = None

    def _tidy(self) -> None:
        while self._left:
            with suppress(IndexError, Exception):
                self._left.popleft().close()

    def _open(self, request: Request) -> httpx.BaseTransport:
        with self._lock:
            self._check_open()
            if self._given is not None:
                return self._given
            if self._pool is None:
                self._pool = PoolTransport(self._connections, secure=is_secure(request))
                self._finalizer = finalize(self, self._pool.close)
            return self._pool

    def _in_use(self) -> int | None:
        return None if self._pool is None else self._pool.in_use()
