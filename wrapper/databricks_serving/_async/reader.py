"""The reading of one streamed answer over an asynchronous transport."""

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from databricks_serving._core.boundary import forget
from databricks_serving._core.operations import ChunkT, EventT, TextReplyT
from databricks_serving._core.phases import Phases
from databricks_serving._core.streaming import (
    BUSY,
    DRAIN_SECONDS,
    MAX_DRAINED,
    StreamSession,
)
from databricks_serving._http.async_exchange import AsyncExchange
from databricks_serving.errors import ServingError, StreamUseError

Note = Callable[[ServingError], None]
Count = Callable[[Any], None]

ItemT = TypeVar("ItemT")


class AsyncReader(Generic[TextReplyT, ChunkT, EventT]):
    """Moves bytes from an exchange to a session, and has errors told of their call.

    Args:
        exchange: The response.
        session: What its bytes mean.
        phases: Its timeouts.
        note: Tells an error which call it ended.
        count: Counts what the answer used, once it is over; None where nobody wants to know.
    """

    def __init__(
        self,
        exchange: AsyncExchange,
        session: StreamSession[TextReplyT, ChunkT, EventT],
        phases: Phases,
        note: Note,
        count: Count | None,
    ) -> None:
        self.session = session
        self._exchange = exchange
        self._phases = phases
        self._note = note
        self._count = count
        self._pieces = exchange.chunks()
        # Whether the first event was read ahead, and nobody has taken anything of it.
        self._has_first = False
        self._turn = threading.Lock()
        self._failure: ServingError | None = None
        self._closed = False

    async def begin(self) -> None:
        """Read the first event, so that a call that fails before it can be tried again."""
        try:
            self._has_first = await self._read()
        except BaseException:
            await self.close()
            raise

    async def advance(self, take: Callable[[], ItemT]) -> ItemT | None:
        """Go on to the next event, and return what is wanted of it; None at the end.

        Args:
            take: Makes that of the session, while nobody else is reading.
        """
        if not self._turn.acquire(False):
            raise StreamUseError(BUSY)
        if self._failure is not None:
            self._turn.release()
            raise self._failure.with_traceback(None)
        handled = sys.exception()
        try:
            here, self._has_first = self._has_first, False
            return take() if here or await self._read() else None
        except BaseException as error:
            self._fail(error)
            await self._end()
            forget(error, handled)
            handled = None
            raise
        finally:
            if self._closed:
                self._settle()
            self._turn.release()

    async def close(self) -> None:
        """Release the connection; the rest of the answer is dropped."""
        self._closed = True
        # Somebody who is reading just now counts what came, since it is growing.
        if self._turn.acquire(False):
            try:
                self._settle()
            finally:
                self._turn.release()
        await self._exchange.close()

    async def _end(self) -> None:
        self._closed = True
        self._settle()
        await self._exchange.close()

    def _settle(self) -> None:
        """Have what came counted, once."""
        count, self._count = self._count, None
        if count is not None and self.session.begun:
            count(self.session.snapshot())

    async def _read(self) -> bool:
        """Go on to the next event; False at the end."""
        while not self.session.advance():
            if self.session.finished:
                await self._drain()
                await self._end()
                return False
            await self._feed()
        self._phases.progress()
        return True

    async def _feed(self) -> None:
        if self._closed:
            raise self.session.closed_early()
        try:
            piece = await anext(self._pieces, None)
        except ServingError as error:
            broken = self.session.broken(error)
            raise broken from broken.__cause__
        if piece is None:
            self.session.end()
        else:
            self.session.feed(piece)

    def _fail(self, error: BaseException) -> None:
        """Take note of the first error: later readings end alike."""
        if isinstance(error, ServingError) and self._failure is None:
            self._failure = error
            self._note(error)

    async def _drain(self) -> None:
        """Read what follows the terminator, so that the connection can be used again."""
        if self._closed:
            return
        self._phases.finish(DRAIN_SECONDS)
        # A transport of the user's may raise what it likes: the answer is whole.
        with suppress(Exception):
            rest = 0
            async for piece in self._pieces:
                rest += len(piece)
                if rest > MAX_DRAINED:
                    return
