"""Pools behind httpx's interface of transports, for what stands between a client and its pool."""

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from databricks_serving._http.answers import finish
from databricks_serving._http.async_pool import AsyncPool, AsyncPooledAnswer
from databricks_serving._http.breaks import TransportError
from databricks_serving._http.outgoing import Outgoing, head_bytes
from databricks_serving._http.pool import Pool, PooledAnswer


class PoolTransport(httpx.BaseTransport):
    """A blocking pool as a transport."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return once the head of its answer is there."""
        outgoing = _outgoing(request, request.read())
        with _as_httpx():
            answer = self._pool.send(outgoing, request.extensions["watch"])
        return _response(answer, _Body(answer))


class AsyncPoolTransport(httpx.AsyncBaseTransport):
    """An asynchronous pool as a transport."""

    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return once the head of its answer is there."""
        outgoing = _outgoing(request, await request.aread())
        with _as_httpx():
            answer = await self._pool.send(outgoing, request.extensions["watch"])
        return _response(answer, _AsyncBody(answer))


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: PooledAnswer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._answer

    def close(self) -> None:
        self._answer.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, answer: AsyncPooledAnswer) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._answer)
        try:
            with _as_httpx():
                async for piece in pieces:
                    yield piece
        finally:
            await finish(pieces)

    async def aclose(self) -> None:
        self._answer.close()


def _outgoing(request: httpx.Request, content: bytes) -> Outgoing:
    start = f"{request.method} {request.url.raw_path.decode('ascii')} HTTP/1.1"
    return Outgoing(head_bytes(start, request.headers.multi_items()), content)


@contextmanager
def _as_httpx() -> Generator[None]:
    """Raise what httpx raises where a connection of ours breaks."""
    try:
        yield
    except TransportError as error:
        kind: type[httpx.TransportError] = getattr(httpx, type(error).__name__)
        theirs = kind("")
        theirs.args = error.args
        raise theirs from None


def _response(answer: PooledAnswer | AsyncPooledAnswer, stream: Any) -> httpx.Response:
    version = f"HTTP/{answer.version}".encode()
    return httpx.Response(
        answer.status,
        headers=list(answer.headers.items()),
        stream=stream,
        extensions={"http_version": version},
    )
