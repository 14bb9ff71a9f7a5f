"""What a transport hears of one exchange, put together as a recording."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from databricks_serving._core.inflate import Inflater
from databricks_serving._core.script import Sent
from databricks_serving.testing.blocks import times_of
from databricks_serving.testing.cassettes.matching import body_of
from databricks_serving.testing.recording import Ending, Recording

# What a client reads of an answer, and what says where an answer came from. Cookies, the number of
# the workspace and the rest stay out.
_KEPT: Final = (
    "content-type",
    "retry-after",
    "retry-after-ms",
    "served-model-name",
    "x-databricks-request-id",
    "x-request-id",
    "x-should-retry",
)
_KEPT_FAMILY: Final = "x-ratelimit-"
_MILLISECOND: Final = 3
_MAX_BYTES: Final = 1024 * 1024 * 1024


class Take:
    """Listens to one exchange.

    Args:
        sent: The request.
        began: The monotonic time at which it was sent.
        today: The date, if it is known.
    """

    def __init__(self, sent: Sent, began: float, today: datetime | None) -> None:
        self.sent: Sent = sent
        self._began = began
        self._today = today
        self._status = 0
        self._headers: dict[str, str] = {}
        self._inflater = Inflater(None, _MAX_BYTES)
        self._content = bytearray()
        self._arrivals: list[tuple[int, float]] = []
        self._ends: Ending | None = None

    def head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Hear status and headers."""
        self._status = status
        named = {name.lower(): value for name, value in headers}
        self._inflater = Inflater(named.get("content-encoding"), _MAX_BYTES)
        self._headers = {
            name: value
            for name, value in named.items()
            if name in _KEPT or name.startswith(_KEPT_FAMILY)
        }

    def piece(self, data: bytes, now: float) -> None:
        """Hear some of the body."""
        for unpacked in self._inflater.feed(data):
            self._content += unpacked
        self._arrivals.append((len(self._content), round(now - self._began, _MILLISECOND)))

    def over(self, error: BaseException | None, now: float, *, whole: bool) -> None:
        """Hear that the answer is over; only the first time counts."""
        if self._ends is not None:
            return
        if not self._arrivals:
            self._arrivals.append((0, round(now - self._began, _MILLISECOND)))
        self._ends = "whole" if whole else _ending_of(error)

    @property
    def answered(self) -> bool:
        """Whether there was an answer."""
        return bool(self._status)

    def recording(self) -> Recording:
        """Return what was heard of an answer."""
        content = bytes(self._content)
        stream = self._headers.get("content-type", "").startswith("text/event-stream")
        arrivals = self._arrivals or [(0, 0.0)]
        times = times_of(content, arrivals) if stream else [arrivals[-1][1]]
        return Recording(
            method=self.sent.method,
            path=target_of(self.sent.url),
            request=body_of(self.sent.content),
            status=self._status,
            headers=self._headers,
            content=content,
            stream=stream,
            timing=tuple(times),
            ends=self._ending(content),
            recorded=self._today,
        )

    def _ending(self, content: bytes) -> Ending:
        # A client that has read the mark of the end needs no more.
        if self._ends in {None, "left"} and content.rstrip().endswith(b"data: [DONE]"):
            return "whole"
        return self._ends or "left"


def target_of(url: str) -> str:
    """Return path and query of an address."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _ending_of(error: BaseException | None) -> Ending:
    """Return how an answer ended that broke off with an error, or that nobody wanted."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"TimeoutException", "APITimeoutError"}:
        return "timeout"
    if names & {"ReadError", "ConnectionResetError"}:
        return "reset"
    return "left" if error is None else "closed"
