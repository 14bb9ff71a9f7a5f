"""Recordings as the answers of an endpoint."""

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from databricks_serving.local.checks import wrong
from databricks_serving.local.errors import bad_request
from databricks_serving.local.jsontypes import Json
from databricks_serving.local.messages import HttpReply
from databricks_serving.local.pace import Pace
from databricks_serving.local.replay import Miss, match

# These are about a connection that is another one now, or bytes that were packed.
_DROPPED: Final = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "keep-alive",
        "server",
        "transfer-encoding",
    }
)
_EVENT_STREAM: Final = "text/event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One exchange that was recorded.

    Attributes:
        name: Name of its file.
        endpoint: The endpoint that answered; None where the recording does not say.
        request: The body of the request.
        status: Status of the answer.
        headers: Headers of the answer.
        content: Body of the answer.
        timing: Pairs of seconds and the bytes that had come by then.
    """

    name: str
    endpoint: str | None
    request: Any
    status: int
    headers: Mapping[str, str]
    content: bytes
    timing: Sequence[tuple[float, int]] = ()


def read_folder(folder: Path, place: str) -> tuple[Recording, ...]:
    """Read the recordings of a folder and the folders in it, in the order of their names.

    Raises:
        ConfigError: There is no such folder, it holds none, or one cannot be read.
    """
    if not folder.is_dir():
        raise wrong(place, f"there is no folder {folder}")
    found = tuple(
        _read_file(path, path.relative_to(folder).as_posix(), place)
        for path in sorted(folder.rglob("*.json"))
    )
    if not found:
        raise wrong(place, f"there are no recordings (*.json) in {folder}")
    return found


def _read_file(path: Path, name: str, place: str) -> Recording:
    try:
        data = json.loads(path.read_bytes())
        body = data["body"]
        content = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
        headers = {str(key).lower(): str(value) for key, value in data["headers"].items()}
        timing = tuple((float(when), int(size)) for when, size in data.get("timing") or ())
        return Recording(
            name=name,
            endpoint=data.get("endpoint"),
            request=data["request"],
            status=int(data["status"]),
            headers=headers,
            content=content.encode(),
            timing=timing,
        )
    except OSError as error:
        raise wrong(place, f"{name} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise wrong(
            place, f"{name} is no recording: it needs request, status, headers and body"
        ) from None


class Tape:
    """Answers an endpoint with recordings; those of the same request take turns, the last stays.

    Args:
        recordings: The recordings.
        endpoint: Name of the endpoint; recordings of another one are passed over.
        keep_timing: Whether answers take the time that they took when they were recorded.
    """

    def __init__(
        self, recordings: Sequence[Recording], endpoint: str, *, keep_timing: bool
    ) -> None:
        self._recordings = [one for one in recordings if one.endpoint in {None, endpoint}]
        self._endpoint = endpoint
        self._keep_timing = keep_timing
        self._lock = Lock()
        self._used: set[int] = set()

    def answer(self, request: Json, pace: Pace) -> HttpReply:
        """Answer a request.

        Raises:
            RefusedError: With status 400 when it was not recorded.
        """
        found = match([one.request for one in self._recordings], request)
        if isinstance(found, Miss):
            raise bad_request(self._missed(found))
        with self._lock:
            position = next((n for n in found if n not in self._used), found[-1])
            self._used.add(position)
        return self._reply(self._recordings[position], pace)

    def _missed(self, miss: Miss) -> str:
        if miss.nearest is None:
            return f"no recording is of the endpoint '{self._endpoint}'"
        name = self._recordings[miss.nearest].name
        return f"no recording answers this request; in the nearest one, {name}, {miss.difference}"

    def _reply(self, recording: Recording, pace: Pace) -> HttpReply:
        content_type = recording.headers.get("content-type", "application/json")
        headers = {name: value for name, value in recording.headers.items() if name not in _DROPPED}
        if self._keep_timing and recording.timing:
            body: Any = _timed(recording, pace)
        elif content_type.startswith(_EVENT_STREAM):
            body = events_in(recording.content)
        else:
            body = recording.content
        length = None if content_type.startswith(_EVENT_STREAM) else len(recording.content)
        return HttpReply(recording.status, content_type, body, headers, length)


def _timed(recording: Recording, pace: Pace) -> Generator[bytes, None, None]:
    begun, sent = pace.now(), 0
    for when, size in recording.timing:
        pace.wait(max(begun + when - pace.now(), 0.0))
        yield recording.content[sent:size]
        sent = max(sent, size)
    yield recording.content[sent:]


def events_in(content: bytes) -> Generator[bytes, None, None]:
    """Cut a stream after each blank line."""
    start = 0
    while (end := content.find(b"\n\n", start)) >= 0:
        yield content[start : end + 2]
        start = end + 2
    if rest := content[start:]:
        yield rest
