"""What both kinds of exchange make of an answer, whatever transport it came over."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final, Protocol

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

_VERSIONS: Final = frozenset({"1.0", "1.1", "2"})
# An error says what it has to say in less, whatever the client takes in of answers.
_MAX_REFUSAL: Final = 1024 * 1024


class Owner(Protocol):
    """The sender of an exchange."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        ...


class Arrived(Protocol):
    """An answer as its transport gives it."""

    @property
    def status(self) -> int:
        """The status code."""
        ...

    @property
    def headers(self) -> dict[str, str]:
        """Names in lower case."""
        ...

    @property
    def version(self) -> str | None:
        """The version of HTTP; None for one that nobody knows."""
        ...

    @property
    def unpacked(self) -> bool:
        """Whether the body was unpacked already."""
        ...

    @property
    def pieces(self) -> Any:
        """The body, to be iterated over."""
        ...


class Answer:
    """The head of a response, and what reading its body takes."""

    __slots__ = (
        "__weakref__", "_arrived", "_closed", "_host", "_limit", "_owner", "_received", "_watch",
        "is_error", "meta",
    )  # fmt: skip

    def __init__(self, owner: Owner, arrived: Arrived, request: Request, watch: Watch) -> None:
        self._owner = owner
        self._arrived: Any = arrived
        self._host = host_of(request)
        self._watch = watch
        self._received = 0
        self.meta: ReplyMeta = ReplyMeta(arrived.status, arrived.headers)
        self.is_error: bool = not 200 <= arrived.status < 300  # noqa: PLR2004 - what is a success
        self._limit = min(request.limit, _MAX_REFUSAL) if self.is_error else request.limit
        # Last: one that was not made in full has nothing to close.
        self._closed = False

    def _inflater(self) -> Inflater:
        unpacked = self._arrived.unpacked
        encoding = None if unpacked else self.meta.headers.get("content-encoding")
        return Inflater(encoding, self._limit)

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


def head_fault(arrived: Arrived) -> APIConnectionError | None:
    """Return the error for a head that breaks the rules of HTTP, or None."""
    if arrived.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return APIConnectionError("the server broke the rules of HTTP: it changed the protocol")
    if arrived.version not in _VERSIONS:
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
