"""A transport that performs scripts instead of opening connections, for both clients."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from math import isinf
from typing import Any, Final, NamedTuple

import httpx

from databricks_serving._core.clocks import OwnTime
from databricks_serving._core.script import Answering, Break, Breakage, Head, Sent, Step, Wait
from databricks_serving._http.watch import Watch

# What httpx's own transport raises for the same, so that a client cannot tell the difference.
_BREAKS: Final[dict[Breakage, tuple[type[httpx.TransportError], str]]] = {
    "refused": (httpx.ConnectError, "[Errno 111] Connection refused"),
    "connect_timeout": (httpx.ConnectTimeout, "timed out"),
    "reset": (httpx.ReadError, "[Errno 104] Connection reset by peer"),
    "closed": (
        httpx.RemoteProtocolError,
        "peer closed connection without sending complete message body",
    ),
    "malformed": (httpx.RemoteProtocolError, "illegal status line"),
}


class _Pause(NamedTuple):
    seconds: float
    error: httpx.TimeoutException | None


class ScriptedTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers requests of both clients with scripts; time is its own.

    Args:
        answering: Returns the steps of the answer to a request. What it raises, the caller sees.
        own_time: What waits pass, and what a client over this transport goes by.
    """

    def __init__(self, answering: Answering, own_time: OwnTime) -> None:
        self.own_time: OwnTime = own_time
        self._answering = answering

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Perform the steps up to the head."""
        steps = iter(self._answering(sent_of(request, request.read())))
        for step in steps:
            if isinstance(step, Head):
                return _response(step, ScriptedBody(steps, request, self.own_time))
            pause = _pause_of(step, request)
            self.own_time.sleep(pause.seconds)
            if pause.error:
                raise pause.error
        raise _broken("closed", request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Perform the steps up to the head."""
        steps = iter(self._answering(sent_of(request, await request.aread())))
        for step in steps:
            if isinstance(step, Head):
                return _response(step, ScriptedBody(steps, request, self.own_time))
            pause = _pause_of(step, request)
            await self.own_time.sleep_async(pause.seconds)
            if pause.error:
                raise pause.error
        raise _broken("closed", request)


class ScriptedBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The steps after the head."""

    def __init__(self, steps: Iterator[Step], request: httpx.Request, own_time: OwnTime) -> None:
        self._steps = steps
        self._request = request
        self._time = own_time

    def __iter__(self) -> Iterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
                continue
            pause = _pause_of(step, self._request)
            self._time.sleep(pause.seconds)
            if pause.error:
                raise pause.error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
                continue
            pause = _pause_of(step, self._request)
            await self._time.sleep_async(pause.seconds)
            if pause.error:
                raise pause.error

    def close(self) -> None:
        """End a script that was not performed to its end."""
        close = getattr(self._steps, "close", None)
        # Another thread that reads ends it itself.
        with suppress(ValueError):
            if close:
                close()

    async def aclose(self) -> None:
        """End a script that was not performed to its end."""
        self.close()


def sent_of(request: httpx.Request, content: bytes) -> Sent:
    """Return a request in the form that scripts and recordings know."""
    return Sent(request.method, str(request.url), tuple(request.headers.multi_items()), content)


def _response(head: Head, body: ScriptedBody) -> httpx.Response:
    headers = [(_encoded(name), _encoded(value)) for name, value in head.headers]
    return httpx.Response(head.status, headers=headers, stream=body)


def _encoded(text: str) -> bytes:
    """Return a part of a header: servers send more than ASCII, which is all that httpx takes."""
    return text.encode("utf-8", "surrogatepass")


def _pause_of(step: Step, request: httpx.Request) -> _Pause:
    if isinstance(step, Break):
        raise _broken(step.kind, request)
    if not isinstance(step, Wait):
        raise TypeError(f"a script has no place here for {type(step).__name__}")
    left = _left(request)
    if left is not None and step.seconds >= left:
        return _Pause(left, httpx.ReadTimeout("timed out", request=request))
    if isinf(step.seconds):
        raise AssertionError("the answer never comes, and the call has no time limit to end it")
    return _Pause(step.seconds, None)


def _left(request: httpx.Request) -> float | None:
    """Return the seconds that the client waits for the next piece."""
    extensions: dict[str, Any] = request.extensions
    watch = extensions.get("watch")
    if isinstance(watch, Watch):
        return watch.phases.read()
    limits: dict[str, float | None] = extensions.get("timeout", {})
    return limits.get("read")


def _broken(kind: Breakage, request: httpx.Request) -> httpx.TransportError:
    error, text = _BREAKS[kind]
    return error(text, request=request)
