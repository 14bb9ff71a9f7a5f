"""`databricks-serving contract endpoint` where something is already: what stays, what goes."""

import copy
import json
import sys
from pathlib import Path

import pytest
import signatures

from databricks_serving.contract import tools
from databricks_serving.contract.trees import files


@pytest.mark.parametrize("name", ["notes.py", "notes.md", "client.py"])
def test_the_place_of_something_else_is_not_taken(run, source, tmp_path, name):
    run(source)
    foreign = tmp_path / "out" / "wine" / name
    foreign.write_text("mine\n")
    before = files(tmp_path)
    status, _, said = run(source)
    assert (status, files(tmp_path)) == (2, before)
    assert f"wine holds {name}, which this command did not make: move it away" in said


def test_a_file_at_the_place_is_refused(run, source, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "wine").write_text("mine")
    assert "is no directory: name another one with --out" in run(source)[2]
    (tmp_path / "out" / "wine").unlink()
    (tmp_path / "out").rmdir()
    (tmp_path / "out").write_text("mine")
    assert run(source)[2].endswith("/out is no directory: name another one with --out\n")


def test_nothing_is_left_when_the_generator_fails(run, source, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "databricks_serving.contract.endpoint.package.lay_out",
        lambda _: tools._run([sys.executable, "-c", "import sys; sys.exit('the reason')"]),
    )
    status, _, said = run(source)
    assert status == 2
    assert "the reason" in said
    assert not (tmp_path / "out").exists()


def test_served_models_with_different_contracts_are_told_apart(run, workspace, tmp_path):
    document = copy.deepcopy(signatures.LAKES)
    (post,) = document["paths"].values()
    document["paths"]["/served-models/lakes-2/invocations"] = post
    workspace(document)
    assert run("lakes")[0] == 0
    other = copy.deepcopy(post)
    other["post"]["responses"] = {"200": {"description": "Anything."}}
    document["paths"]["/served-models/lakes-2/invocations"] = other
    status, _, said = run("lakes")
    assert status == 2
    assert (
        "the served models have different contracts (/served-models/lakes-1/invocations, " in said
    )
    assert "name one with --served-model" in said
    assert run("lakes", "--served-model", "lakes-1", "--check")[0] == 0
    assert run("lakes", "--served-model", "lakes-2")[0] == 0
    assert "-> Prediction:" in (tmp_path / "out" / "lakes" / "client.py").read_text()
    assert run("lakes")[1].endswith("is up to date (with --served-model lakes-2, as before)\n")
    del document["paths"]["/served-models/lakes-2/invocations"]
    said = run("lakes")[2]
    assert said.endswith("(--served-model is as it was before; give another, or '' for none)\n")
    assert run("lakes", "--served-model", "")[0] == 0
    assert "no served model 'lakes-3' in the" in run("lakes", "--served-model", "lakes-3")[2]


def test_what_was_there_stays_when_it_cannot_be_replaced(run, source, tmp_path, monkeypatch):
    run(source)
    before = files(tmp_path / "out")
    source.write_text(json.dumps(signatures.IMAGE))
    real = Path.rename

    def rename(path, target):
        if path.parent.name.startswith(".contract-") and path.name == "wine":
            raise PermissionError("not today")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    status, _, said = run(source)
    assert status == 2
    assert "not today" in said
    assert files(tmp_path / "out") == before


def test_an_interrupt_leaves_what_was_there(run, source, tmp_path, monkeypatch):
    run(source)
    before = files(tmp_path / "out")
    source.write_text(json.dumps(signatures.IMAGE))
    real = Path.rename

    def rename(path, target):
        moved = real(path, target)
        if target.name == "former":
            raise KeyboardInterrupt
        return moved

    monkeypatch.setattr(Path, "rename", rename)
    assert run(source)[0] == 130
    assert files(tmp_path / "out") == before


def test_edits_are_not_lost_without_force(run, source, tmp_path):
    run(source)
    client = tmp_path / "out" / "wine" / "client.py"
    client.write_text(client.read_text() + "MINE = 1\n")
    before = files(tmp_path)
    status, _, said = run(source)
    assert (status, files(tmp_path)) == (2, before)
    assert said == (
        f"databricks-serving contract endpoint: {client.parent}: edited since it was made: "
        "client.py: move the edits to a file of your own, or overwrite them with --force; "
        "--check shows them\n"
    )
    status, printed, _ = run(source, "--check")
    assert status == 1
    assert "-MINE = 1" in printed
    assert run(source, "--force")[0] == 0
    assert "MINE" not in client.read_text()
    assert run(source, "--check")[0] == 0


def test_other_ends_of_lines_are_no_edits(run, source, tmp_path):
    run(source)
    client = tmp_path / "out" / "wine" / "client.py"
    client.write_bytes(client.read_bytes().replace(b"\n", b"\r\n"))
    assert run(source, "--check")[0] == 0
    source.write_text(json.dumps(signatures.IMAGE))
    assert run(source)[0] == 0


def test_force_does_not_take_the_place_of_something_else(run, source, tmp_path):
    run(source)
    (tmp_path / "out" / "wine" / "notes.md").write_text("mine")
    assert run(source, "--force")[0] == 2


def test_a_package_without_its_record_counts_as_edited(run, source, tmp_path):
    run(source)
    record = tmp_path / "out" / "wine" / "contract.json"
    record.unlink()
    signature = source.read_text()
    source.write_text(json.dumps(signatures.IMAGE))
    assert "edited since it was made: __init__.py, client.py: " in run(source)[2]
    source.write_text(signature)
    # Where nothing would be lost, there is nothing to refuse.
    assert run(source)[0] == 0
    assert record.exists()
    for text in ("{", "[]", "{}", '{"made_by": "somebody"}', "[" * 100_000):
        record.write_text(text)
        assert f"{record} is not as `databricks-serving contract endpoint` writes" in run(source)[2]


def test_options_are_remembered(run, source, tmp_path):
    target = tmp_path / "out" / "wine"
    run(source, "--endpoint", "mine")
    assert run(source) == (0, f"{target} is up to date (with --endpoint mine, as before)\n", "")
    assert run(source, "--check")[0] == 0
    source.write_text(json.dumps(signatures.IMAGE))
    assert run(source)[:2] == (0, f"{target} written (with --endpoint mine, as before)\n")
    assert 'ENDPOINT: Final = "mine"' in (target / "client.py").read_text()
    assert run(source, "--endpoint", "other")[1] == f"{target} written\n"
    assert 'ENDPOINT: Final = "other"' in (target / "client.py").read_text()
    assert run(source, "--endpoint", "")[1] == f"{target} written\n"
    assert "ENDPOINT" not in (target / "client.py").read_text()


def test_the_package_is_not_named_like_the_folder_of_the_model_beside_it(run, tmp_path):
    model = tmp_path / "out" / "wine"
    model.mkdir(parents=True)
    (model / "MLmodel").write_text(json.dumps({"flavors": {}, "signature": signatures.TEXTS}))
    for given in (model, model / "MLmodel"):
        assert run(given)[0] == 0
    assert sorted(path.name for path in model.parent.iterdir()) == ["wine", "wine_client"]
    assert "holds MLmodel, which this command did not make" in run(model, "--package", "wine")[2]
