"""A transport that listens to another: what is asked and answered is told to a listener."""

import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Protocol

import httpx

from databricks_serving._core.clocks import OwnTime
from databricks_serving._core.script import Sent, Step
from databricks_serving._http.answers import finish
from databricks_serving._http.scripted import ScriptedTransport, sent_of


class Hearing(Protocol):
    """Hears one exchange."""

    def head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Hear status and headers."""
        ...

    def piece(self, data: bytes, now: float) -> None:
        """Hear some of the body, and the monotonic time."""
        ...

    def over(self, error: BaseException | None, now: float, *, whole: bool) -> None:
        """Hear that the answer is over: whole, broken off with an error, or no longer wanted."""
        ...


class Listener(Protocol):
    """Hears exchanges, and may answer requests itself."""

    def answer(self, sent: Sent) -> Iterable[Step] | None:
        """Return a script; None to have the request sent."""
        ...

    def begin(self, sent: Sent, now: float) -> Hearing:
        """Return what hears an exchange that begins."""
        ...


class ListeningTransport(httpx.BaseTransport):
    """Sends over another transport, unless the listener answers.

    Args:
        inner: The other transport.
        listener: What listens.
        own_time: What the pauses of the listener's answers pass.
    """

    def __init__(self, inner: httpx.BaseTransport, listener: Listener, own_time: OwnTime) -> None:
        self._inner = inner
        self._listener = listener
        self._time = own_time

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or send it."""
        sent = sent_of(request, request.read())
        steps = self._listener.answer(sent)
        if steps is not None:
            return ScriptedTransport(lambda _: steps, self._time).handle_request(request)
        hearing = self._listener.begin(sent, time.monotonic())
        response = self._inner.handle_request(request)
        return _heard(response, ListeningBody(response, hearing), hearing)

    def close(self) -> None:
        """Close the other transport."""
        self._inner.close()


class AsyncListeningTransport(httpx.AsyncBaseTransport):
    """The asynchronous twin of `ListeningTransport`."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, listener: Listener, own_time: OwnTime
    ) -> None:
        self._inner = inner
        self._listener = listener
        self._time = own_time

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or send it."""
        sent = sent_of(request, await request.aread())
        steps = self._listener.answer(sent)
        if steps is not None:
            scripted = ScriptedTransport(lambda _: steps, self._time)
            return await scripted.handle_async_request(request)
        hearing = self._listener.begin(sent, time.monotonic())
        response = await self._inner.handle_async_request(request)
        return _heard(response, AsyncListeningBody(response, hearing), hearing)

    async def aclose(self) -> None:
        """Close the other transport."""
        await self._inner.aclose()


class ListeningBody(httpx.SyncByteStream):
    """A body that is heard as it comes."""

    def __init__(self, response: httpx.Response, hearing: Hearing) -> None:
        self._response = response
        self._hearing = hearing

    def __iter__(self) -> Iterator[bytes]:
        try:
            for data in self._pieces():
                self._hearing.piece(data, time.monotonic())
                yield data
        except Exception as error:
            self._hearing.over(error, time.monotonic(), whole=False)
            raise
        self._hearing.over(None, time.monotonic(), whole=True)

    def _pieces(self) -> Iterable[bytes]:
        stream = self._response.stream
        assert isinstance(stream, httpx.SyncByteStream)  # noqa: S101 - for type checkers
        return stream

    def close(self) -> None:
        """Close the other body."""
        self._hearing.over(None, time.monotonic(), whole=False)
        self._response.close()


class AsyncListeningBody(httpx.AsyncByteStream):
    """A body that is heard as it comes."""

    def __init__(self, response: httpx.Response, hearing: Hearing) -> None:
        self._response = response
        self._hearing = hearing

    async def __aiter__(self) -> AsyncIterator[bytes]:
        stream = self._response.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - for type checkers
        pieces = aiter(stream)
        try:
            async for data in pieces:
                self._hearing.piece(data, time.monotonic())
                yield data
        except Exception as error:
            self._hearing.over(error, time.monotonic(), whole=False)
            raise
        finally:
            await finish(pieces)
        self._hearing.over(None, time.monotonic(), whole=True)

    async def aclose(self) -> None:
        """Close the other body."""
        self._hearing.over(None, time.monotonic(), whole=False)
        await self._response.aclose()


def _heard(
    response: httpx.Response, body: ListeningBody | AsyncListeningBody, hearing: Hearing
) -> httpx.Response:
    hearing.head(response.status_code, response.headers.multi_items())
    return httpx.Response(
        response.status_code,
        headers=response.headers.raw,
        stream=body,
        extensions=response.extensions,
    )
