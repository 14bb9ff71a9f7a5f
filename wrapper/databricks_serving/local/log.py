"""What came: the requests that the local endpoint has answered, the newest ones at least."""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, overload

from databricks_serving.local.jsontypes import Json, is_list, is_object
from databricks_serving.local.messages import HttpRequest

_MOST: Final = 1000
_MOST_BYTES: Final = 64 * 1024 * 1024
_SECRET: Final = re.compile(r"auth|cookie|token|secret|credential|(^|-)key(-|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request.

    Attributes:
        method: Such as `POST`.
        path: The path, with its query.
        endpoint: The endpoint that it called; None where it called none.
        status: What it was answered with; None where nothing was answered.
        headers: Its headers by their names in lower case, without those that hold credentials.
        body: Its body as it was sent; empty for requests to the token service.
    """

    method: str
    path: str
    endpoint: str | None
    status: int | None
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: It is none.
        """
        return json.loads(self.body)


class RequestLog(Sequence[LoggedRequest]):
    """The requests in the order of their answers: at most 1,000, and at most 64 MB of bodies.

    `LocalEndpoint.requests` is one. Requests to `/_local` are not in it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: deque[LoggedRequest] = deque(maxlen=_MOST)
        self._bytes = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} requests>"

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._lock:
            return iter(list(self._entries))

    @overload
    def __getitem__(self, index: int) -> LoggedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[LoggedRequest]: ...
    def __getitem__(self, index: int | slice) -> LoggedRequest | Sequence[LoggedRequest]:
        return list(self)[index]

    def of(self, endpoint: str) -> list[LoggedRequest]:
        """Return the requests that called one endpoint."""
        return [one for one in self if one.endpoint == endpoint]

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def expect(
        self,
        endpoint: str | None = None,
        *,
        times: int | None = None,
        status: int | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> list[LoggedRequest]:
        """Check that a request came.

        Args:
            endpoint: The endpoint that was called.
            times: How often; None for at least once.
            status: What was answered.
            json: What the body must hold: keys with their values, lists item by item; other keys
                may be there as well.

        Returns:
            The requests that fit.

        Raises:
            AssertionError: They are none, or not as many; the message tells what came instead,
                without the values that were sent.
        """
        found = [
            one
            for one in self
            if endpoint in {None, one.endpoint}
            and status in {None, one.status}
            and (json is None or holds(_json_of(one), dict(json)))
        ]
        if (times is None and found) or len(found) == times:
            return found
        wanted = "at least one request" if times is None else f"{times} requests"
        came = "\n".join(f"  {_line(one)}" for one in self) or "  nothing"
        raise AssertionError(
            f"expected {wanted} of this kind, found {len(found)}; there came\n{came}"
        )

    def add(self, request: HttpRequest, endpoint: str | None, status: int | None) -> None:
        """Note a request."""
        headers = {
            name.lower(): value
            for name, value in request.headers.items()
            if not _SECRET.search(name)
        }
        body = b"" if request.target.startswith("/oidc/") else request.body
        entry = LoggedRequest(request.method, request.target, endpoint, status, headers, body)
        with self._lock:
            if len(self._entries) == _MOST:
                self._forget()
            self._entries.append(entry)
            self._bytes += len(body)
            while self._bytes > _MOST_BYTES:
                self._forget()

    def _forget(self) -> None:
        self._bytes -= len(self._entries.popleft().body)


def holds(value: Any, wanted: Any) -> bool:
    """Tell whether a JSON value has what another one has: its keys, at any depth, and its items."""
    if is_object(wanted):
        return is_object(value) and all(
            key in value and holds(value[key], one) for key, one in wanted.items()
        )
    if is_list(wanted):
        return is_list(value) and len(value) == len(wanted) and all(map(holds, value, wanted))
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def to_json(entry: LoggedRequest) -> Json:
    """Return a request as JSON; a body that is none is a text."""
    try:
        body = entry.json if entry.body else None
    except ValueError:
        body = entry.body.decode("utf-8", "replace")
    return {
        "method": entry.method,
        "path": entry.path,
        "endpoint": entry.endpoint,
        "status": entry.status,
        "headers": dict(entry.headers),
        "body": body,
    }


def _json_of(entry: LoggedRequest) -> Any:
    try:
        return entry.json
    except ValueError:
        return None


def _line(entry: LoggedRequest) -> str:
    body = _json_of(entry)
    keys = f" with {', '.join(sorted(body))}" if is_object(body) else ""
    return f"{entry.method} {entry.path} {entry.status}{keys}"
