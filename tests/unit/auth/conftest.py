import os

import pytest

PREFIXES = ("DATABRICKS_", "ARM_", "ACTIONS_", "SYSTEM_", "IS_IN_", "SERVING_", "DB_MODEL_")


@pytest.fixture
def bare_machine(monkeypatch, tmp_path):
    """No credentials in the environment, none at home, and no program on the PATH."""
    for name in list(os.environ):
        if name.startswith(PREFIXES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path
