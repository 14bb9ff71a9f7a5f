"""What the fixtures of the pytest plugin do."""

from collections.abc import Callable, Generator
from typing import Any

import pytest

from databricks_serving.testing._fake import FakeServing


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


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    marks = request.node.iter_markers("serving")
    given: dict[str, Any] = {}
    for mark in marks:
        unknown = [*mark.kwargs.keys() - {"allow_unused", "default"}, *map(repr, mark.args)]
        if unknown:
            told = f"the marker serving has allow_unused= and default=, not {unknown[0]}"
            pytest.fail(told, pytrace=False)
        given = {**mark.kwargs, **given}
    return given
