"""Transports of httpx's kind: requests in their form, and their answers in ours."""

from functools import lru_cache
from typing import Any, Final

import httpx

from databricks_serving._core.http1 import header_text
from databricks_serving._core.requests import Request
from databricks_serving._http.watch import Watch

_parsed = lru_cache(maxsize=64)(httpx.URL)
# The default transport speaks the first two, a transport of the user's maybe another.
_VERSIONS: Final = {b"HTTP/1.0": "1.0", b"HTTP/1.1": "1.1", b"HTTP/2": "2", b"HTTP/2.0": "2"}


class ForeignAnswer:
    """The answer of a transport of httpx's kind."""

    __slots__ = ("_response", "headers", "status", "version")

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status: int = response.status_code
        self.headers: dict[str, str] = _headers_of(response)
        version: bytes = response.extensions.get("http_version", b"HTTP/1.1")
        self.version: str | None = _VERSIONS.get(version)

    @property
    def unpacked(self) -> bool:
        """Whether the transport has read the body itself, which unpacks it."""
        response = self._response
        replays = isinstance(response.stream, httpx.ByteStream)
        return response.is_stream_consumed and not replays

    @property
    def pieces(self) -> Any:
        """What to iterate over."""
        if self.unpacked:
            return httpx.ByteStream(self._response.content)
        return self._response.stream

    def close(self) -> None:
        """Close the answer of a blocking transport."""
        self._response.close()

    async def aclose(self) -> None:
        """Close the answer of an asynchronous transport."""
        await self._response.aclose()


def _headers_of(response: httpx.Response) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), header_text(raw_value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def httpx_request(request: Request, watch: Watch) -> httpx.Request:
    """Return a request for a transport of httpx's kind; one of the user's takes plain limits."""
    return httpx.Request(
        request.method,
        _parsed(request.url),
        headers=list(request.headers.reveal().items()),
        content=request.content.reveal(),
        extensions={"timeout": {} if watch.own else _limits(watch), "watch": watch},
    )


def _limits(watch: Watch) -> dict[str, float | None]:
    """Return what is left of each phase in seconds, and note which limit each of them is.

    Raises:
        APITimeoutError: When nothing is left of one.
    """
    phases = watch.phases
    limits: dict[str, float | None] = {}
    asked = {
        "pool": phases.pool,
        "connect": phases.connect,
        "write": phases.write,
        "read": phases.read,
    }
    for name, ask in asked.items():
        limits[name] = ask()
        watch.limited_by[name] = phases.phase
        phases.sent = False
        if limits[name] == 0.0:
            raise phases.error()
    return limits
