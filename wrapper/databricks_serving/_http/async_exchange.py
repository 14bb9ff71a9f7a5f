"""A response whose body is read from an asynchronous transport."""

import sys
import warnings
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import ref

from databricks_serving._core.replies import Response
from databricks_serving._core.requests import Request
from databricks_serving._http.answers import Answer, Arrived, Owner, finish, limited_async
from databricks_serving._http.failures import bared, is_foreign
from databricks_serving._http.loops import run_soon, running_loop
from databricks_serving._http.watch import Watch
from databricks_serving.errors import ServingError


class AsyncExchange(Answer):
    """The answer to one request; it holds a connection until it is closed."""

    __slots__ = ("_loop", "_pieces", "_whole")

    def __init__(self, owner: Owner, arrived: Arrived, request: Request, watch: Watch) -> None:
        super().__init__(owner, arrived, request, watch)
        self._loop: Any = None
        self._pieces: Any = None
        # It holds the exchange, which must not hold it as well, or nothing would be let go in time.
        self._whole: ref[AsyncIterator[bytes]] | None = None
        # Without an event loop a user's transport may do all the same.
        with suppress(ServingError):
            self._loop = running_loop()

    def chunks(self) -> AsyncIterator[bytes]:
        """Return the decoded body as it arrives."""
        whole = self._chunks()
        self._whole = ref(whole)
        return whole

    async def _chunks(self) -> AsyncIterator[bytes]:
        try:
            inflater = self._inflater()
            source = self._arrived.pieces
            own = self._watch.own
            self._pieces = aiter(source if own else limited_async(source, self._watch.phases))
            async for data in self._pieces:
                self._received += len(data)
                for piece in inflater.feed(data):
                    yield piece
            inflater.finish()
        except Exception as error:
            ours = self._ours(error)
            if ours is None or ours is error:
                raise
            raise ours from bared(error)

    async def read(self) -> Response:
        """Read the whole body, of an error as much as comes, and release the connection."""
        progress = self._watch.phases.progress
        # Not a list of pieces: small ones leave their memory to nobody else once they are joined.
        body = bytearray()
        try:
            async for piece in self.chunks():
                progress()
                body += piece
        except ServingError as error:
            if self._is_final(error):
                raise
        finally:
            await self.close()
        return Response(self.meta, bytes(body))

    async def close(self) -> None:
        """Release the connection; what was not read is dropped."""
        if self._closed:
            return
        self._closed = True
        try:
            await _let_go(self._arrived, self._pieces)
            await finish(self._whole and self._whole())
        except Exception as error:
            # A connection that cannot be closed in order is gone all the same.
            if not is_foreign(error, own=self._watch.own):
                raise

    def __del__(self) -> None:
        # At the end of a program nobody is to be warned, and its sockets close anyway.
        if getattr(self, "_closed", True) or sys.is_finalizing():
            return
        if self._loop is not None:
            run_soon(self._loop, partial(_let_go, self._arrived, self._pieces))
        status = self.meta.status_code
        warnings.warn(f"unclosed answer ({status})", ResourceWarning, stacklevel=1, source=self)


async def _let_go(arrived: Any, pieces: Any) -> None:
    await arrived.aclose()
    await finish(pieces)
