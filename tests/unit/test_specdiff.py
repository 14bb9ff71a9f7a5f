"""Each kind of change is classified; nothing is missed, and harmless changes raise no alarm."""

import copy
import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from databricks_serving import cli
from databricks_serving.contract.diff.compare import compare
from databricks_serving.contract.diff.loading import load
from databricks_serving.contract.diff.report import Comparison

ROOT = Path(__file__).parents[2]

Tree = dict[str, Any]
DATA = Path(__file__).parent / "specdiff"
CONTRACT = ROOT / "openapi" / "serving.yaml"
CHANGES: dict[str, dict[str, Tree]] = YAML(typ="safe").load(DATA / "changes.yaml")
ROWS = [
    pytest.param(severity, patch, id=f"{severity}: {name}")
    for severity, patches in CHANGES.items()
    for name, patch in patches.items()
]
PROGRAM = "databricks-serving contract diff"
READERS, COMPATIBLE = "breaking for readers", "compatible"


def main(arguments: list[str]) -> int:
    return cli.main(["contract", "diff", *arguments])


def node(tree: Any, step: str) -> Any:
    return tree[int(step) if isinstance(tree, list) else step]


def place(document: Tree, path: str) -> tuple[Any, Any]:
    """Return the container and the key of a place in changes.yaml."""
    *steps, last = path.split(".")
    schemas = document["components"]["schemas"]
    at: Any = document
    if (steps or [last])[0] in schemas:
        at = schemas
    elif path.startswith("post."):
        at = document["paths"]["/endpoints/{name}/invocations"]
    for step in steps:
        at = node(at, step)
    return at, int(last) if isinstance(at, list) else last


def patched(document: Tree, patch: Tree) -> Tree:
    new = copy.deepcopy(document)
    for path, name in patch.get("rename", {}).items():
        at, key = place(new, path)
        at[name] = at.pop(key)
    for path, value in patch.get("put", {}).items():
        at, key = place(new, path)
        at[key] = value
    for path, value in patch.get("append", {}).items():
        node(*place(new, path)).append(value)
    for path, value in patch.get("prepend", {}).items():
        node(*place(new, path)).insert(0, value)
    for path in patch.get("drop", []):
        at, key = place(new, path)
        del at[key]
    for path in patch.get("reverse", []):
        at, key = place(new, path)
        at[key] = at[key][::-1] if isinstance(at[key], list) else dict(reversed(at[key].items()))
    return new


@pytest.fixture(scope="module")
def document() -> Tree:
    return load(DATA / "document.yaml")


@pytest.mark.parametrize(("severity", "patch"), ROWS)
def test_a_change_is_classified(document: Tree, severity: str, patch: Tree):
    differences = compare(document, patched(document, patch))
    assert differences, "the change was missed"
    assert differences[0].severity.value == severity
    assert any(d.severity.value == severity and patch["at"] in d.path for d in differences)


BUMPS = dict(zip(CHANGES, ["major", "major", "minor", "patch"], strict=True))


@pytest.mark.parametrize(("severity", "bump"), BUMPS.items())
def test_the_bump_follows_the_most_severe_difference(document: Tree, severity: str, bump: str):
    for patch in CHANGES[severity].values():
        report = json.loads(
            Comparison(tuple(compare(document, patched(document, patch)))).to_json()
        )
        assert report["bump"] == bump


def test_a_schema_of_both_directions_is_judged_for_both(document: Tree):
    new = patched(document, {"put": {"ToolCall.properties.name.type": ["string", "null"]}})
    where = "components.schemas.ToolCall.properties.name.type"
    found = [(d.severity.value, d.path) for d in compare(document, new)]
    assert found == [(READERS, where), (COMPATIBLE, where)]


def test_a_component_is_reported_once_and_not_once_per_use(document: Tree):
    new = patched(document, {"drop": ["ErrorBody.properties.code"]})
    paths = [difference.path for difference in compare(document, new)]
    assert paths == ["components.schemas.ErrorBody.properties.code"]


