import importlib
import json
import sys

import httpx
import pytest
import signatures
import wire

import databricks_serving
from databricks_serving import ServingClient, cli

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


@pytest.fixture
def source(tmp_path):
    """A signature without classes, which takes little time."""
    file = tmp_path / "wine.json"
    file.write_text(json.dumps(signatures.TEXTS))
    return file


@pytest.fixture
def classes(source):
    """A signature with classes."""
    source.write_text(json.dumps(signatures.WINE))
    return source


@pytest.fixture
def run(tmp_path, capsys):
    """Run the command into a directory; return its status and what it printed."""

    def run(given, *options):
        status = cli.main(
            ["contract", "endpoint", str(given), "--out", str(tmp_path / "out"), *options]
        )
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def workspace(monkeypatch):
    """Let the client find a workspace that answers with one document, or one response."""

    def serve(answer):
        asked = []

        def handle(request):
            asked.append(request.url.path)
            return answer if isinstance(answer, httpx.Response) else wire.json_reply(answer)

        monkeypatch.setattr(
            databricks_serving,
            "ServingClient",
            lambda: ServingClient(wire.HOST, wire.TOKEN, transport=httpx.MockTransport(handle)),
        )
        return asked

    return serve
