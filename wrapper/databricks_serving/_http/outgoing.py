"""Requests in the form that transports take."""

from functools import lru_cache
from typing import NamedTuple

import httpx

from databricks_serving._core.http1 import request_bytes
from databricks_serving._core.requests import Request
from databricks_serving._http.watch import Watch

_parsed = lru_cache(maxsize=64)(httpx.URL)
# For a transport of the user's own.
_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """What a pool of connections leads to."""

    secure: bool
    host: str
    port: int

    @property
    def url(self) -> str:
        """The origin as an address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"


class Outgoing(NamedTuple):
    """A request as bytes."""

    head: bytes
    content: bytes


def outgoing(request: Request) -> Outgoing:
    """Return a request as the default transport writes it.

    Raises:
        LocalProtocolError: When a header cannot be sent.
    """
    content = request.content.reveal()
    headers = [*request.headers.reveal().items(), ("content-length", str(len(content)))]
    return Outgoing(_head(_start(request.method, request.url), headers), content)


def outgoing_from(request: httpx.Request, content: bytes) -> Outgoing:
    """Return a request of httpx's as the default transport writes it."""
    start = f"{request.method} {request.url.raw_path.decode('ascii')} HTTP/1.1"
    return Outgoing(_head(start, request.headers.multi_items()), content)


def _head(start: str, headers: list[tuple[str, str]]) -> bytes:
    try:
        return request_bytes(start, headers)
    except ValueError:
        # Neither the text nor the frames may show the header.
        pass
    raise httpx.LocalProtocolError("a header cannot be sent")


@lru_cache(maxsize=64)
def _start(method: str, url: str) -> str:
    parsed = _parsed(url)
    target, host = parsed.raw_path.decode("ascii"), parsed.netloc.decode("ascii")
    return f"{method} {target} HTTP/1.1\nhost: {host}"


def httpx_request(request: Request, watch: Watch) -> httpx.Request:
    """Return a request for a transport of httpx's kind; one of the user's takes plain limits."""
    return httpx.Request(
        request.method,
        _parsed(request.url),
        headers=list(request.headers.reveal().items()),
        content=request.content.reveal(),
        extensions={"timeout": {} if watch.own else _limits(watch), "watch": watch},
    )


@lru_cache(maxsize=64)
def origin_of(url: str) -> Origin:
    """Return what a pool of connections leads to."""
    parsed = _parsed(url)
    # The name as it is sent: the system and TLS would put one beyond ASCII by older rules.
    host = parsed.raw_host.decode("ascii")
    return Origin(parsed.scheme == "https", host, parsed.port or _PORTS[parsed.scheme])


def host_of(request: Request) -> str:
    """Return the name of the host that a request goes to."""
    try:
        return _parsed(request.url).host
    except httpx.InvalidURL:
        return "the host"


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
