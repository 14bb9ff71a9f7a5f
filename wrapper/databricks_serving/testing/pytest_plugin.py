"""The plugin of pytest, which finds it by itself: fixtures, options, and the marker `serving`.

pytest loads it wherever it runs, so it imports nothing that is dear.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from databricks_serving.testing._cassettes.cassette import Cassette
    from databricks_serving.testing._cassettes.scrubbing import Scrubber
    from databricks_serving.testing._fake import FakeServing

_MARKER: Final = (
    "serving(allow_unused=False, default=None, cassette=None, ...): how serving_fake answers this "
    "test (allow_unused takes replies that were scripted and not used, default is that of "
    "FakeServing); or which folder serving_cassette opens, and what else Cassette takes."
)
_PASSED: Final = pytest.StashKey[bool]()
_MODE: Final = "serving_record"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of cassettes."""
    group = parser.getgroup("databricks-serving")
    # Flags, since an option with an optional value would swallow the path that follows it.
    group.addoption(
        "--serving-record",
        dest=_MODE,
        action="store_const",
        const="all",
        default="none",
        help="record the cassettes of tests anew",
    )
    group.addoption(
        "--serving-record-new",
        dest=_MODE,
        action="store_const",
        const="new_episodes",
        help="record what is not in the cassettes of tests",
    )
    group.addoption(
        "--serving-max-age",
        type=int,
        metavar="DAYS",
        help="fail a test whose cassette holds a recording that is older",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test has passed, for the end of its fixtures.

    One that was interrupted has not.
    """
    report = yield
    if report.when == "call":
        item.stash[_PASSED] = report.passed
    return report


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
    recorded is not written.
    """
    from databricks_serving.testing import _fixtures  # noqa: PLC0415 - as above

    yield from _fixtures.cassette(
        request, serving_scrubber, lambda: request.node.stash.get(_PASSED, False)
    )
