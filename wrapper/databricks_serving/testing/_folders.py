"""Which files of a folder are recordings."""

import os
from pathlib import Path
from typing import Final

from databricks_serving.testing._errors import RecordingError

_FOREIGN: Final = {"node_modules", "__pycache__", "site-packages"}
_VENV: Final = "pyvenv.cfg"


def recordings_in(folder: Path) -> list[Path]:
    """Return the recordings of a folder and of those below.

    Hidden files and folders, environments and installed packages are passed over.

    Raises:
        RecordingError: When a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise RecordingError(f"{error.filename}: cannot be read: {error.strerror}") from None

    found: list[Path] = []
    for place, below, names in os.walk(folder, onerror=refuse):
        here = Path(place)
        below[:] = [one for one in below if not _is_foreign(here / one)]
        found += [here / one for one in names if one.endswith(".json") and one[0] != "."]
    return sorted(found)


def _is_foreign(folder: Path) -> bool:
    """Tell whether a folder is for tools, or holds what was installed."""
    return folder.name.startswith(".") or folder.name in _FOREIGN or (folder / _VENV).exists()
