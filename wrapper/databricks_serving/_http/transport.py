"""Pools behind httpx's interface of transports, for what stands between a client and its pool."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from databricks_serving._http.async_pool import AsyncPool, AsyncPooledAnswer
from databricks_serving._http.outgoing import outgoing_from
from databricks_serving._http.pool import Pool, PooledAnswer


class PoolTransport(httpx.BaseTransport):
    """A blocking pool as a transport."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return once the head of its answer is there."""
        outgoing = outgoing_from(request, request.read())
        answer = self._pool.send(outgoing, request.extensions["watch"])
        return _response(answer, _Body(answer))


class AsyncPoolTransport(httpx.AsyncBaseTransport):
    """An asynchronous pool as a transport."""

    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return once the head of its answer is there."""
        outgoing = outgoing_from(request, await request.aread())
        answer = await self._pool.send(outgoing, request.extensions["watch"])
        return _response(answer, _AsyncBody(answer))


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: PooledAnswer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        self._answer.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, answer: AsyncPooledAnswer) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._answer)

    async def aclose(self) -> None:
        self._answer.close()


def _response(answer: PooledAnswer | AsyncPooledAnswer, stream: Any) -> httpx.Response:
    version = f"HTTP/{answer.version}".encode()
    return httpx.Response(
        answer.status,
        headers=list(answer.headers.items()),
        stream=stream,
        extensions={"http_version": version},
    )
