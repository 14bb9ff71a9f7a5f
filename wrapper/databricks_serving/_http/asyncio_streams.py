"""Connections under asyncio.

Closing never suspends, so a task that is cancelled twice cannot leave it half done; reading goes on
while a request is written, so an early answer is not lost.
"""

import asyncio
import ssl
from collections import deque
from typing import Any, Final, cast

from databricks_serving._http.breaks import (
    ConnectError,
    ConnectTimeout,
    ReadError,
    ReadTimeout,
    TransportError,
    WriteError,
    WriteTimeout,
)
from databricks_serving._http.watch import Watch
from databricks_serving._http.wire import FIRST, connect_error, has_begun, is_readable

_PAUSE_AT: Final = 256 * 1024
_WRITE: Final = 256 * 1024


class AsyncioStream(asyncio.Protocol):
    """One connection, with TLS once it was started."""

    def __init__(self, streams: "set[AsyncioStream]", layers: int) -> None:
        self.distrusted = False
        self._transport: asyncio.Transport | None = None
        # What lies below all TLS, which alone knows at once that the connection broke.
        self._base: asyncio.Transport | None = None
        self._streams = streams
        self._layers = layers
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._ended = self._lost = self._tls = self._reading_paused = self._writing_paused = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[bool] | None = None
        # When the wait is over, and what ends it then.
        self._until: float | None = None
        self._alarm: asyncio.TimerHandle | None = None
        streams.add(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = self._base = cast("asyncio.Transport", transport)
        # Nothing counts as written before the system has taken it.
        self._transport.set_write_buffer_limits(0)

    def data_received(self, data: bytes) -> None:
        """Keep what came."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size > _PAUSE_AT and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Take note that nothing more comes; what is written may still be answered."""
        self._ended = not self._tls or self._said_farewell()
        self._wake()
        return not self._tls

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the connection is gone."""
        self._lost, self._error = True, exc
        self._streams.discard(self)
        self._silence()
        self._wake()

    def pause_writing(self) -> None:
        """Take note that the system has not taken everything."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """Take note that it has."""
        self._writing_paused = False
        self._wake()

    async def read(self, max_bytes: int, watch: Watch) -> bytes:
        """Read what there is."""
        connecting = self._layers > 0
        while True:
            seconds = watch.connecting() if connecting else watch.reading()
            if self._pieces:
                break
            if self._ended:
                return b""
            if self._lost:
                raise _broken(ReadError, self._error)
            if not await self._wait(seconds):
                raise ConnectTimeout if connecting else ReadTimeout
        data = self._take(max_bytes)
        if watch.first is None and not connecting:
            watch.first = data[:FIRST]
        return data

    async def write(self, data: bytes, watch: Watch) -> None:
        """Write everything."""
        connecting = self._layers > 0
        view = memoryview(data)
        while view and self._transport is not None and not self._is_gone():
            seconds = watch.connecting() if connecting else watch.writing()
            self._transport.write(view[:_WRITE])
            if not await self._taken(seconds):
                break
            view = view[_WRITE:]
            if view:
                await self._listen()
        if view:
            # The connection broke, or the server has answered before it read everything.
            watch.tear()
            kind = ConnectError if connecting else WriteError
            raise _broken(kind, self._error)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str, watch: Watch
    ) -> None:
        """Shake hands."""
        assert self._transport is not None  # noqa: S101 - for type checkers
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(watch.connecting()):
                self._transport = await loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname
                )
        except BaseException as error:  # noqa: BLE001 - it goes on
            self.close()
            raise connect_error(error) from None
        if self._transport is None or self._lost:
            raise _broken(ConnectError, self._error)
        self._tls = True
        # With 0 asyncio would pause, and never resume, what was taken at once.
        self._transport.set_write_buffer_limits(1, 0)
        self._layers = max(self._layers - 1, 0)
        watch.at_proxy = self._layers > 0

    def close(self) -> None:
        """Close the connection, without suspending."""
        self._streams.discard(self)
        self._silence()
        self._lost = True
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    def is_spent(self) -> bool:
        """Tell whether an idle connection is of no more use: ended, or with data for nobody."""
        if self.distrusted or self._lost or self._ended or self._pieces or not self._transport:
            return True
        # The event loop may not have come to look at it since it was closed.
        sock = self._transport.get_extra_info("socket")
        return sock is None or is_readable(sock)

    def _said_farewell(self) -> bool:
        """Tell the end that TLS announces from one where the connection was cut."""
        tls: Any = self._transport and self._transport.get_extra_info("ssl_object")
        try:
            return bool(tls.read(1) == b"")
        except ssl.SSLError:
            return False

    async def _taken(self, seconds: float | None) -> bool:
        """Wait until the system has taken what was written; return False if it will not."""
        while self._writing_paused and not self._is_gone() and not self._answered():
            if not await self._wait(seconds):
                raise WriteTimeout
        return not self._writing_paused and not self._is_gone()

    async def _listen(self) -> None:
        """Have the event loop read what there is.

        After a write that fails nothing is read any more, an answer that says why neither.
        """
        if self._base is not None and is_readable(self._base.get_extra_info("socket")):
            # What is read now is handled in the turn after.
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    def _is_gone(self) -> bool:
        return self._lost or self._base is None or self._base.is_closing()

    def _answered(self) -> bool:
        return has_begun(b"".join(self._pieces))

    def _take(self, size: int) -> bytes:
        data = self._pieces.popleft()
        if len(data) > size:
            self._pieces.appendleft(data[size:])
            data = data[:size]
        self._size -= len(data)
        if self._reading_paused and not self._pieces and self._transport is not None:
            self._reading_paused = False
            self._transport.resume_reading()
        return data

    async def _wait(self, seconds: float | None) -> bool:
        """Wait for something to happen; return False if the time ran out."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        self._until = None if seconds is None else loop.time() + seconds
        self._set_alarm(loop)
        try:
            return await self._waiter
        finally:
            self._waiter = None

    def _set_alarm(self, loop: asyncio.AbstractEventLoop) -> None:
        """See to it that `_ring` is called in time, maybe too early.

        An alarm for each wait would cost as much as the wait, and nearly none of them rings.
        """
        if self._until is None or (self._alarm and self._alarm.when() <= self._until):
            return
        self._silence()
        self._alarm = loop.call_at(self._until, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._alarm = None
        if self._waiter is None or self._until is None:
            return
        if loop.time() < self._until:
            self._set_alarm(loop)
        else:
            _settle(self._waiter, False)

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _wake(self) -> None:
        if self._waiter is not None:
            _settle(self._waiter, True)


def _settle(waiter: asyncio.Future[bool], happened: bool) -> None:
    if not waiter.done():
        waiter.set_result(happened)


def _broken(kind: type[TransportError], error: Exception | None) -> TransportError:
    return kind(error or ConnectionResetError("the connection was cut"))
