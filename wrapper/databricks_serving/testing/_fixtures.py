"""What the fixtures of the pytest plugin do."""

from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from databricks_serving.testing._cassettes.cassette import Cassette
from databricks_serving.testing._cassettes.scrubbing import Scrubber
from databricks_serving.testing._errors import RecordingError
from databricks_serving.testing._fake import FakeServing
from databricks_serving.testing._marker import ALLOW_UNUSED, of_cassette, of_fake
from databricks_serving.testing._places import folder_of

_WRITTEN: Final = pytest.StashKey[set[Path]]()


def fake(request: pytest.FixtureRequest, has_passed: Callable[[], bool]) -> Generator[FakeServing]:
    """Yield a fake that stands in for the network, and check at the end that it was used up."""
    options = of_fake(request)
    made = FakeServing(default=options.get("default"))
    try:
        with made.installed():
            yield made
        # Whoever reads of a failure is not to read of what follows from it.
        if has_passed() and not options.get(ALLOW_UNUSED):
            made.assert_all_used()
    except (AssertionError, RecordingError) as error:
        told = str(error)
    else:
        return
    # Outside of the block, so that pytest does not show the error a second time as its cause.
    pytest.fail(told, pytrace=False)


def cassette(
    request: pytest.FixtureRequest, scrubber: Scrubber, has_passed: Callable[[], bool]
) -> Generator[Cassette]:
    """Yield a cassette of a test, and write at the end what it has recorded."""
    written = request.config.stash.setdefault(_WRITTEN, set())
    made = _cassette(request, scrubber, written)
    try:
        made.open()
        try:
            yield made
        finally:
            passed = has_passed()
            made.close(save=passed)
            if passed:
                written.add(made.folder)
                made.assert_all_recorded()
    except (AssertionError, RecordingError) as error:
        told = str(error)
    else:
        return
    pytest.fail(told, pytrace=False)  # Outside of the block, as above.


def _cassette(request: pytest.FixtureRequest, scrubber: Scrubber, written: set[Path]) -> Cassette:
    marked = of_cassette(request)
    shared = marked.pop("cassette", None)
    folder = folder_of(request.node, shared)
    days = request.config.getoption("serving_max_age")
    given: dict[str, Any] = {
        "mode": (request.config.getoption("serving_modes") or ["none"])[0],
        "max_age": None if days is None else timedelta(days=days),
        # What one test of a shared folder leaves may be another's.
        ALLOW_UNUSED: bool(shared) or not request.config.getoption("serving_all_used"),
        **marked,
    }
    if given["mode"] == "all" and folder in written:
        # What another test of this run has recorded there is needed by that test.
        given |= {"mode": "new_episodes", ALLOW_UNUSED: True}
    return Cassette(folder, scrubber=scrubber, **given)
