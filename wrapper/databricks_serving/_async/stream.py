"""Streams of the asynchronous client."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from types import TracebackType
from typing import Generic, Self

from databricks_serving._async.reader import AsyncReader
from databricks_serving._core.boundary import forgetful
from databricks_serving._core.operations import ChunkT, EventT, TextReplyT
from databricks_serving._core.streaming import NOT_OPEN, OPENED, READ_TWICE
from databricks_serving.errors import StreamUseError
from databricks_serving_api.types import ReplyMeta


class AsyncChunkStream(Generic[TextReplyT, ChunkT, EventT]):
    """The chunks of a streamed answer, as `create(stream=True)` returns them.

    Iterate over it once, or use it as a context manager to release the connection early.
    """

    def __init__(self, reader: AsyncReader[TextReplyT, ChunkT, EventT]) -> None:
        self._reader = reader
        self._chunk = reader.session.chunk
        self._iterated = False

    @property
    def meta(self) -> ReplyMeta:
        """Status and headers of the response."""
        return self._reader.session.meta

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, if it gave one."""
        return self.meta.request_id

    @property
    def terminated_cleanly(self) -> bool:
        """Whether the terminator `[DONE]` came, which some endpoints leave out."""
        return self._reader.session.terminated_cleanly

    @property
    def snapshot(self) -> TextReplyT:
        """The reply as far as it has been read."""
        return self._reader.session.snapshot()

    @property
    def news(self) -> Iterable[EventT]:
        """The typed events of the last chunk."""
        return self._reader.session.news

    def __aiter__(self) -> AsyncIterator[ChunkT]:
        """Return the stream itself, once.

        Raises:
            StreamUseError: When it was iterated before.
        """
        if self._iterated:
            raise StreamUseError(READ_TWICE)
        self._iterated = True
        return self

    async def __anext__(self) -> ChunkT:
        """Return the next chunk.

        Raises:
            StreamInterruptedError: When the stream ends without an end; `partial` has the rest.
            StreamServerError: When the server reports an error inside the stream.
            StreamUseError: When another thread or task is reading.
            ClientClosedError: When the client was closed meanwhile.
        """
        chunk = await self._reader.advance(self._chunk)
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def get_final_completion(self) -> TextReplyT:
        """Read to the end and return the whole reply; raises as iterating does."""
        while await self._reader.advance(self._reader.session.told) is not None:
            pass
        return self.snapshot

    async def close(self) -> None:
        """Release the connection; the rest of the answer is dropped."""
        await self._reader.close()

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
            StreamUseError: Outside the `with` block.
        """
        if self._opened is None:
            raise StreamUseError(NOT_OPEN)
        return self._opened

    @property
    def snapshot(self) -> TextReplyT:
        """The reply as far as it has been read."""
        return self.chunks.snapshot

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """The text of the first choice, piece by piece."""
        return self._texts()

    async def __aiter__(self) -> AsyncIterator[EventT]:
        """Yield the events; raises as iterating over chunks does."""
        async for _ in self.chunks:
            for event in self.chunks.news:
                yield event

    async def _texts(self) -> AsyncIterator[str]:
        chunks = self.chunks
        aiter(chunks)
        # What is read for its text alone is not made into models.
        reader = chunks._reader  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its own
        told_of = reader.session.told
        while (told := await reader.advance(told_of)) is not None:
            for one in told:
                if isinstance(one, str):
                    yield one

    async def get_final_completion(self) -> TextReplyT:
        """Read to the end and return the whole reply; raises as iterating does."""
        return await self.chunks.get_final_completion()

    async def close(self) -> None:
        """Release the connection; the rest of the answer is dropped."""
        if self._opened is not None:
            await self._opened.close()

    @forgetful
    async def __aenter__(self) -> Self:
        if self._opened is not None:
            raise StreamUseError(OPENED)
        self._opened = await self._open_stream()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
