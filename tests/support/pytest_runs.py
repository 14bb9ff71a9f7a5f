"""Runs of pytest in processes of their own, for tests of its plugin."""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

PLUGIN = "databricks_serving.testing.pytest_plugin"


def is_found_by_itself():
    found = importlib.metadata.entry_points(group="pytest11")
    return any(point.value == PLUGIN for point in found)


def run(folder, *arguments, tests, **environment):
    """Run tests with pytest in a process of its own, and return what it prints, errors too."""
    (folder / "test_it.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    known = () if is_found_by_itself() else ("-p", PLUGIN)
    quiet = ("-p", "no:llmock", "-p", "no:cacheprovider", "--strict-markers")
    path = os.pathsep.join(str(Path(one).resolve()) for one in sys.path if one)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", *known, *quiet, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout + result.stderr
