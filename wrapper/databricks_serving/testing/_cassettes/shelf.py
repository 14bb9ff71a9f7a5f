"""The recordings of a cassette: which are there, which have been used, and their files."""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from threading import Lock
from urllib.parse import unquote

from databricks_serving.testing._cassettes.matching import Asked, nearest, told
from databricks_serving.testing._errors import RecordingError, UnexpectedRequestError
from databricks_serving.testing._recording import Recording


class Shelf:
    """Recordings in their order, each of which answers one request.

    Args:
        recordings: The recordings by the names of their files.
        asked: What each of them answers.
        repeats: Whether one may answer again.
    """

    def __init__(
        self, recordings: Mapping[str, Recording], asked: Sequence[Asked], *, repeats: bool
    ) -> None:
        self._names = [*recordings]
        self._recordings = [*recordings.values()]
        self._asked = asked
        self._repeats = repeats
        self._lock = Lock()
        self._used: set[int] = set()
        self._misses: list[UnexpectedRequestError] = []

    @property
    def played(self) -> list[Recording]:
        """The recordings that have been used."""
        with self._lock:
            return [one for at, one in enumerate(self._recordings) if at in self._used]

    @property
    def unplayed(self) -> list[Recording]:
        """The recordings that have not been used."""
        with self._lock:
            return [one for at, one in enumerate(self._recordings) if at not in self._used]

    @property
    def misses(self) -> list[UnexpectedRequestError]:
        """What was raised for requests that have no recording."""
        with self._lock:
            return [*self._misses]

    @property
    def left(self) -> list[str]:
        """The names of the files that have not been used."""
        with self._lock:
            return [name for at, name in enumerate(self._names) if at not in self._used]

    def take(self, asked: Asked) -> Recording | None:
        """Return the next recording for a request; None without one."""
        with self._lock:
            found = [at for at, one in enumerate(self._asked) if one == asked]
            fresh = [at for at in found if at not in self._used]
            if not fresh and not (found and self._repeats):
                return None
            at = (fresh or found[-1:])[0]
            self._used.add(at)
        return self._recordings[at]

    def demand(self, asked: Asked, where: str) -> Recording:
        """Return the next recording for a request.

        Raises:
            UnexpectedRequestError: When there is none; it says what the nearest one is.
        """
        found = self.take(asked)
        if found is not None:
            return found
        miss = UnexpectedRequestError("\n".join([*self._why(asked, where), _ADVICE]))
        with self._lock:
            self._misses.append(miss)
        raise miss

    def _why(self, asked: Asked, where: str) -> list[str]:
        request = f"{asked.method} {asked.path}"
        again = [one for one in self._asked if one == asked]
        if again:
            return [
                f"{request} was recorded {_times(len(again))} in {where}, and is sent once more",
                "Cassette(..., repeats=True) lets a recording answer again.",
            ]
        at = nearest(asked, self._asked)
        if at is None:
            return [f"{request} is not in {where}, which is empty"]
        lines = told(self._asked[at], asked)
        title = f"{request} is not in {where}; the nearest recording differs:"
        return [title, *(f"  {line}" for line in lines)]


_ADVICE = (
    "If the request is right, record it: mode='new_episodes', or `pytest --serving-record-new`."
)


def read_folder(folder: Path) -> dict[str, Recording]:
    """Read the recordings of a folder, in the order of their names.

    Raises:
        RecordingError: When one cannot be read.
    """
    return {path.name: Recording.read(path) for path in _files(folder)}


def save_folder(folder: Path, recordings: Sequence[Recording], *, keep: bool) -> None:
    """Write recordings into a folder: beside those that are there, or in the place of these.

    Each file is there whole or not at all, and nothing is taken away for nothing.

    Raises:
        RecordingError: When it cannot be written.
    """
    if not recordings:
        return
    try:
        old = [path for path in _files(folder) if _number(path)]
        first = _number(old[-1]) + 1 if old and keep else 1
        texts = {_name(at, one): one.to_json() for at, one in enumerate(recordings, first)}
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            _replace(folder / name, text)
        for path in old:
            if not keep and path.name not in texts:
                path.unlink()
    except OSError as error:
        raise RecordingError(f"{folder}: cannot be written: {error.strerror}") from None


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder, those that people named behind the numbered ones."""
    return sorted(folder.glob("*.json"), key=lambda path: (_number(path) or inf, path.name))


def _number(path: Path) -> int:
    """Return the number that begins the name of a file that was recorded; 0 for any other."""
    number, dash, _ = path.name.partition("-")
    return int(number) if dash and number.isdecimal() else 0


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _name(number: int, recording: Recording) -> str:
    parts = [unquote(part) for part in (recording.path or "").partition("?")[0].split("/")]
    words = [part for part in parts if part and part not in {"invocations", "serving-endpoints"}]
    title = re.sub(r"[^A-Za-z0-9_.-]+", "-", "-".join(words[-2:]))[:60].strip("-.") or "request"
    return f"{number:03}-{title}{'-stream' if recording.stream else ''}.json"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
