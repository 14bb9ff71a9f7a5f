"""Recordings as the answers of an endpoint."""

from collections.abc import Generator, Sequence
from itertools import chain, repeat
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from databricks_serving.local.checks import wrong
from databricks_serving.local.errors import bad_request
from databricks_serving.local.jsontypes import Json, is_object
from databricks_serving.local.messages import HttpReply
from databricks_serving.local.pace import Pace
from databricks_serving.local.routes import INVOCATIONS
from databricks_serving.testing import Recording, RecordingError
from databricks_serving.testing._blocks import blocks_of
from databricks_serving.testing._cassettes.matching import differences
from databricks_serving.testing._folders import recordings_in

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


class Taped(NamedTuple):
    """A recording and the name of its file."""

    name: str
    recording: Recording

    @property
    def endpoint(self) -> str | None:
        """The endpoint that answered; None where the recording does not say."""
        named = self.recording.extra.get("endpoint")
        route = INVOCATIONS.match(self.recording.path or "")
        if named is None and route is not None:
            return unquote(route["endpoint"])
        if named is None and is_object(self.recording.request):
            named = self.recording.request.get("model")
        return named


def read_folder(folder: Path, place: str) -> tuple[Taped, ...]:
    """Read the recordings of a folder and the folders in it, in the order of their names.

    Hidden files and folders, environments and installed packages are passed over.

    Raises:
        ConfigError: There is no such folder, it holds none, or one cannot be read.
    """
    if not folder.is_dir():
        raise wrong(place, f"there is no folder {folder}")
    try:
        found = tuple(
            Taped(path.relative_to(folder).as_posix(), Recording.read(path))
            for path in recordings_in(folder)
        )
    except RecordingError as error:
        raise wrong(place, str(error)) from None
    if not found:
        raise wrong(place, f"there are no recordings (*.json) in {folder}")
    return found


class Tape:
    """Answers an endpoint with recordings; those of the same request take turns, the last stays.

    Requests are equal whatever the order of keys; `stream` counts, and `model` does not: an
    endpoint is known by its name, wherever a request has that.

    Args:
        taped: The recordings.
        endpoint: Name of the endpoint; recordings of another one are passed over.
        keep_timing: Whether answers take the time that they took when they were recorded.
    """

    def __init__(self, taped: Sequence[Taped], endpoint: str, *, keep_timing: bool) -> None:
        self._taped = [
            one
            for one in taped
            if one.endpoint in {None, endpoint} and one.recording.method == "POST"
        ]
        self._bodies = [_without_model(one.recording.request) for one in self._taped]
        self._endpoint = endpoint
        self._keep_timing = keep_timing
        self._lock = Lock()
        self._used: set[int] = set()

    def answer(self, request: Json, pace: Pace) -> HttpReply:
        """Answer a request.

        Raises:
            RefusedError: With status 400 when it was not recorded.
        """
        sent = _without_model(request)
        found = [at for at, body in enumerate(self._bodies) if body == sent]
        if not found:
            raise bad_request(self._missed(sent))
        with self._lock:
            position = next((at for at in found if at not in self._used), found[-1])
            self._used.add(position)
        return self._reply(self._taped[position].recording, pace)

    def _missed(self, sent: Any) -> str:
        if not self._taped:
            return f"no recording is of the endpoint '{self._endpoint}'"
        places = [[one.place for one in differences(body, sent)] for body in self._bodies]
        at = min(range(len(places)), key=lambda at: len(places[at]))
        return (
            f"no recording answers this request; the nearest one, {self._taped[at].name}, differs "
            f"at {places[at][0]}"
        )

    def _reply(self, recording: Recording, pace: Pace) -> HttpReply:
        content_type = recording.headers.get("content-type", "application/json")
        headers = {name: value for name, value in recording.headers.items() if name not in _DROPPED}
        body: Any = recording.content
        if recording.stream or (self._keep_timing and recording.timing):
            body = self._timed(recording, pace)
        length = None if recording.stream else len(recording.content)
        return HttpReply(recording.status, content_type, body, headers, length)

    def _timed(self, recording: Recording, pace: Pace) -> Generator[bytes, None, None]:
        pieces = blocks_of(recording.content) if recording.stream else [recording.content]
        times = recording.timing if self._keep_timing else ()
        begun = pace.now()
        for piece, at in zip(pieces, chain(times, repeat(0.0)), strict=False):
            if at:
                pace.wait(max(begun + at - pace.now(), 0.0))
            yield piece


def _without_model(body: Any) -> Any:
    if not is_object(body):
        return body
    return {key: value for key, value in body.items() if key != "model"}
