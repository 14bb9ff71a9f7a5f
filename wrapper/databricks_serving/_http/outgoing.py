"""Requests in the form that the default transport writes."""

from functools import lru_cache
from typing import NamedTuple

from databricks_serving._core.http1 import request_bytes
from databricks_serving._core.requests import Request
from databricks_serving._http.addresses import address_of
from databricks_serving._http.breaks import InvalidURL, LocalProtocolError
from databricks_serving._http.wire import TOGETHER


class Outgoing(NamedTuple):
    """A request as bytes."""

    head: bytes
    content: bytes

    @property
    def blocks(self) -> tuple[bytes, ...]:
        """What to write: a small body leaves in one packet with its head."""
        if len(self.content) > TOGETHER:
            return self.head, self.content
        return (self.head + self.content,)


def outgoing(request: Request) -> Outgoing:
    """Return a request as the default transport writes it.

    Raises:
        LocalProtocolError: When a header cannot be sent.
    """
    content = request.content.reveal()
    headers = [*request.headers.reveal().items(), ("content-length", str(len(content)))]
    return Outgoing(head_bytes(_start(request.method, request.url), headers), content)


def head_bytes(start: str, headers: list[tuple[str, str]]) -> bytes:
    """Return what precedes the body of a request; raises as `outgoing` does."""
    try:
        return request_bytes(start, headers)
    except ValueError:
        # Neither the text nor the frames may show the header.
        pass
    raise LocalProtocolError("a header cannot be sent")


@lru_cache(maxsize=64)
def _start(method: str, url: str) -> str:
    address = address_of(url)
    return f"{method} {address.target} HTTP/1.1\nhost: {address.host}"


def host_of(request: Request) -> str:
    """Return the name of the host that a request goes to."""
    try:
        return address_of(request.url).origin.host
    except InvalidURL:
        return "the host"
