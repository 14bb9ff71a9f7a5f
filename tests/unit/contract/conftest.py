import importlib
import json
import sys

import pytest
import signatures

from databricks_serving import cli

SOURCES = {
    "wine": signatures.WINE,
    "image": signatures.IMAGE,
    "named": signatures.NAMED,
    "texts": signatures.TEXTS,
    "agent": signatures.AGENT,
    "older": signatures.OLDER_AGENT,
    "responses": signatures.RESPONSES,
    "lakes": signatures.LAKES,
}


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A directory with a package for each of the sources."""
    out = tmp_path_factory.mktemp("made")
    for name, source in SOURCES.items():
        file = tmp_path_factory.mktemp("source") / f"{name}.json"
        file.write_text(json.dumps(source))
        command = ["contract", "endpoint", str(file), "--out", str(out), "--package", f"{name}_api"]
        assert cli.main([*command, *([] if name == "lakes" else ["--endpoint", name])]) == 0
    return out


@pytest.fixture
def package(made, monkeypatch):
    """Import one of the packages by the name of its source."""
    monkeypatch.syspath_prepend(str(made))
    yield lambda name: importlib.import_module(f"{name}_api")
    for name in [name for name in sys.modules if name.partition(".")[0].endswith("_api")]:
        if name.partition(".")[0] != "databricks_serving_api":
            del sys.modules[name]
