"""The house rules that no linter knows."""

import ast
import importlib.metadata
import io
import re
import tokenize
from pathlib import Path

import pytest

from databricks_serving import __version__

ROOT = Path(__file__).parents[1]
HAND_WRITTEN = sorted(
    path for folder in ("wrapper", "scripts") for path in (ROOT / folder).rglob("*.py")
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
GENERATED = sorted((ROOT / "generated").rglob("*.py"))
CONTRACT = ROOT / "openapi" / "serving.yaml"
RECORDING = re.compile(r"(?<!/)\b(?:chat|completions|embeddings|errors)/[a-z0-9][a-z0-9-]*[a-z0-9]")
MAX_LINES, MAX_FUNCTION = 400, 40


def name_of(path):
    return str(path.relative_to(ROOT))


def functions(path):
    """Yield the functions of a file with their lengths, docstrings not counted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = ast.get_docstring(node, clean=False) is not None
            docstring = first.end_lineno - first.lineno + 1 if documented else 0
            yield node.end_lineno - node.lineno + 1 - docstring, f"{name_of(path)}:{node.name}"


def comments(path):
    """Yield the comments of a file that stand for themselves, pragmas left out."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT and not re.match(
            r"#!|# (type:|pyright:|noqa|mypy:|-\*-)", token.string
        ):
            yield token.string


def test_there_is_something_to_look_at():
    assert len(HAND_WRITTEN) > 40
    assert len(GENERATED) > 40


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=name_of)
def test_no_file_is_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_no_function_is_long():
    longest = max(length for path in HAND_WRITTEN for length in functions(path))
    assert longest[0] <= MAX_FUNCTION, longest


def test_comments_are_few_and_there_are_some():
    lines = sum(
        1 for path in HAND_WRITTEN for line in path.read_text().splitlines() if line.strip()
    )
    share = sum(1 for path in HAND_WRITTEN for _ in comments(path)) / lines
    assert 0.01 <= share <= 0.05, f"{share:.1%}"


@pytest.mark.parametrize("path", [*HAND_WRITTEN, *TESTS], ids=name_of)
def test_nothing_is_left_to_do(path):
    marks = ("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")
    found = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if any(m in line for m in marks)
    ]
    assert found == []


def test_the_generated_client_has_no_third_state_beside_none():
    assert [
        name_of(path) for path in GENERATED if "Unset" in path.read_text(encoding="utf-8")
    ] == []


def test_every_recording_that_the_contract_names_exists():
    named = set(RECORDING.findall(CONTRACT.read_text(encoding="utf-8")))
    folder = ROOT / "tests" / "recordings"
    assert len(named) > 30
    assert [name for name in sorted(named) if not (folder / f"{name}.json").is_file()] == []


def test_every_recording_that_the_code_names_exists():
    named = {
        name
        for path in HAND_WRITTEN
        for line in path.read_text(encoding="utf-8").splitlines()
        if "recording" in line
        for name in RECORDING.findall(line)
    }
    folder = ROOT / "tests" / "recordings"
    assert [name for name in sorted(named) if not (folder / f"{name}.json").is_file()] == []


def test_the_version_is_that_of_the_installed_package():
    try:
        installed = importlib.metadata.version("databricks-serving")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package is not installed here")
    assert installed == __version__


def test_the_version_is_a_release_number():
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", __version__)
