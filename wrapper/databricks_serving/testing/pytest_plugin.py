"""The plugin of pytest, which finds it by itself: fixtures, and the marker `serving`.

pytest loads it wherever it runs, so it imports nothing that is dear.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from databricks_serving.testing._fake import FakeServing

_MARKER: Final = (
    "serving(allow_unused=False, default=None): how serving_fake answers this test; allow_unused "
    "takes replies that were scripted and not used, default is that of FakeServing."
)
_FAILED: Final = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test has failed, for the end of its fixtures."""
    report = yield
    if not report.passed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture
def serving_fake(request: pytest.FixtureRequest) -> "Generator[FakeServing]":
    """A `FakeServing` that stands in for the network, with a login in the environment.

    After a test that has passed, all scripted replies must have been used, and no request have come
    that nothing was scripted for.
    """
    from databricks_serving.testing import _fixtures  # noqa: PLC0415 - pytest runs without it too

    yield from _fixtures.fake(request, lambda: _FAILED in request.node.stash)
