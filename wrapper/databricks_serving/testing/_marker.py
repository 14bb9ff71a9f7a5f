"""The values of the marker `serving`."""

import os
from typing import Any, Final

import pytest

from databricks_serving.errors import InvalidRequestError
from databricks_serving.testing._cassettes.arguments import check_arguments
from databricks_serving.testing._fake import FakeServing

ALLOW_UNUSED: Final = "allow_unused"
_OF_FAKES: Final = (ALLOW_UNUSED, "default")
_OF_CASSETTES: Final = ("cassette", "mode", "ignore", "repeats", "max_age", ALLOW_UNUSED)
_KNOWN: Final = tuple(dict.fromkeys((*_OF_FAKES, *_OF_CASSETTES)))


def of_fake(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return what the marker says of a fake."""
    return _part(request, _OF_FAKES)


def of_cassette(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return what the marker says of a cassette."""
    return _part(request, _OF_CASSETTES)


def _part(request: pytest.FixtureRequest, names: tuple[str, ...]) -> dict[str, Any]:
    """Return some values of a test's markers, the nearest first, if all values are good."""
    given: dict[str, Any] = {}
    told = ""
    try:
        for mark in request.node.iter_markers("serving"):
            _check(mark)
            given = {**mark.kwargs, **given}
    except InvalidRequestError as error:
        told = str(error)
    if told:
        # Outside of the block, so that pytest does not show a cause.
        pytest.fail(told, pytrace=False)
    return {name: value for name, value in given.items() if name in names}


def _check(mark: pytest.Mark) -> None:
    unknown = [*(name for name in mark.kwargs if name not in _KNOWN), *map(repr, mark.args)]
    if unknown:
        raise InvalidRequestError(
            f"the marker serving has {', '.join(_KNOWN)} by name, not {unknown[0]}"
        )
    try:
        _check_values(**mark.kwargs)
    except InvalidRequestError as error:
        raise InvalidRequestError(f"the marker serving: {error}") from None


def _check_values(*, cassette: Any = None, default: Any = None, **others: Any) -> None:
    if not (cassette is None or isinstance(cassette, str | os.PathLike)):
        kind = type(cassette).__name__
        raise InvalidRequestError(f"cassette must be the name of a folder, not {kind}")
    FakeServing(default=default)
    check_arguments(**others)
