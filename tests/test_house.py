"""The rules that the project sets itself, where a tool does not watch over them."""

import ast
import re
from importlib.metadata import version

import pytest
from recordings import OWN, ROOT

import databricks_serving

HAND_WRITTEN = sorted(
    path for folder in ("wrapper", "scripts") for path in (ROOT / folder).rglob("*.py")
)
MAX_FILE = 400
MAX_FUNCTION = 40
# Words that stand for unfinished work, put together so that this line is none of it.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
NAMED_RECORDING = re.compile(r"\b(?:chat|completions|embeddings|errors)/[a-z0-9][a-z0-9-]*")


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_FILE
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    long = {
        node.name: node.end_lineno - node.body[0].lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, functions) and node.end_lineno - node.body[0].lineno >= MAX_FUNCTION
    }
    assert long == {}


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_left_unfinished(path):
    assert UNFINISHED.findall(path.read_text()) == []


def test_the_generated_code_knows_no_sentinel():
    generated = ROOT / "generated" / "databricks_serving_api"
    files = list(generated.rglob("*.py"))
    assert len(files) > 50
    assert [p.name for p in files if re.search("unset", p.read_text(), re.IGNORECASE)] == []


def test_every_recording_that_the_contract_names_exists():
    contract = (ROOT / "openapi" / "serving.yaml").read_text()
    lines = [
        line for line in contract.splitlines() if "#" in line or "recording " in line or ";" in line
    ]
    named = {name for line in lines for name in NAMED_RECORDING.findall(line)}
    assert len(named) >= 40
    assert {name for name in named if not (OWN / f"{name}.json").is_file()} == set()


def test_the_installed_version_is_the_one_in_the_source():
    assert version("databricks-serving") == databricks_serving.__version__
