"""Connections under trio, by way of anyio."""

import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import anyio
import anyio.abc
import trio
from anyio.streams.tls import TLSAttribute, TLSStream

from databricks_serving._http.breaks import (
    ConnectError,
    ConnectTimeout,
    ReadError,
    ReadTimeout,
    WriteError,
    WriteTimeout,
)
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


class TrioBackend(Backend["TrioStream"]):
    """Opens connections under trio."""

    async def connect(self, host: str, port: int, watch: Watch) -> "TrioStream":
        """Connect to the first address that answers."""
        self.begin(watch, host, port)
        try:
            with anyio.fail_after(watch.connecting()):
                stream = await anyio.connect_tcp(host, port)
        except TimeoutError as error:
            raise ConnectTimeout(error) from None
        except _BROKEN as error:
            raise ConnectError(_inner(error)) from None
        opened = TrioStream(stream, self.streams, self._layers)
        if self.closed:
            opened.close()
            self.check_open()
        return opened


def _inner(error: Exception) -> Any:
    """Return what stopped the first of several attempts to connect, which anyio puts together."""
    cause: Any = error.__cause__ or error
    while isinstance(cause, BaseExceptionGroup):
        # A group is made of a text and its exceptions.
        cause = cause.args[1][0]
    return cause


class TrioStream:
    """One connection, with TLS once it was started."""

    def __init__(
        self, stream: anyio.abc.ByteStream, streams: "set[TrioStream]", layers: int
    ) -> None:
        self.distrusted = False
        self._stream: anyio.abc.ByteStream = stream
        self._streams = streams
        self._layers = layers
        # What came before the request was written in full.
        self._early = b""
        streams.add(self)

    async def read(self, max_bytes: int, watch: Watch) -> bytes:
        """Read what there is."""
        connecting = self._layers > 0
        try:
            with anyio.fail_after(watch.connecting() if connecting else watch.reading()):
                data = self._take(max_bytes) or await self._stream.receive(max_bytes)
        except anyio.EndOfStream:
            return b""
        except TimeoutError as error:
            raise ReadTimeout(error) from None
        except _BROKEN as error:
            raise ReadError(error.__cause__ or error) from None
        if watch.first is None and not connecting:
            watch.first = data[:FIRST]
        return data

    async def write(self, data: bytes, watch: Watch) -> None:
        """Write everything."""
        connecting = self._layers > 0
        try:
            if len(data) > TOGETHER and not connecting:
                await self._write_long(data, watch)
                return
            with anyio.fail_after(watch.connecting() if connecting else watch.writing()):
                await self._stream.send(data)
        except TimeoutError as error:
            raise WriteTimeout(error) from None
        except _BROKEN as error:
            watch.tear()
            kind = ConnectError if connecting else WriteError
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
        self, ssl_context: ssl.SSLContext, server_hostname: str, watch: Watch
    ) -> None:
        """Shake hands."""
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
            self.close()
            raise ConnectTimeout(error) from None
        except _BROKEN as error:
            self.close()
            raise ConnectError(error) from None
        except BaseException:
            self.close()
            raise
        self._layers = max(self._layers - 1, 0)
        watch.at_proxy = self._layers > 0

    def close(self) -> None:
        """Close the connection, without the farewell of TLS that a server may leave unanswered.

        Without suspending either, which anyio's own way would do.
        """
        self._streams.discard(self)
        sock = self._stream.extra(anyio.abc.SocketAttribute.raw_socket)  # noqa: S610 - no database
        if sock.fileno() >= 0:
            trio.lowlevel.notify_closing(sock)
            sock.close()

    def is_spent(self) -> bool:
        """Tell whether an idle connection is of no more use: ended, or with data for nobody."""
        if self.distrusted or self._early:
            return True
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
