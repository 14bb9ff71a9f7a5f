"""Streams of the asynchronous client."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Generic, Self

from databricks_serving._core.operations import ChunkT, EventT, TextReplyT
from databricks_serving._core.streaming import (
    MAX_DRAINED,
    NOT_OPEN,
    OPENED,
    StreamSession,
    is_first_text,
)
from databricks_serving._http import AsyncExchange
from databricks_serving.errors import ServingError
from databricks_serving_api.types import ReplyMeta

Annotate = Callable[[ServingError], None]


class AsyncChunkStream(Generic[TextReplyT, ChunkT, EventT]):
    """The chunks of a streamed answer, as `create(stream=True)` returns them.

    Iterate over it once, or use it as a context manager to release the connection early.
    """

    def __init__(
        self,
        exchange: AsyncExchange,
        session: StreamSession[TextReplyT, ChunkT, EventT],
        annotate: Annotate,
    ) -> None:
        self._exchange = exchange
        self._session = session
        self._annotate = annotate
        self._chunks = exchange.chunks()
        self._closed = False

    @property
    def meta(self) -> ReplyMeta:
        """Status and headers of the response."""
        return self._session.meta

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, if it gave one."""
        return self.meta.request_id

    @property
    def terminated_cleanly(self) -> bool:
        """Whether the terminator `[DONE]` came, which some endpoints leave out."""
        return self._session.terminated_cleanly

    @property
    def snapshot(self) -> TextReplyT:
        """The reply as far as it has been read."""
        return self._session.snapshot()

    @property
    def news(self) -> Iterable[EventT]:
        """The typed events of the last chunk."""
        return self._session.news

    def __aiter__(self) -> AsyncIterator[ChunkT]:
        return self

    async def __anext__(self) -> ChunkT:
        """Return the next chunk.

        Raises:
            StreamInterruptedError: When the stream ends without an end; `partial` has the rest.
            StreamServerError: When the server reports an error inside the stream.
        """
        chunk = await self._next()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def _next(self) -> ChunkT | None:
        try:
            while True:
                chunk = self._session.pop()
                if chunk is not None:
                    return chunk
                if self._session.finished:
                    await self._drain()
                    await self.close()
                    return None
                await self._feed()
        except ServingError as error:
            self._annotate(error)
            await self.close()
            raise

    async def _feed(self) -> None:
        if self._closed:
            raise self._session.closed_early()
        try:
            data = await anext(self._chunks, None)
        except ServingError as error:
            raise self._session.fail(error) from error
        if data is None:
            self._session.end()
        else:
            self._session.feed(data)

    async def _drain(self) -> None:
        """Read what follows the terminator, so that the connection can be used again."""
        with suppress(ServingError):
            rest = 0
            async for data in self._chunks:
                rest += len(data)
                if rest > MAX_DRAINED:
                    return

    async def close(self) -> None:
        """Release the connection; the rest of the answer is dropped."""
        self._closed = True
        await self._exchange.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class AsyncEventStream(Generic[TextReplyT, ChunkT, EventT]):
    """A streamed answer with typed events; a context manager that sends the request on entry.

    Iterating yields events (see `databricks_serving.events`); `text_stream` yields text alone. The
    answer can be read once, by either.
    """

    def __init__(
        self, open_stream: Callable[[], Awaitable[AsyncChunkStream[TextReplyT, ChunkT, EventT]]]
    ) -> None:
        self._open_stream = open_stream
        self._opened: AsyncChunkStream[TextReplyT, ChunkT, EventT] | None = None

    @property
    def chunks(self) -> AsyncChunkStream[TextReplyT, ChunkT, EventT]:
        """The same answer as chunks, with the status and headers of the response.

        Raises:
            ServingError: Outside the `with` block.
        """
        if self._opened is None:
            raise ServingError(NOT_OPEN)
        return self._opened

    @property
    def snapshot(self) -> TextReplyT:
        """The reply as far as it has been read."""
        return self.chunks.snapshot

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """The text of the first choice, piece by piece."""
        return (event.text async for event in self if is_first_text(event))

    async def __aiter__(self) -> AsyncIterator[EventT]:
        """Yield the events; raises as iterating over chunks does."""
        async for _ in self.chunks:
            for event in self.chunks.news:
                yield event

    async def get_final_completion(self) -> TextReplyT:
        """Read to the end and return the whole reply; raises as iterating does."""
        async for _ in self.chunks:
            pass
        return self.snapshot

    async def close(self) -> None:
        """Release the connection; the rest of the answer is dropped."""
        if self._opened is not None:
            await self._opened.close()

    async def __aenter__(self) -> Self:
        if self._opened is not None:
            raise ServingError(OPENED)
        self._opened = await self._open_stream()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
