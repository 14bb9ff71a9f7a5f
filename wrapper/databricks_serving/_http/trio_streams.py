"""Connections under trio for httpcore2, by way of anyio."""

import ssl
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

import anyio
import anyio.abc
import httpcore2
from anyio.streams.tls import TLSAttribute, TLSStream

from databricks_serving._http.watch import Watch
from databricks_serving._http.wire import (
    FIRST,
    TOGETHER,
    Backend,
    has_begun,
    holds_more,
    is_readable,
)

_WRITE: Final = 256 * 1024
_BROKEN: Final = (
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    OSError,
    ValueError,
)


class TrioBackend(Backend["TrioStream"], httpcore2.AsyncNetworkBackend):
    """Opens connections under trio."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: Any = None,  # noqa: ASYNC109 - httpcore2's interface
        local_address: str | None = None,  # noqa: ARG002 - httpcore2's interface
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - httpcore2's interface
    ) -> "TrioStream":
        """Connect to the first address that answers; `timeout` is the try's watch."""
        watch: Watch = timeout
        self.begin(watch, host, port)
        try:
            with anyio.fail_after(watch.connecting()):
                stream = await anyio.connect_tcp(host, port)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(error) from None
        except _BROKEN as error:
            raise httpcore2.ConnectError(_inner(error)) from None
        opened = TrioStream(stream, self.streams, watch, self._layers)
        if self.closed:
            await opened.aclose()
            self.check_open()
        return opened


def _inner(error: Exception) -> Any:
    """Return what stopped the first of several attempts to connect, which anyio puts together."""
    cause: Any = error.__cause__ or error
    while isinstance(cause, BaseExceptionGroup):
        # A group is made of a text and its exceptions.
        cause = cause.args[1][0]
    return cause


class TrioStream(httpcore2.AsyncNetworkStream):
    """One connection, with TLS once it was started."""

    def __init__(
        self,
        stream: anyio.abc.ByteStream,
        streams: "set[TrioStream]",
        watch: Watch,
        layers: int,
    ) -> None:
        self.distrusted = False
        self._stream: anyio.abc.ByteStream = stream
        self._streams = streams
        self.opener = watch
        self._layers = layers
        # What came before the request was written in full.
        self._early = b""
        streams.add(self)

    async def read(self, max_bytes: int, timeout: Any = None) -> bytes:  # noqa: ASYNC109 - as above
        """Read what there is; `timeout` is the try's watch."""
        watch: Watch = timeout or self.opener
        connecting = self._layers > 0
        try:
            with anyio.fail_after(watch.connecting() if connecting else watch.reading()):
                data = self._take(max_bytes) or await self._stream.receive(max_bytes)
        except anyio.EndOfStream:
            return b""
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(error) from None
        except _BROKEN as error:
            raise httpcore2.ReadError(error.__cause__ or error) from None
        if watch.first is None and not connecting:
            watch.first = data[:FIRST]
        return data

    async def write(self, buffer: bytes, timeout: Any = None) -> None:  # noqa: ASYNC109 - as above
        """Write everything; `timeout` is the try's watch."""
        watch: Watch = timeout or self.opener
        connecting = self._layers > 0
        try:
            if len(buffer) > TOGETHER and not connecting:
                await self._write_long(buffer, watch)
                return
            with anyio.fail_after(watch.connecting() if connecting else watch.writing()):
                await self._stream.send(buffer)
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(error) from None
        except _BROKEN as error:
            watch.tear()
            kind = httpcore2.ConnectError if connecting else httpcore2.WriteError
            raise kind(error) from None

    async def _write_long(self, buffer: bytes, watch: Watch) -> None:
        """Write what a server may refuse before it has read it all."""
        failure: Exception | None = None
        async with anyio.create_task_group() as both:
            both.start_soon(self._listen, both.cancel_scope)
            # A group would hand on its failures in a group.
            try:
                await self._write_all(buffer, watch)
            except Exception as error:  # noqa: BLE001 - raised below
                failure = error
            both.cancel_scope.cancel()
        if has_begun(self._early):
            raise ConnectionAbortedError("the server answered before it had read everything")
        if failure is not None:
            raise failure

    async def _write_all(self, buffer: bytes, watch: Watch) -> None:
        for start in range(0, len(buffer), _WRITE):
            with anyio.fail_after(watch.writing()):
                await self._stream.send(buffer[start : start + _WRITE])

    async def _listen(self, scope: anyio.CancelScope) -> None:
        with suppress(*_BROKEN):
            while not has_begun(self._early):
                self._early += await self._stream.receive()
            scope.cancel()

    def _take(self, size: int) -> bytes:
        data, self._early = self._early[:size], self._early[size:]
        return data

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: Any = None,  # noqa: ASYNC109 - as above
    ) -> "TrioStream":
        """Shake hands; `timeout` is the try's watch."""
        watch: Watch = timeout or self.opener
        try:
            with anyio.fail_after(watch.connecting()):
                # Strict, so that an answer that was cut off is seen to be.
                self._stream = await TLSStream.wrap(
                    self._stream,
                    server_side=False,
                    hostname=server_hostname,
                    ssl_context=ssl_context,
                )
        except TimeoutError as error:
            await self.aclose()
            raise httpcore2.ConnectTimeout(error) from None
        except _BROKEN as error:
            await self.aclose()
            raise httpcore2.ConnectError(error) from None
        except BaseException:
            await self.aclose()
            raise
        self._layers = max(self._layers - 1, 0)
        watch.at_proxy = self._layers > 0
        return self

    async def aclose(self) -> None:
        """Close the connection, without the farewell of TLS that a server may leave unanswered."""
        self._streams.discard(self)
        with anyio.CancelScope(shield=True):
            *_, innermost = self._all_layers()
            await anyio.aclose_forcefully(innermost)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore2 wants to know."""
        if info == "ssl_object":
            return self._stream.extra(TLSAttribute.ssl_object, None)  # noqa: S610 - no database
        if info == "is_readable":
            return self.distrusted or bool(self._early) or self._is_readable()
        return None

    def _is_readable(self) -> bool:
        if is_readable(self._stream.extra(anyio.abc.SocketAttribute.raw_socket)):  # noqa: S610 - no database
            return True
        layers = [one.extra(TLSAttribute.ssl_object, None) for one in self._all_layers()]  # noqa: S610 - no database
        return any(tls is not None and holds_more(tls) for tls in layers)

    def _all_layers(self) -> Iterator[anyio.abc.ByteStream]:
        """Yield the streams that this one is made of, from the outside to the socket."""
        stream: Any = self._stream
        yield stream
        while isinstance(stream, TLSStream):
            stream = stream.transport_stream
            yield stream