def test_an_enum_that_one_use_closes_counts_as_closed(document: Tree):
    reason = {"$ref": "#/components/schemas/FinishReason"}
    old = patched(document, {"put": {"Chat.properties.why": reason}})
    new = patched(old, {"append": {"FinishReason.enum": "filter"}})
    assert [d.severity.value for d in compare(old, new)] == [READERS]


def test_schemas_that_refer_to_themselves_are_compared(document: Tree):
    endless = {"type": "array", "items": {"$ref": "#/components/schemas/Loop"}}
    old = patched(document, {"put": {"components.schemas.Loop": endless}})
    new = patched(old, {"put": {"components.schemas.Loop": {**endless, "items": endless}}})
    assert compare(old, new)
    assert compare(new, old)


def test_identical_documents_have_no_differences(document: Tree):
    assert compare(document, copy.deepcopy(document)) == []


# Nothing is ever missed


def nodes(tree: Any) -> list[tuple[Any, Any]]:
    """Return every container of a tree with each of its keys."""
    pairs = list(tree.items() if isinstance(tree, dict) else enumerate(tree))
    below = [nodes(value) for _, value in pairs if isinstance(value, dict | list)]
    return [(tree, key) for key, _ in pairs] + list(itertools.chain.from_iterable(below))


VALUES: list[Any] = [None, True, False, 0, 1, 1.0, "", "string", [], {}, ["x"], {"x": 1}]
VALUES += [{"$ref": "#/components/schemas/Chat"}, {"$ref": "#/none"}, {"type": "null"}]
KEYWORDS = ["type", "not", "x-new", "const", "anyOf", "allOf", "required", "odd", "$ref"]


def random_edit(tree: Tree, rng: random.Random) -> str:
    """Edit one place of the tree at random; return what was done."""
    container, key = rng.choice(nodes(tree))
    edit = rng.choice([replace, delete, insert, move])
    value = rng.choice(VALUES)
    edit(container, key, value, rng)
    return f"{edit.__name__} {key!r} {value!r}"


def replace(container: Any, key: Any, value: Any, _: random.Random) -> None:
    container[key] = value


def delete(container: Any, key: Any, _: Any, __: random.Random) -> None:
    del container[key]


def insert(container: Any, _: Any, value: Any, rng: random.Random) -> None:
    if isinstance(container, list):
        container.insert(rng.randrange(len(container) + 1), value)
    else:
        container[rng.choice(KEYWORDS)] = value


def move(container: Any, _: Any, __: Any, rng: random.Random) -> None:
    items = list(container.items() if isinstance(container, dict) else container)
    items.insert(rng.randrange(len(items)), items.pop(rng.randrange(len(items))))
    container.clear()
    (container.update if isinstance(container, dict) else container.extend)(items)


@pytest.mark.parametrize("seed", range(3))
def test_any_single_edit_is_reported_both_ways(document: Tree, seed: int):
    rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
    for _ in range(150):
        new = copy.deepcopy(document)
        done = random_edit(new, rng)
        changed = json.dumps(new) != json.dumps(document)
        assert bool(compare(document, new)) is changed, done
        assert bool(compare(new, document)) is changed, f"backwards: {done}"


def test_an_edit_is_not_hidden_by_another_one(document: Tree):
    rng = random.Random(7)  # noqa: S311 - repeatable on purpose
    renamed = patched(document, {"put": {"info.title": "Other"}})
    known = set(compare(document, renamed))
    for _ in range(150):
        new = copy.deepcopy(renamed)
        done = random_edit(new, rng)
        if new["info"] == renamed["info"] and json.dumps(new) != json.dumps(renamed):
            assert set(compare(document, new)) > known, done


# The command line


@pytest.fixture
def files(tmp_path: Path, document: Tree) -> Callable[[Tree], list[str]]:
    def write(patch: Tree) -> list[str]:
        old, new = tmp_path / "old.json", tmp_path / "new.json"
        old.write_text(json.dumps(document))
        new.write_text(json.dumps(patched(document, patch)))
        return [str(old), str(new)]

    return write


