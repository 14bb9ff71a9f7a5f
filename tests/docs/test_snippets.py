"""The documents hold what they say.

Every page is one program: its ```python blocks run in order and share their names, against the
deterministic local endpoint. A ```text block right after a block is what that block prints; `...`
in it stands for anything. A ```diff block changes the contract. Tracebacks name page and line.
"""

import doctest
import importlib.metadata
import logging
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from databricks_serving import ServingClient, cli
from databricks_serving.local import LocalEndpoint

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))  # the scripts are not installed

from codegen import regenerate  # noqa: E402 - needs the path above

PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "ARCHITECTURE", "CONTRIBUTING")),
    *sorted((ROOT / "docs").glob("*.md")),
]
BLOCK = re.compile(
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```\n(?:\n*^```text\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
FILE = re.compile(r"(?<![\w./-])[\w-][\w./-]*\.(?:py|toml|txt|yaml)\b")
ROOTS = ("docs", "generated", "openapi", "scripts", "tests", "wrapper", ".ci")


@dataclass(frozen=True)
class Block:
    page: Path
    language: str
    line: int
    text: str
    output: str | None

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def commands(self) -> Iterator[list[str]]:
        """The words of each command line."""
        for line in self.text.replace("\\\n", "").splitlines():
            if words := shlex.split(line, comments=True):
                yield words

    def check_output(self, printed: str) -> None:
        """Compare what was printed with the page, but for the amount of white space."""
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        if self.output is not None:
            fits = doctest.OutputChecker().check_output(self.output, printed, flags)
            assert fits, f"{self} printed\n{printed}"


def line_of(match: re.Match[str]) -> int:
    """The line on which the text of a block begins."""
    return match.string.count("\n", 0, match.start("text")) + 1


def blocks(language: str, pages: list[Path] = PAGES) -> list[Block]:
    return [
        Block(page, language, line_of(match), match["text"], match["output"])
        for page in pages
        for match in BLOCK.finditer(page.read_text(encoding="utf-8"))
        if match["language"] == language
    ]


def program(page: Path) -> str:
    """The blocks of a page as one module with the page's line numbers."""
    lines: list[str] = []
    for block in blocks("python", [page]):
        lines += [""] * (block.line - 1 - len(lines)) + block.text.splitlines()
    return "\n".join(lines) + "\n"


def patched(text: str, diff: str) -> str:
    """Apply a diff whose hunks have no line numbers."""
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE)[1:]:
        lines = hunk.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in side) for side in (" -", " +"))
        assert text.count(old) == 1, f"this is there {text.count(old)} times:\n{old}"
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module", autouse=True)
def workspace():
    """A workspace that `ServingClient()` finds by itself."""
    with LocalEndpoint(model="deterministic") as local, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABRICKS_HOST", local.host)
        patch.setenv("DATABRICKS_TOKEN", local.token)
        yield


@pytest.fixture(scope="module", autouse=True)
def packages(tmp_path_factory):
    """A directory with the packages that commands of the pages make from files."""
    out = tmp_path_factory.mktemp("packages")
    making = ["databricks-serving", "contract", "endpoint"]
    for words in [words for block in blocks("sh") for words in block.commands]:
        if words[:3] == making and (source := ROOT / words[3]).is_file():
            assert cli.main([*words[1:3], str(source), *words[4:], "--out", str(out)]) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(out))
        yield out


WITH_PROGRAM = [page for page in PAGES if blocks("python", [page])]


def test_there_are_programs_commands_and_changes_to_test():
    assert len(WITH_PROGRAM) >= 7
    assert len(blocks("sh")) >= 10
    assert len(blocks("diff")) == 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_is_of_a_tested_kind(page):
    fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(fences[::2]) <= {"python", "sh", "diff", "text"}
    assert set(fences[1::2]) <= {""}


@pytest.mark.parametrize("page", WITH_PROGRAM, ids=lambda page: page.name)
def test_the_program_of_a_page_runs_and_prints_what_the_page_says(page, capsys):
    names, environment = {"__name__": "__main__"}, dict(os.environ)
    logger = logging.getLogger("databricks_serving")
    handlers, level = list(logger.handlers), logger.level
    try:
        for block in blocks("python", [page]):
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(page), "exec", dont_inherit=True), names)  # noqa: S102 - the point
            block.check_output(capsys.readouterr().out)
    finally:
        # One that was added writes to an output that is closed after this test.
        logger.handlers[:] = handlers
        logger.setLevel(level)
        os.environ.clear()
        os.environ.update(environment)
        for client in [value for value in names.values() if isinstance(value, ServingClient)]:
            client.close()


def test_the_programs_are_sound_to_a_type_checker(packages, tmp_path):
    for page in WITH_PROGRAM:
        (tmp_path / f"{page.stem.replace('-', '_')}_md.py").write_text(program(page))
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-version=3.11"]
    path = os.pathsep.join(str(ROOT / name) for name in ("wrapper", "generated", packages))
    result = subprocess.run(
        [*command, "--cache-dir", str(tmp_path / "cache"), *map(str, tmp_path.glob("*.py"))],
        env={**os.environ, "MYPYPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_a_command_names_files_and_arguments_that_exist(block):
    for words in block.commands:
        for word in words:
            assert word.partition("/")[0] not in ROOTS or (ROOT / word).exists(), word
        if words[0] == "databricks-serving":
            cli._parser().parse_args(words[1:])


@pytest.mark.parametrize("block", blocks("diff"), ids=str)
def test_a_change_of_the_contract_can_be_generated_and_is_judged_as_the_page_says(
    block, tmp_path, capsys
):
    spec = tmp_path / "serving.yaml"
    spec.write_text(patched(regenerate.SPEC.read_text(encoding="utf-8"), block.text))
    assert regenerate.main(["--spec", str(spec), "--out", str(tmp_path)]) == 0
    assert cli.main(["contract", "diff", str(regenerate.SPEC), str(spec)]) == 0
    block.check_output(capsys.readouterr().out)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_that_a_page_names_exists(page):
    here = {f"/{path.name}" for path in ROOT.iterdir()}
    known = here | {path.as_posix() for name in ROOTS for path in (ROOT / name).rglob("*.*")}
    for name in FILE.findall(page.read_text(encoding="utf-8")):
        assert any(path.endswith(f"/{name}") for path in known), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_index_leads_to_every_page():
    index = ROOT / "docs" / "index.md"
    targets = set(LINK.findall(index.read_text(encoding="utf-8")))
    assert {page.name for page in index.parent.glob("*.md")} - {"index.md"} <= targets


def with_requirements(name: str, found: frozenset[str] = frozenset()) -> frozenset[str]:
    """The distributions that a plain install of one brings."""
    found |= {name}
    for line in importlib.metadata.requires(name) or ():
        needed = Requirement(line)
        wanted = needed.marker is None or needed.marker.evaluate({"extra": ""})
        if wanted and needed.name not in found:
            found = with_requirements(needed.name, found)
    return found


def test_a_plain_install_brings_no_more_than_the_readme_says():
    try:
        installed = with_requirements("databricks-serving")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package is not installed but found on the path")
    said = re.search(r"(\d+) distributions", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(installed) <= int(said[1])


def test_the_readme_says_what_each_extra_is_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    install = (
        (ROOT / "README.md").read_text(encoding="utf-8").split("## Install")[1].split("\n## ")[0]
    )
    rows = "".join(line.split("|")[1] for line in install.splitlines() if line.startswith("|"))
    assert set(re.findall("`([^`]+)`", rows)) == set(project["optional-dependencies"])
