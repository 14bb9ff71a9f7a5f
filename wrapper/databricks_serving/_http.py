"""The only module that touches httpx: requests out, bytes in, and its exceptions turned into ours.

httpx's transport interface is called directly: no cookies, no redirects, no netrc, no hooks.
"""

import threading
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx

from databricks_serving._core.replies import Response
from databricks_serving._core.requests import Request
from databricks_serving.errors import (
    APIConnectionError,
    APITimeoutError,
    ClientClosedError,
    InvalidResponseError,
    ServingError,
)
from databricks_serving_api.types import ReplyMeta

_LIMITS: Final = httpx.Limits(max_connections=1000, max_keepalive_connections=100)

_CLOSED: Final = "the client is closed"

# The request was not sent in full, so no model ran.
_NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.WriteError,
    httpx.WriteTimeout,
)
_PHASES: Final = (
    (httpx.PoolTimeout, "pool", "no connection of the pool came free"),
    (httpx.ConnectTimeout, "connect", "the connection was not made"),
    (httpx.WriteTimeout, "write", "the server did not take the request"),
    (httpx.ReadTimeout, "read", "the server sent nothing"),
)


class Exchange:
    """A response whose body is read from a blocking transport."""

    __slots__ = ("_response", "is_error", "meta")

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.meta = _meta(response)
        self.is_error = not response.is_success

    def chunks(self) -> Iterator[bytes]:
        """Yield the decoded body as it arrives."""
        with _translated():
            yield from self._response.iter_bytes()

    def read(self) -> Response:
        """Read the whole body and release the connection."""
        try:
            with _translated():
                return Response(self.meta, self._response.read())
        finally:
            self.close()

    def close(self) -> None:
        """Release the connection; what was not read is dropped."""
        self._response.close()


class AsyncExchange:
    """A response whose body is read from an asynchronous transport."""

    __slots__ = ("_response", "is_error", "meta")

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.meta = _meta(response)
        self.is_error = not response.is_success

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the decoded body as it arrives."""
        with _translated():
            async for chunk in self._response.aiter_bytes():
                yield chunk

    async def read(self) -> Response:
        """Read the whole body and release the connection."""
        try:
            with _translated():
                return Response(self.meta, await self._response.aread())
        finally:
            await self.close()

    async def close(self) -> None:
        """Release the connection; what was not read is dropped."""
        await self._response.aclose()


class Sender:
    """Sends requests over a blocking transport, made at the first request unless given."""

    __slots__ = ("_closed", "_lock", "_transport")

    def __init__(self, transport: httpx.BaseTransport | None) -> None:
        self._transport = transport
        self._closed = False
        self._lock = threading.Lock()

    def send(self, request: Request) -> Exchange:
        """Send a request and return once the response's head is there."""
        with _translated():
            return Exchange(self._open().handle_request(_httpx_request(request)))

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            self._closed = True
            if self._transport is not None:
                self._transport.close()

    def _open(self) -> httpx.BaseTransport:
        with self._lock:
            if self._closed:
                raise ClientClosedError(_CLOSED)
            if self._transport is None:
                self._transport = httpx.HTTPTransport(limits=_LIMITS)
            return self._transport


class AsyncSender:
    """Sends requests over an asynchronous transport, made at the first request unless given."""

    __slots__ = ("_closed", "_transport")

    def __init__(self, transport: httpx.AsyncBaseTransport | None) -> None:
        self._transport = transport
        self._closed = False

    async def send(self, request: Request) -> AsyncExchange:
        """Send a request and return once the response's head is there."""
        with _translated():
            response = await self._open().handle_async_request(_httpx_request(request))
            return AsyncExchange(response)

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        if self._transport is not None:
            await self._transport.aclose()

    def _open(self) -> httpx.AsyncBaseTransport:
        if self._closed:
            raise ClientClosedError(_CLOSED)
        if self._transport is None:
            self._transport = httpx.AsyncHTTPTransport(limits=_LIMITS)
        return self._transport


def _httpx_request(request: Request) -> httpx.Request:
    timeouts = request.timeouts
    extensions: dict[str, Any] = {
        "timeout": {
            "connect": timeouts.connect,
            "pool": timeouts.pool,
            "write": timeouts.write,
            "read": timeouts.read,
        }
    }
    return httpx.Request(
        request.method,
        request.url,
        headers=dict(request.headers),
        content=request.content,
        extensions=extensions,
    )


def _meta(response: httpx.Response) -> ReplyMeta:
    return ReplyMeta(
        status_code=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
    )


@contextmanager
def _translated() -> Generator[None]:
    """Turn what httpx raises into our errors; nothing else of it gets through."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise _timeout(error) from error
    except httpx.DecodingError as error:
        raise InvalidResponseError(f"the body cannot be decompressed: {error}") from error
    except httpx.TransportError as error:
        raise _connection_error(error) from _cause(error)
    except httpx.StreamError as error:
        raise APIConnectionError(f"the response was closed: {error}", retryable=False) from error


def _timeout(error: httpx.TimeoutException) -> ServingError:
    for kind, phase, what in _PHASES:
        if isinstance(error, kind):
            sent = not isinstance(error, _NOT_SENT)
            message = f"{what} in time (phase {phase})"
            return APITimeoutError(message, phase=phase, maybe_executed=sent)
    return APITimeoutError(f"time ran out: {type(error).__name__}")


def _connection_error(error: httpx.TransportError) -> ServingError:
    sent = not isinstance(error, _NOT_SENT)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        # The text of a local protocol error quotes the header at fault, which may be the token.
        message = f"the request cannot be sent: {type(error).__name__}"
        return APIConnectionError(message, maybe_executed=False, retryable=False)
    detail = str(error) or type(error).__name__
    what = "the connection broke before the answer was whole" if sent else "no connection"
    return APIConnectionError(f"{what}: {detail}", maybe_executed=sent)


def _cause(error: httpx.TransportError) -> httpx.TransportError | None:
    return None if isinstance(error, httpx.LocalProtocolError) else error
