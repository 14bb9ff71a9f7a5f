"""The sample service of the guide, tested as its reader would test it."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[2] / "docs" / "sample-service"
PLUGIN = "databricks_serving.testing.pytest_plugin"
KNOWN = any(one.value == PLUGIN for one in importlib.metadata.entry_points(group="pytest11"))


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["one", "two"])
def test_the_tests_of_the_sample_pass_far_from_this_repository(tmp_path, arguments):
    folder = tmp_path / "service"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = {path: path.read_bytes() for path in folder.rglob("*.json")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:llmock", "-p", "no:cacheprovider"]
    path = os.pathsep.join(str(Path(one).resolve()) for one in sys.path if one)
    logins = {name: "" for name in os.environ if name.startswith("DATABRICKS_")}
    done = subprocess.run(
        [*command, *([] if KNOWN else ["-p", PLUGIN]), *arguments],
        cwd=folder,
        env={**os.environ, **logins, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed" in done.stdout
    assert len(before) == 2
    assert {path: path.read_bytes() for path in folder.rglob("*.json")} == before
