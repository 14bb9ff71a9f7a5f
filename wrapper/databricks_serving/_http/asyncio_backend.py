"""How connections are opened under asyncio."""

import asyncio
import socket
from typing import Any

from databricks_serving._http.asyncio_streams import AsyncioStream
from databricks_serving._http.breaks import ConnectTimeout, NetworkError
from databricks_serving._http.watch import Watch
from databricks_serving._http.wire import Backend, connect_error, is_address


class AsyncioBackend(Backend[AsyncioStream]):
    """Opens connections in an event loop of asyncio."""

    async def connect(self, host: str, port: int, watch: Watch) -> AsyncioStream:
        """Connect to the first address that answers."""
        self.begin(watch, host, port)
        addresses = await _resolve(host, port, watch)
        while True:
            address = addresses.pop(0)
            try:
                return await self._connect(address, watch, 1 + len(addresses))
            except (NetworkError, ConnectTimeout):
                if not addresses:
                    raise

    async def _connect(self, address: Any, watch: Watch, shares: int) -> AsyncioStream:
        stream = AsyncioStream(self.streams, self._layers)
        try:
            self.check_open()
            seconds = watch.connecting()
            # An address that does not answer must leave time for the others.
            async with asyncio.timeout(None if seconds is None else seconds / shares):
                loop = asyncio.get_running_loop()
                await loop.create_connection(lambda: stream, *address)
            self.check_open()
        except BaseException as error:  # noqa: BLE001 - it goes on
            stream.close()
            raise connect_error(error) from None
        return stream


async def _resolve(host: str, port: int, watch: Watch) -> list[Any]:
    if is_address(host):
        # Names are looked up in another thread, which an address does not need.
        return [(host, port)]
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(watch.connecting()):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise connect_error(error) from None
    return [address[:2] for *_, address in found]