BREAK = {"drop": ["Chat.properties.created"]}
EXTEND = {"put": {"Chat.properties.extra": {"type": "string"}}}


def test_the_exit_status_says_whether_something_breaks(files, capsys):
    assert main(files(BREAK)) == 1
    assert main([*files(BREAK), "--allow-breaking"]) == 0
    assert main(files(EXTEND)) == 0
    capsys.readouterr()
    assert main(files({})) == 0
    assert capsys.readouterr().out == "no differences\n"


def test_the_text_lists_the_most_severe_first_and_ends_with_the_bump(document: Tree):
    new = patched(document, {**BREAK, "put": {**EXTEND["put"], "info.title": "Other"}})
    lines = Comparison(tuple(compare(document, new))).to_text().splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "breaking for readers (major): 1",
        "compatible (minor): 1",
        "notice (patch): 1",
        "version bump: major",
    ]
    assert "  components.schemas.Chat.properties.created  field 'created' was removed" in lines


def test_the_json_names_class_path_rule_and_bump(files, capsys):
    main([*files(BREAK), "--format", "json"])
    difference = {
        "class": READERS,
        "path": "components.schemas.Chat.properties.created",
        "rule": "property",
        "message": "field 'created' was removed",
        "bump": "major",
    }
    report = json.loads(capsys.readouterr().out)
    assert report == {"bump": "major", "differences": [difference]}


UNREADABLE = {
    "empty": "",
    "no YAML": "a: [",
    "no mapping": "[]",
    "a key twice": "openapi: 3.1.0\nx: 1\nx: 2\n",
    "a key twice, as number and text": "openapi: 3.1.0\n1: 1\n'1': 1\n",
    "an alias of itself": "openapi: 3.1.0\nx: &a [*a]\n",
}


@pytest.mark.parametrize("text", list(UNREADABLE.values()), ids=UNREADABLE)
def test_an_unreadable_document_is_status_2(files, tmp_path: Path, capsys, text: str):
    broken = tmp_path / "broken.yaml"
    broken.write_text(text)
    assert main([files({})[0], str(broken)]) == 2
    assert capsys.readouterr().err.startswith(f"{PROGRAM}: {broken}: ")


def test_a_missing_document_is_status_2(files, capsys):
    assert main(["missing.yaml", files({})[1]]) == 2
    assert capsys.readouterr().err.startswith(f"{PROGRAM}: missing.yaml: ")


def test_wrong_usage_is_status_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--format", "xml", "a", "b"])
    assert stopped.value.code == 2
    assert f"usage: {PROGRAM}" in capsys.readouterr().err


def specdiff(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [ROOT / "scripts" / "specdiff", *arguments]
    environment = {**os.environ, "PYTHON": sys.executable}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_old_document_may_be_a_git_revision(tmp_path: Path, document: Tree):
    file = tmp_path / "openapi" / "api.json"
    file.parent.mkdir()
    file.write_text(json.dumps(document))
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True)
    file.write_text(json.dumps(patched(document, BREAK)))

    breaking, unknown = specdiff("git:HEAD", file), specdiff("git:no-such-revision", file)
    assert (breaking.returncode, breaking.stderr) == (1, "")
    assert breaking.stdout.endswith("version bump: major\n")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.startswith(f"{PROGRAM}: git:no-such-revision: ")


# The real contract


@pytest.fixture(scope="module")
def contract() -> Tree:
    if not CONTRACT.exists():
        pytest.skip("openapi/serving.yaml is not there")
    return load(CONTRACT)


def test_the_contract_does_not_differ_from_itself(contract: Tree):
    assert compare(contract, copy.deepcopy(contract)) == []


def test_any_single_edit_of_the_contract_is_reported(contract: Tree):
    rng = random.Random(1)  # noqa: S311 - repeatable on purpose
    for _ in range(60):
        new = copy.deepcopy(contract)
        done = random_edit(new, rng)
        assert bool(compare(contract, new)) is (json.dumps(new) != json.dumps(contract)), done
