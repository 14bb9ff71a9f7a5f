"""Cassettes: folders of recordings that answer instead of an endpoint, or are made from one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from databricks_serving._core.script import Sent, Step
from databricks_serving._http.listening import AsyncListeningTransport, ListeningTransport
from databricks_serving._http.scripted import ScriptedTransport
from databricks_serving._http.stand_ins import installed
from databricks_serving.testing._ages import is_older
from databricks_serving.testing._cassettes.arguments import Mode, check_arguments
from databricks_serving.testing._cassettes.given import without_app
from databricks_serving.testing._cassettes.logins import TOKEN, is_login, login_steps
from databricks_serving.testing._cassettes.matching import Asked, body_of, without
from databricks_serving.testing._cassettes.playing import steps_of
from databricks_serving.testing._cassettes.scrubbing import HOST, Scrubber
from databricks_serving.testing._cassettes.shelf import Shelf, read_folder, save_folder
from databricks_serving.testing._cassettes.taking import Take, target_of
from databricks_serving.testing._errors import RecordingError, UnexpectedRequestError
from databricks_serving.testing._installing import logged_in, refuse_both
from databricks_serving.testing._recording import Recording
from databricks_serving.testing._time import FakeTime

if TYPE_CHECKING:
    import httpx


class Cassette:
    """A folder of recordings, used by all clients without a transport of their own.

    Use it with `with`. What is recorded is written when the block ends without an error; when it
    ends with one, the folder stays as it was.

    Args:
        folder: Where the recordings are, one JSON file for each exchange.
        mode: `none` replays and sends nothing, so that a request that was not recorded is an
            `UnexpectedRequestError`; `new_episodes` replays and records what is not there; `all`
            records everything anew.
        scrubber: What is taken out before anything is written; secrets and hosts always are.
        ignore: Names of fields of requests, at any depth, that may differ from the recorded ones.
        repeats: Whether a recording may answer more than once.
        max_age: Age beyond which a recording must be made anew; None for any.
        allow_unused: Whether recordings may be there that nobody asks for. If not, closing fails as
            `assert_all_used` does, unless the block has failed.

    Raises:
        InvalidRequestError: When there is no such mode, `ignore` is one text, or another argument
            is of the wrong kind.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        mode: Mode = "none",
        scrubber: Scrubber | None = None,
        ignore: Sequence[str] = (),
        repeats: bool = False,
        max_age: timedelta | None = None,
        allow_unused: bool = True,
    ) -> None:
        check_arguments(
            mode=mode, ignore=ignore, repeats=repeats, max_age=max_age, allow_unused=allow_unused
        )
        self.folder: Path = Path(folder)
        self.mode: Mode = mode
        self.time: FakeTime = FakeTime()
        self._scrubber = scrubber or Scrubber()
        self._ignore = (*ignore,)
        self._repeats = repeats
        self._max_age = max_age
        self._allow_unused = allow_unused
        self._lock = Lock()
        self._shelf = Shelf({}, [], repeats=repeats)
        self._takes: list[Take] = []
        self._secrets: dict[str, str] = {}
        self._open: ExitStack | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r}, mode={self.mode!r})"

    def __enter__(self) -> Self:
        """Open the cassette; raises as `open` does."""
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the cassette as `close` does; a block that failed leaves the folder as it was."""
        __tracebackhide__ = True
        self.close(save=kind is None)

    def open(self) -> None:
        """Read the folder, and serve clients from now on.

        Raises:
            RecordingError: When a recording cannot be read or is too old, or there is none; or
                when the cassette is open already, or a fake is installed.
        """
        if self._open is not None:
            raise RecordingError(f"{self.folder}: this cassette is open already")
        refuse_both(self)
        self._shelf = self._filled()
        self._takes, self._secrets = [], {}
        with ExitStack() as undo:
            if self.mode == "none":
                undo.enter_context(logged_in(f"https://{HOST}", TOKEN))
            undo.enter_context(installed(self))
            self._open = undo.pop_all()

    def close(self, *, save: bool = True) -> None:
        """Serve clients no longer; a cassette that is closed already stays as it is.

        Args:
            save: Whether to write what was recorded, and to check that the rest was used if it must
                be.

        Raises:
            RecordingError: When a recording cannot be written.
            AssertionError: As `assert_all_used`, without `allow_unused`.
        """
        __tracebackhide__ = True
        if self._open is None:
            return
        opened, self._open = self._open, None
        opened.close()
        if save and self.mode != "none":
            save_folder(self.folder, self.recorded, keep=self.mode == "new_episodes")
        if save and not self._allow_unused:
            self.assert_all_used()

    def assert_all_recorded(self) -> None:
        """Check that each request was in the cassette, or was recorded.

        Raises:
            UnexpectedRequestError: When one was not, also if the code under test has caught that.
        """
        __tracebackhide__ = True
        misses = self._shelf.misses
        if misses:
            raise UnexpectedRequestError(str(misses[0]))

    def assert_all_used(self) -> None:
        """Check that each recording was asked for.

        Raises:
            AssertionError: Naming the files of those that were not.
        """
        __tracebackhide__ = True
        left = self._shelf.left
        if left:
            lines = "".join(f"\n  {one}" for one in left)
            raise AssertionError(
                f"recordings in {self.folder} were not asked for:{lines}\n"
                "If the test is right, delete them, or record it anew: mode='all', or "
                "`pytest --serving-record`."
            )

    @property
    def played(self) -> list[Recording]:
        """The recordings that have answered, in the order of the folder."""
        return self._shelf.played

    @property
    def unplayed(self) -> list[Recording]:
        """The recordings that nobody has asked for."""
        return self._shelf.unplayed

    @property
    def recorded(self) -> list[Recording]:
        """What was recorded so far, without secrets, in the order in which it was asked for."""
        with self._lock:
            takes, secrets = [*self._takes], {**self._secrets}
        return list(self._cleaned(takes, secrets))

    @property
    def own_time(self) -> FakeTime | None:
        """The time that clients go by: made up where nothing is sent."""
        return self.time if self.replaces else None

    @property
    def replaces(self) -> bool:
        """Whether nothing is sent."""
        return self.mode == "none"

    def blocking(self, inner: "httpx.BaseTransport | None") -> "httpx.BaseTransport":
        """Return what a blocking client sends over."""
        if inner is None:
            return ScriptedTransport(self._shelved, self.time)
        return ListeningTransport(inner, self, self.time)

    def asynchronous(self, inner: "httpx.AsyncBaseTransport | None") -> "httpx.AsyncBaseTransport":
        """Return what an asynchronous client sends over."""
        if inner is None:
            return ScriptedTransport(self._shelved, self.time)
        return AsyncListeningTransport(inner, self, self.time)

    def answer(self, sent: Sent) -> Iterator[Step] | None:
        """Return the answer that was recorded before; None to have a request sent."""
        asked = self._asked(sent)
        found = None if is_login(sent) else self._shelf.take(asked)
        return None if found is None else steps_of(found)

    def begin(self, sent: Sent, now: float) -> Take:
        """Return what records an exchange."""
        take = Take(sent, now, datetime.now(UTC))
        # A login holds nothing but secrets.
        if not is_login(sent):
            with self._lock:
                self._takes.append(take)
        return take

    def _shelved(self, sent: Sent) -> Iterator[Step]:
        if is_login(sent):
            return login_steps(sent)
        return steps_of(self._shelf.demand(self._asked(sent), str(self.folder)))

    def _filled(self) -> Shelf:
        if self.mode == "all":
            return Shelf({}, [], repeats=self._repeats)
        recordings = read_folder(self.folder)
        if not recordings and self.mode == "none":
            raise RecordingError(
                f"{self.folder}: no recordings: record them first, with mode='all' or "
                "`pytest --serving-record`"
            )
        if self._max_age is not None:
            _check_age(recordings, self._max_age, self.folder)
        asked = [
            Asked(one.method, without_app(one.path or ""), without(one.request, self._ignore))
            for one in recordings.values()
        ]
        return Shelf(recordings, asked, repeats=self._repeats)

    def _asked(self, sent: Sent) -> Asked:
        with self._lock:
            self._secrets.update(self._scrubber.secrets_of(sent))
            scrubber = self._scrubber.knowing(sent, self._secrets)
        body = without(scrubber.value(body_of(sent.content)), self._ignore)
        return Asked(sent.method, scrubber.target(target_of(sent.url)), body)

    def _cleaned(self, takes: Sequence[Take], secrets: Mapping[str, str]) -> Iterator[Recording]:
        # An answer may repeat a token that has run out since, or what a login was made with.
        for take in takes:
            if take.answered:
                yield self._scrubber.knowing(take.sent, secrets).recording(take.recording())


def _check_age(recordings: Mapping[str, Recording], max_age: timedelta, folder: Path) -> None:
    now = datetime.now(UTC)
    for name, recording in recordings.items():
        made = recording.recorded
        if made is not None and is_older(made, max_age, now):
            raise RecordingError(
                f"{folder / name}: made on {made:%Y-%m-%d}, which is too long ago: record it anew, "
                "with mode='all' or `pytest --serving-record`"
            )
