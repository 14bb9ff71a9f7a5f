"""Addresses of requests, taken apart."""

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from databricks_serving._http.breaks import InvalidURL

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """What a pool of connections leads to."""

    secure: bool
    host: str
    port: int

    @property
    def url(self) -> str:
        """The origin as an address."""
        scheme = "https" if self.secure else "http"
        return f"{scheme}://{_in_brackets(self.host)}:{self.port}"


class Address(NamedTuple):
    """Where a request goes.

    Attributes:
        origin: Where its connection leads.
        host: What the header `Host` says: without the port if that is the usual one.
        target: Path and query.
    """

    origin: Origin
    host: str
    target: str


@lru_cache(maxsize=64)
def address_of(url: str) -> Address:
    """Return where a request goes.

    Raises:
        InvalidURL: When that cannot be told.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidURL(str(error)) from None
    if parts.scheme not in _PORTS or not host:
        raise InvalidURL("it must begin with https://, or http://, and the name of a host")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidURL("it has a character that no address has")
    usual = _PORTS[parts.scheme]
    origin = Origin(parts.scheme == "https", host, port or usual)
    shown = _in_brackets(host) + ("" if origin.port == usual else f":{origin.port}")
    query = f"?{parts.query}" if parts.query else ""
    return Address(origin, shown, f"{parts.path or '/'}{query}")


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host
