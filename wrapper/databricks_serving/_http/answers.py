"""What both kinds of exchange make of a response of httpx."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final, Protocol

import httpx

from databricks_serving._core.inflate import Inflater
from databricks_serving._core.phases import Phases
from databricks_serving._core.requests import Request
from databricks_serving._http.failures import Scene, failure
from databricks_serving._http.outgoing import host_of
from databricks_serving._http.watch import Watch
from databricks_serving.errors import (
    APIConnectionError,
    InvalidResponseError,
    ServingError,
)
from databricks_serving_api.types import ReplyMeta

# The default transport speaks the first two, a transport of the user's maybe another.
_VERSIONS: Final = frozenset({b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2", b"HTTP/2.0"})


# An error says what it has to say in less, whatever the client takes in of answers.
_MAX_REFUSAL: Final = 1024 * 1024


class Owner(Protocol):
    """The sender of an exchange."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        ...


class Answer:
    """The head of a response, and what reading its body takes."""

    __slots__ = (
        "__weakref__", "_closed", "_host", "_limit", "_owner", "_received", "_response", "_watch",
        "is_error", "meta",
    )  # fmt: skip

    def __init__(
        self, owner: Owner, response: httpx.Response, request: Request, watch: Watch
    ) -> None:
        self._closed = False
        self._owner = owner
        self._response = response
        self._host = host_of(request)
        self._watch = watch
        self._received = 0
        self.meta: ReplyMeta = ReplyMeta(response.status_code, headers_of(response))
        self.is_error: bool = not response.is_success
        self._limit = min(request.limit, _MAX_REFUSAL) if self.is_error else request.limit

    def _inflater(self) -> Inflater:
        done = self._read_before()
        encoding = None if done else self.meta.headers.get("content-encoding")
        return Inflater(encoding, self._limit)

    def _read_before(self) -> bool:
        """Tell whether the user's transport has read the body itself, which unpacks it."""
        response = self._response
        replays = isinstance(response.stream, httpx.ByteStream)
        return response.is_stream_consumed and not replays

    def _source(self) -> Any:
        """Return what to iterate over."""
        if self._read_before():
            return httpx.ByteStream(self._response.content)
        return self._response.stream

    def _ours(self, error: Exception) -> ServingError | None:
        ours = failure(error, self._scene())
        if ours is not None:
            ours.request_id = self.meta.request_id
        if isinstance(ours, InvalidResponseError):
            ours.status_code = self.meta.status_code
        return ours

    def _is_final(self, error: ServingError) -> bool:
        """Tell whether an error goes before the status of the answer that it cut off."""
        return not (self.is_error and isinstance(error, APIConnectionError | InvalidResponseError))

    def _scene(self) -> Scene:
        size = self.meta.headers.get("content-length")
        return Scene(
            watch=self._watch,
            host=self._host,
            closed=self._owner.closed,
            answered=True,
            received=f"{self._received} of {size} bytes" if size else "",
        )


def headers_of(response: httpx.Response) -> dict[str, str]:
    """Return the headers of a response, names in lower case."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), _text(raw_value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def head_fault(response: httpx.Response) -> APIConnectionError | None:
    """Return the error for a head that breaks the rules of HTTP, or None."""
    version: bytes = response.extensions.get("http_version", b"HTTP/1.1")
    if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
        return APIConnectionError("the server broke the rules of HTTP: it changed the protocol")
    if version not in _VERSIONS:
        return APIConnectionError("the server broke the rules of HTTP: it speaks another version")
    return None


def limited(source: Any, phases: Phases) -> Iterator[bytes]:
    """Yield the pieces of a body, as long as there is time.

    Raises:
        APITimeoutError: When there is none.
    """
    pieces = iter(source)
    while True:
        check_time(phases)
        data = next(pieces, None)
        if data is None:
            return
        check_time(phases)
        yield data


async def limited_async(source: Any, phases: Phases) -> AsyncIterator[bytes]:
    """Yield the pieces of a body, as long as there is time; raises as `limited` does."""
    pieces = aiter(source)
    try:
        while True:
            check_time(phases)
            data = await anext(pieces, None)
            if data is None:
                return
            check_time(phases)
            yield data
    finally:
        await finish(pieces)


async def finish(pieces: Any) -> None:
    """End a generator that was not read to its end, which trio complains of otherwise."""
    if hasattr(pieces, "aclose"):
        # Another task that reads it ends it itself.
        with suppress(RuntimeError):
            await pieces.aclose()


def check_time(phases: Phases) -> None:
    """Raise when the time for the next piece has run out."""
    if phases.read() == 0.0:
        raise phases.error()
