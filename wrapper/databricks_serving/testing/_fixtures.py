"""What the fixtures of the pytest plugin do."""

import re
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from databricks_serving.testing._cassettes.cassette import Cassette
from databricks_serving.testing._cassettes.scrubbing import Scrubber
from databricks_serving.testing._errors import RecordingError
from databricks_serving.testing._fake import FakeServing

_OF_FAKES: Final = ("allow_unused", "default")
_OF_CASSETTES: Final = ("cassette", "mode", "ignore", "repeats", "max_age")


def fake(request: pytest.FixtureRequest, has_failed: Callable[[], bool]) -> Generator[FakeServing]:
    """Yield a fake that stands in for the network, and check at the end that it was used up."""
    options = _options(request)
    made = FakeServing(default=options.get("default"))
    with made.installed():
        yield made
    # Whoever reads of a failure is not to read of what follows from it.
    if not (has_failed() or options.get("allow_unused")):
        try:
            made.assert_all_used()
        except AssertionError as error:
            pytest.fail(str(error), pytrace=False)


def cassette(
    request: pytest.FixtureRequest, scrubber: Scrubber, has_failed: Callable[[], bool]
) -> Generator[Cassette]:
    """Yield a cassette of a test, and write at the end what it has recorded."""
    made = _cassette(request, scrubber)
    try:
        made.open()
        try:
            yield made
        finally:
            made.close(save=not has_failed())
    except RecordingError as error:
        pytest.fail(str(error), pytrace=False)


def _cassette(request: pytest.FixtureRequest, scrubber: Scrubber) -> Cassette:
    marked = {key: one for key, one in _options(request).items() if key not in _OF_FAKES}
    folder = request.path.parent / "cassettes"
    name = marked.pop("cassette", None) or Path(request.path.stem) / _file_name(request.node.name)
    days = request.config.getoption("serving_max_age")
    given: dict[str, Any] = {
        "mode": request.config.getoption("serving_record"),
        "max_age": None if days is None else timedelta(days=days),
    }
    return Cassette(folder / name, scrubber=scrubber, **{**given, **marked})


def _file_name(test: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", test).strip("-.") or "test"


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    known = (*_OF_FAKES, *_OF_CASSETTES)
    given: dict[str, Any] = {}
    for mark in request.node.iter_markers("serving"):
        unknown = [*(key for key in mark.kwargs if key not in known), *map(repr, mark.args)]
        if unknown:
            told = f"the marker serving has {', '.join(known)} by name, not {unknown[0]}"
            pytest.fail(told, pytrace=False)
        given = {**mark.kwargs, **given}
    return given
