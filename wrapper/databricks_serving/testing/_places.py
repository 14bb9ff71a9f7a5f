"""Where the cassettes of tests are, and which are of no test."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

_FOLDER: Final = "cassettes"
_FIXTURE: Final = "serving_cassette"
_LONGEST: Final = 100


def folder_of(test: pytest.Item, shared: str | Path | None) -> Path:
    """Return the folder of a test, beside its file.

    Args:
        test: The test.
        shared: What its marker names instead of a folder of its own.
    """
    name = shared or Path(test.path.stem) / _own_folder(test)
    return test.path.parent / _FOLDER / name


def unopened(tests: Sequence[pytest.Item]) -> Iterator[Path]:
    """Yield the folders of recordings beside some tests that none of these opens.

    Those of modules that were not collected are passed over, and so are those that may be shared by
    such modules.
    """
    opened = {folder_of(one, _shared(one)) for one in tests if _opens(one)}
    modules = {one.path for one in tests}
    for place in sorted({path.parent for path in modules}):
        whole = modules.issuperset([*place.glob("test_*.py"), *place.glob("*_test.py")])
        base = place / _FOLDER
        for folder in sorted({path.parent for path in base.rglob("*.json")} - opened - {base}):
            module = place / f"{folder.relative_to(base).parts[0]}.py"
            if module in modules or (whole and not module.exists()):
                yield folder


def _own_folder(test: pytest.Item) -> str:
    """Return a name that no other test of a module has: classes may have tests of one name."""
    outer = [node.name for node in test.listchain() if isinstance(node, pytest.Class)]
    full = ".".join([*outer, test.name])
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", full).strip("-.")[:_LONGEST]
    # The brackets of parameters are clear without; what else was taken out may tell tests apart.
    if name == full.replace("[", "-", 1).removesuffix("]"):
        return name
    return f"{name}-{hashlib.sha256(full.encode()).hexdigest()[:8]}".lstrip("-")


def _opens(test: pytest.Item) -> bool:
    return _FIXTURE in getattr(test, "fixturenames", ())


def _shared(test: pytest.Item) -> str | Path | None:
    marks = (mark.kwargs.get("cassette") for mark in test.iter_markers("serving"))
    return next((one for one in marks if isinstance(one, str | Path)), None)
