"""Requests sent over a blocking transport."""

from collections import deque
from contextlib import suppress
from typing import Any
from weakref import finalize

import httpx

from databricks_serving._core.phases import Phases
from databricks_serving._core.requests import Request
from databricks_serving._http.answers import Arrived, head_fault
from databricks_serving._http.base_sender import BaseSender
from databricks_serving._http.connections import Connections
from databricks_serving._http.dialling import way_to
from databricks_serving._http.exchange import Exchange
from databricks_serving._http.failures import bared, failure, is_foreign
from databricks_serving._http.foreign import ForeignAnswer
from databricks_serving._http.outgoing import Origin, httpx_request, origin_of, outgoing
from databricks_serving._http.pool import Pool, PooledAnswer
from databricks_serving._http.transport import PoolTransport
from databricks_serving._http.watch import Watch


class Sender(BaseSender[httpx.BaseTransport]):
    """Sends requests over a blocking transport, made at the first request unless given.

    The default transport keeps one pool for each origin.
    """

    __slots__ = ("_finalizers", "_left", "_pools")

    _method = "handle_request"

    def __init__(self, transport: httpx.BaseTransport | None, connections: Connections) -> None:
        super().__init__(transport, connections)
        self._pools: dict[Origin, Pool] = {}
        self._left: deque[Any] = deque()
        self._finalizers: list[finalize[[], Sender]] = []

    def send(self, request: Request, phases: Phases) -> Exchange:
        """Send a request and return once the response's head is there."""
        watch = self._watch(phases)
        self._tidy()
        try:
            arrived = self._arrived(request, watch)
            exchange = Exchange(self, arrived, request, watch)
        except Exception as error:
            ours = failure(error, self._scene(request, watch, self._in_use(request)))
            if ours is None or ours is error:
                raise
            raise ours from bared(error)
        fault = head_fault(arrived)
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

    def leave(self, arrived: Arrived) -> None:
        """Take back an answer that was forgotten; it is closed as soon as that is safe.

        The collector of garbage may come in the middle of anything, a transport's work included.
        """
        if isinstance(arrived, PooledAnswer):
            arrived.abandon()
        else:
            self._left.append(arrived)

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

    def _arrived(self, request: Request, watch: Watch) -> Arrived:
        with self._lock:
            self._check_open()
            kit = self._kit
            pool = None if self._given or (kit and kit.replaces) else self._pool_for(request)
        if pool is not None and kit is None:
            return pool.send(outgoing(request), watch)
        transport = self._given
        if kit is not None:
            transport = kit.blocking(None if pool is None else PoolTransport(pool))
        assert transport is not None  # noqa: S101 - for type checkers
        return ForeignAnswer(transport.handle_request(httpx_request(request, watch)))

    def _pool_for(self, request: Request) -> Pool:
        origin = origin_of(request.url)
        pool = self._pools.get(origin)
        if pool is None:
            way = way_to(origin, self._connections)
            pool = self._pools[origin] = Pool(way, self._connections.limits)
            self._finalizers.append(finalize(self, pool.close))
        return pool

    def _in_use(self, request: Request) -> int | None:
        with suppress(httpx.InvalidURL, KeyError):
            return self._pools[origin_of(request.url)].slots.in_use
        return None
