"""The plugin of pytest, which finds it by itself: fixtures, options, and the marker `serving`.

pytest loads it wherever it runs, so it imports nothing that is dear.
"""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from databricks_serving.testing._ages import days

if TYPE_CHECKING:
    from databricks_serving.testing._cassettes.cassette import Cassette
    from databricks_serving.testing._cassettes.scrubbing import Scrubber
    from databricks_serving.testing._fake import FakeServing

_MARKER: Final = (
    "serving(allow_unused=False, default=None, cassette=None, ...): how serving_fake answers this "
    "test (allow_unused takes replies that were scripted and not used, default is that of "
    "FakeServing); or which folder serving_cassette opens, and what else Cassette takes, whose "
    "recordings may be unused unless it says allow_unused=False."
)
_PASSED: Final = pytest.StashKey[bool]()
_UNOPENED: Final = pytest.StashKey[list[Path]]()
_MODES: Final = "serving_modes"
_BLOCK: Final = "--serving-block"
_ALL_USED: Final = "--serving-all-used"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of cassettes."""
    group = parser.getgroup("databricks-serving")
    # Flags, since an option with an optional value would swallow the path that follows it.
    group.addoption(
        "--serving-record",
        dest=_MODES,
        action="append_const",
        const="all",
        help="record the cassettes of tests anew",
    )
    group.addoption(
        "--serving-record-new",
        dest=_MODES,
        action="append_const",
        const="new_episodes",
        help="record what is not in the cassettes of tests",
    )
    group.addoption(
        "--serving-max-age",
        type=days,
        metavar="DAYS",
        help="fail a test whose cassette holds a recording that is older than so many days, from 1",
    )
    group.addoption(
        _ALL_USED,
        action="store_true",
        help="fail a test that leaves recordings of its own cassette unused, and name cassettes "
        "that no test opens",
    )
    group.addoption(
        _BLOCK,
        action="store_true",
        help="fail calls that no fake and no cassette answers, unless they go to this machine",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and refuse options that contradict each other."""
    config.addinivalue_line("markers", _MARKER)
    modes: list[str] = config.getoption(_MODES) or []
    if len(set(modes)) > 1:
        raise pytest.UsageError(
            "--serving-record records anew what --serving-record-new keeps: give one of them"
        )
    if config.getoption(_BLOCK):
        config.add_cleanup(_guard())


def _guard() -> Callable[[], None]:
    """Keep calls that nothing answers from the network, and return what ends that."""
    from databricks_serving._http.stand_ins import installed  # noqa: PLC0415 - only when asked
    from databricks_serving.testing._guarding import Guard  # noqa: PLC0415 - as above

    stack = ExitStack()
    stack.enter_context(installed(Guard()))
    return stack.close


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Look for cassettes that no test opens, before tests are deselected."""
    # Where single tests are named, or the failed ones, the others are not known.
    if (
        not config.getoption(_ALL_USED)
        or any("::" in one for one in config.args)
        or config.getoption("lf", default=False)
    ):
        return
    from databricks_serving.testing._places import unopened  # noqa: PLC0415 - only when asked

    config.stash[_UNOPENED] = [*unopened(items)]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name the cassettes that no test opens."""
    folders = config.stash.get(_UNOPENED, None)
    if folders:
        terminalreporter.section("cassettes that no test opens")
        for one in folders:
            terminalreporter.line(f"{one}: delete it, or give it to a test again")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test has passed, for the end of its fixtures; have its report be short.

    One that was interrupted has not.
    """
    if call.excinfo is not None and not item.config.getoption("fulltrace"):
        call.excinfo = _ending_at_the_test(call.excinfo)
    report = yield
    if report.when == "call":
        item.stash[_PASSED] = report.passed
    return report


def _ending_at_the_test(
    found: pytest.ExceptionInfo[BaseException],
) -> pytest.ExceptionInfo[BaseException]:
    """Return an error without our frames, if it tells of a request that nothing answers."""
    from databricks_serving._core.boundary import without_ours  # noqa: PLC0415 - when a test fails
    from databricks_serving.testing import UnexpectedRequestError  # noqa: PLC0415 - as above

    error = found.value
    if not isinstance(error, UnexpectedRequestError):
        return found
    error.__traceback__ = without_ours(error) or error.__traceback__
    return pytest.ExceptionInfo[BaseException].from_exception(error)


@pytest.fixture
def serving_fake(request: pytest.FixtureRequest) -> "Generator[FakeServing]":
    """A `FakeServing` that stands in for the network, with a login in the environment.

    After a test that has passed, all scripted replies must have been used, and no request have come
    that nothing was scripted for.
    """
    from databricks_serving.testing import _fixtures  # noqa: PLC0415 - pytest runs without it too

    yield from _fixtures.fake(request, lambda: request.node.stash.get(_PASSED, False))


@pytest.fixture(scope="session")
def serving_scrubber() -> "Scrubber":
    """What is taken out of recordings; define a fixture of this name to take out more."""
    from databricks_serving.testing import Scrubber  # noqa: PLC0415 - as above

    return Scrubber()


@pytest.fixture
def serving_cassette(
    request: pytest.FixtureRequest, serving_scrubber: "Scrubber"
) -> "Generator[Cassette]":
    """A `Cassette` of this test, in `cassettes/<module>/<test>` beside its file.

    It replays, unless pytest was started with `--serving-record`. What a test that fails has
    recorded is not written. After one that has passed, no request must have come that was not
    recorded.
    """
    from databricks_serving.testing import _fixtures  # noqa: PLC0415 - as above

    yield from _fixtures.cassette(
        request, serving_scrubber, lambda: request.node.stash.get(_PASSED, False)
    )
