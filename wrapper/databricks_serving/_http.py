"""The only module that touches httpx: requests out, bytes in, and its exceptions turned into ours.

httpx's transport interface is called directly: no cookies, no redirects, no netrc, no hooks.
"""

import threading
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Final

import httpx

from databricks_serving._core.replies import Response
from databricks_serving._core.requests import Request
from databricks_serving.errors import (
    APIConnectionError,
    APITimeoutError,
    ClientClosedError,
    ConfigError,
    InvalidRequestError,
    InvalidResponseError,
    ServingError,
)
from databricks_serving_api.types import ReplyMeta

_LIMITS: Final = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
# All that httpx raises; the last two stand outside its own tree.
_FOREIGN: Final = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, httpx.CookieConflict)
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


class _Exchange:
    __slots__ = ("_response", "is_error", "meta")

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        headers = {name.lower(): value for name, value in response.headers.items()}
        self.meta: ReplyMeta = ReplyMeta(response.status_code, headers)
        self.is_error: bool = not response.is_success


class Exchange(_Exchange):
    """A response whose body is read from a blocking transport."""

    __slots__ = ()

    def chunks(self) -> Iterator[bytes]:
        """Yield the decoded body as it arrives."""
        with _translated(self.meta.request_id):
            yield from self._response.iter_bytes()

    def read(self) -> Response:
        """Read the whole body and release the connection."""
        try:
            with _translated(self.meta.request_id):
                return Response(self.meta, self._response.read())
        finally:
            self.close()

    def close(self) -> None:
        """Release the connection; what was not read is dropped."""
        # A connection that cannot be closed in order is gone all the same.
        with suppress(*_FOREIGN):
            self._response.close()


class AsyncExchange(_Exchange):
    """A response whose body is read from an asynchronous transport."""

    __slots__ = ()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the decoded body as it arrives."""
        with _translated(self.meta.request_id):
            async for chunk in self._response.aiter_bytes():
                yield chunk

    async def read(self) -> Response:
        """Read the whole body and release the connection."""
        try:
            with _translated(self.meta.request_id):
                return Response(self.meta, await self._response.aread())
        finally:
            await self.close()

    async def close(self) -> None:
        """Release the connection; what was not read is dropped."""
        # A connection that cannot be closed in order is gone all the same.
        with suppress(*_FOREIGN):
            await self._response.aclose()


class Sender:
    """Sends requests over a blocking transport, made at the first request unless given."""

    __slots__ = ("_closed", "_lock", "_transport")

    def __init__(self, transport: httpx.BaseTransport | None) -> None:
        _check_transport(transport, "handle_request")
        self._transport = transport
        self._closed = False
        self._lock = threading.Lock()

    def send(self, request: Request) -> Exchange:
        """Send a request and return once the response's head is there."""
        with _translated():
            return Exchange(self._open().handle_request(_httpx_request(request)))

    def close(self) -> None:
        """Close all connections."""
        with self._lock, suppress(*_FOREIGN):
            closed, self._closed = self._closed, True
            if self._transport is not None and not closed:
                self._transport.close()

    def _open(self) -> httpx.BaseTransport:
        with self._lock:
            _check_open(self._closed)
            if self._transport is None:
                with _tls_explained():
                    self._transport = httpx.HTTPTransport(limits=_LIMITS)
            return self._transport


class AsyncSender:
    """Sends requests over an asynchronous transport, made at the first request unless given."""

    __slots__ = ("_closed", "_transport")

    def __init__(self, transport: httpx.AsyncBaseTransport | None) -> None:
        _check_transport(transport, "handle_async_request")
        self._transport = transport
        self._closed = False

    async def send(self, request: Request) -> AsyncExchange:
        """Send a request and return once the response's head is there."""
        with _translated():
            response = await self._open().handle_async_request(_httpx_request(request))
            return AsyncExchange(response)

    async def close(self) -> None:
        """Close all connections."""
        with suppress(*_FOREIGN):
            closed, self._closed = self._closed, True
            if self._transport is not None and not closed:
                await self._transport.aclose()

    def _open(self) -> httpx.AsyncBaseTransport:
        _check_open(self._closed)
        if self._transport is None:
            with _tls_explained():
                self._transport = httpx.AsyncHTTPTransport(limits=_LIMITS)
        return self._transport


def _check_transport(transport: object, method: str) -> None:
    if transport is not None and not hasattr(transport, method):
        raise ConfigError(f"transport must be an httpx transport with the method {method}")


def _check_open(closed: bool) -> None:
    if closed:
        raise ClientClosedError("the client is closed")


@contextmanager
def _tls_explained() -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"no certificates can be loaded, see SSL_CERT_FILE and SSL_CERT_DIR: {error}"
        ) from error


def _httpx_request(request: Request) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url,
        headers=dict(request.headers),
        content=request.content,
        extensions={"timeout": asdict(request.timeouts)},
    )


@contextmanager
def _translated(request_id: str | None = None) -> Generator[None]:
    """Turn what httpx raises into our errors; nothing else of it gets through."""
    try:
        yield
    except _FOREIGN as error:
        ours = _translation(error)
        ours.request_id = request_id
        raise ours from _bared(error)


def _translation(error: Exception) -> ServingError:
    if isinstance(error, httpx.TimeoutException):
        return _timeout(error)
    if isinstance(error, httpx.DecodingError):
        return InvalidResponseError(f"the body cannot be decompressed: {error}")
    if isinstance(error, httpx.TransportError):
        return _connection_error(error)
    if isinstance(error, httpx.InvalidURL):
        return InvalidRequestError(f"the request has no valid URL: {error}")
    return APIConnectionError(f"the response cannot be read: {error}", retryable=False)


def _bared(error: Exception) -> Exception:
    """Strip an exception of its frames and its own causes: they hold the request's headers."""
    error.__cause__ = error.__context__ = None
    if isinstance(error, httpx.LocalProtocolError):
        # Its text quotes the header at fault, which may be the token.
        error.args = ()
    return error.with_traceback(None)


def _timeout(error: httpx.TimeoutException) -> ServingError:
    for kind, phase, what in _PHASES:
        if isinstance(error, kind):
            sent = not isinstance(error, _NOT_SENT)
            message = f"{what} in time (phase {phase})"
            return APITimeoutError(message, phase=phase, maybe_executed=sent)
    return APITimeoutError(f"time ran out: {type(error).__name__}")


def _connection_error(error: httpx.TransportError) -> ServingError:
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        message = f"the request cannot be sent: {type(error).__name__}"
        return APIConnectionError(message, maybe_executed=False, retryable=False)
    sent = not isinstance(error, _NOT_SENT)
    detail = str(error) or type(error).__name__
    what = "the connection broke before the answer was whole" if sent else "no connection"
    return APIConnectionError(f"{what}: {detail}", maybe_executed=sent)
