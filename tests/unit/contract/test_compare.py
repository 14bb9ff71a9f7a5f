"""Where the documents of a comparison may come from, and what Python is given of it."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from databricks_serving import cli, contract, errors

ROOT = Path(__file__).parents[3]
OLD = {
    "openapi": "3.1.0",
    "info": {"title": "Made up", "version": "1"},
    "paths": {},
    "components": {
        "schemas": {"Lake": {"type": "object", "properties": {"depth": {"type": "number"}}}}
    },
}


def newer():
    document = json.loads(json.dumps(OLD))
    document["components"]["schemas"]["Lake"]["properties"] = {}
    return document


def test_documents_are_compared_as_values():
    comparison = contract.compare(OLD, newer())
    assert comparison.breaking
    assert comparison.bump is contract.Bump.MAJOR
    assert [(each.severity, each.path) for each in comparison.differences] == [
        (contract.Severity.CALLERS, "components.schemas.Lake.properties.depth"),
        (contract.Severity.READERS, "components.schemas.Lake.properties.depth"),
    ]
    assert not contract.compare(OLD, OLD).differences


def test_the_installed_contract_is_shown_and_can_be_compared(tmp_path, capsys):
    assert cli.main(["contract", "show"]) == 0
    shown = tmp_path / "contract.json"
    shown.write_text(capsys.readouterr().out)
    assert shown.read_bytes() == (files("databricks_serving_api") / "openapi.json").read_bytes()
    assert cli.main(["contract", "diff", "installed", str(shown)]) == 0
    assert cli.main(["contract", "diff", str(shown), "installed"]) == 0


def test_an_installation_without_a_contract_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("databricks_serving.contract.diff.loading.files", lambda _package: tmp_path)
    assert cli.main(["contract", "show"]) == 2
    assert "this installation has no contract beside its code" in capsys.readouterr().err


def test_the_installed_contract_is_a_source(tmp_path, monkeypatch, capsys):
    (tmp_path / "openapi.json").write_text(json.dumps(OLD))
    monkeypatch.setattr("databricks_serving.contract.diff.loading.files", lambda _package: tmp_path)
    new = tmp_path / "new.json"
    new.write_text(json.dumps(newer()))
    assert cli.main(["contract", "diff", "installed", str(new)]) == 1
    assert cli.main(["contract", "diff", "installed", "installed"]) == 0
    assert capsys.readouterr().out.endswith("no differences\n")


def test_an_installation_without_its_contract_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("databricks_serving.contract.diff.loading.files", lambda _package: tmp_path)
    with pytest.raises(errors.InvalidRequestError, match="installed: this installation has no"):
        contract.compare("installed", OLD)


def test_the_contract_that_ships_is_the_one_of_the_code():
    if not (files("databricks_serving_api") / "openapi.json").is_file():
        pytest.skip("this tree has no contract beside its generated code")
    assert not contract.compare("installed", ROOT / "openapi" / "serving.yaml").breaking


@pytest.fixture
def repository(tmp_path):
    file = tmp_path / "api.json"
    file.write_text(json.dumps(OLD))
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True)
    file.write_text(json.dumps(newer()))
    return file


def test_either_may_be_at_a_git_revision(repository):
    assert contract.compare("git:HEAD", repository).breaking
    assert contract.compare(repository, "git:HEAD").bump is contract.Bump.MINOR
    assert contract.compare(f"git:HEAD:{repository}", repository).breaking
    assert not contract.compare(f"git:HEAD:{repository}", OLD).differences


@pytest.mark.parametrize("beside", ["installed", "git:HEAD", OLD])
def test_a_revision_without_a_file_is_refused(beside):
    with pytest.raises(errors.InvalidRequestError, match=r"write git:HEAD:PATH"):
        contract.compare("git:HEAD", beside)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"openapi": "3.1.0", "openapi": "3.1.0"}', "the key openapi occurs twice"),
        ('{"openapi": ' + "[" * 100_000, "nested too deeply"),
        ("{}", "not an OpenAPI document"),
        ("[]", "not an OpenAPI document"),
    ],
    ids=["twice", "deep", "empty", "list"],
)
def test_a_document_that_is_none_is_refused(tmp_path, text, fault):
    file = tmp_path / "new.json"
    file.write_text(text)
    with pytest.raises(errors.InvalidRequestError, match=fault):
        contract.compare(OLD, file)


def test_json_needs_no_library_and_yaml_names_the_extra(tmp_path):
    (tmp_path / "old.json").write_text(json.dumps(OLD))
    (tmp_path / "new.yaml").write_text("openapi: 3.1.0\n")
    code = (
        "import sys; sys.modules['ruamel'] = sys.modules['ruamel.yaml'] = None\n"
        "from databricks_serving import cli\n"
        "sys.exit(cli.main(['contract', 'diff', *sys.argv[1:]]))"
    )

    def run(*names):
        command = [sys.executable, "-c", code, *(str(tmp_path / name) for name in names)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run("old.json", "old.json").returncode == 0
    refused = run("old.json", "new.yaml")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "databricks-serving contract diff: YAML needs ruamel.yaml: "
        "pip install 'databricks-serving[contract]'\n"
    )
