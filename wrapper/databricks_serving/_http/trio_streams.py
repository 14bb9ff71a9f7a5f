"""Connections under trio for httpcore2, by way of anyio."""

import ssl
from collections.abc import Iterable
from typing import Any, Final

import anyio
import anyio.abc
import httpcore2
from anyio.streams.tls import TLSAttribute, TLSStream

from databricks_serving._http.watch import Watch
from databricks_serving._http.wire import FIRST, Backend, is_readable

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
        self.begin(watch)
        try:
            with anyio.fail_after(watch.connecting()):
                stream = await anyio.connect_tcp(host, port)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(error) from None
        except _BROKEN as error:
            raise httpcore2.ConnectError(_inner(error)) from None
        return TrioStream(stream, self.streams, watch, self._layers)


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
        self._opener = watch
        self._layers = layers
        streams.add(self)

    async def read(self, max_bytes: int, timeout: Any = None) -> bytes:  # noqa: ASYNC109 - as above
        """Read what there is; `timeout` is the try's watch."""
        watch: Watch = timeout or self._opener
        connecting = self._layers > 0
        try:
            with anyio.fail_after(watch.connecting() if connecting else watch.reading()):
                data = await self._stream.receive(max_bytes)
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
        watch: Watch = timeout or self._opener
        connecting = self._layers > 0
        try:
            for start in range(0, len(buffer), _WRITE):
                with anyio.fail_after(watch.connecting() if connecting else watch.writing()):
                    await self._stream.send(buffer[start : start + _WRITE])
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(error) from None
        except _BROKEN as error:
            watch.tear()
            kind = httpcore2.ConnectError if connecting else httpcore2.WriteError
            raise kind(error) from None

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: Any = None,  # noqa: ASYNC109 - as above
    ) -> "TrioStream":
        """Shake hands; `timeout` is the try's watch."""
        watch: Watch = timeout or self._opener
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
            stream: Any = self._stream
            while isinstance(stream, TLSStream):
                stream = stream.transport_stream
            await anyio.aclose_forcefully(stream)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore2 wants to know."""
        if info == "ssl_object":
            return self._stream.extra(TLSAttribute.ssl_object, None)  # noqa: S610 - no database
        if info == "is_readable":
            sock = self._stream.extra(anyio.abc.SocketAttribute.raw_socket)  # noqa: S610 - no database
            return self.distrusted or is_readable(sock)
        return None
