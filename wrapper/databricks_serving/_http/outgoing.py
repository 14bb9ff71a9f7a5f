"""Requests in the form that httpx's transports take."""

from functools import lru_cache

import httpx

from databricks_serving._core.requests import Request
from databricks_serving._http.watch import Watch

_parsed = lru_cache(maxsize=64)(httpx.URL)


def httpx_request(request: Request, watch: Watch) -> httpx.Request:
    """Return a request for the default transport, or for one that takes plain limits."""
    url = _parsed(request.url)
    named, content = request.headers.reveal().items(), request.content.reveal()
    if watch.own:
        # Five times cheaper than having httpx work out these two headers.
        headers = [
            (b"host", url.netloc),
            *((name.encode(), value.encode()) for name, value in named),
            (b"content-length", b"%d" % len(content)),
        ]
        body, extensions = httpx.ByteStream(content), {"watch": watch}
        return httpx.Request(
            request.method, url, headers=headers, stream=body, extensions=extensions
        )
    return httpx.Request(
        request.method,
        url,
        headers=list(named),
        content=content,
        extensions={"timeout": _limits(watch), "watch": watch},
    )


@lru_cache(maxsize=64)
def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL: what a pool of connections leads to."""
    parsed = _parsed(url)
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"


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
