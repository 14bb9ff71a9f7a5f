"""The tables of docs/migrating.md: whatever stands on the right of one runs, and has types."""

import ast
import asyncio
import inspect
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from databricks_serving import ChunkStream, EventStream, ServingClient
from databricks_serving.local import LocalEndpoint

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "migrating.md"
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COLUMNS = 3
# Names that the tables use and that only a workspace could give.
PREPARED = "host: str = ''\ntoken: str = ''\nw: Any = None\n"


@dataclass(frozen=True)
class Row:
    line: int
    cells: list[str]

    def __str__(self) -> str:
        return f"migrating.md:{self.line}"

    @property
    def code(self) -> str:
        """The code on the right."""
        found = re.fullmatch(r"`([^`]+)`", self.cells[1])
        assert found, f"{self}: on the right there is no code, or something beside it"
        return found[1]


def rows() -> list[Row]:
    """The rows of all tables, without their heads."""
    lines = [*PAGE.read_text(encoding="utf-8").splitlines(), ""]
    found = [
        Row(number, [cell.strip() for cell in line.strip("|").split(" | ")])
        for number, line in enumerate(lines, 1)
        if line.startswith("| ")
    ]
    return [row for row in found if not lines[row.line].startswith("|---")]


def program() -> str:
    [text] = PROGRAM.findall(PAGE.read_text(encoding="utf-8"))
    return text


@pytest.fixture(scope="module")
def names():
    """What the page has prepared, with a workspace that its clients find."""
    with LocalEndpoint() as local, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABRICKS_HOST", local.host)
        patch.setenv("DATABRICKS_TOKEN", local.token)
        config = SimpleNamespace(
            host=local.host,
            auth_type="pat",
            authenticate=lambda: {"Authorization": f"Bearer {local.token}"},
        )
        made = {"host": local.host, "token": local.token, "w": SimpleNamespace(config=config)}
        exec(program(), made)  # noqa: S102 - the page's own
        yield made
        made["client"].close()


def test_the_tables_cover_every_client_that_people_come_from():
    heads = re.findall(r"^\| ([^|]+) \| here \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert heads == [
        *("openai", "databricks-sdk", "mlflow"),
        *("ChatDatabricks", "DatabricksEmbeddings", "Databricks (LLM)", "POST to"),
    ]
    assert len(rows()) > 50


@pytest.mark.parametrize("row", rows(), ids=str)
def test_what_stands_on_the_right_runs(row, names):
    assert len(row.cells) == COLUMNS, f"{row} has {len(row.cells)} cells"
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(row.code, str(row), "eval", flags=flags)
    value = eval(code, {**names})  # noqa: S307 - the page's own
    if code.co_flags & inspect.CO_COROUTINE:
        value = asyncio.run(value)
    assert value is not None
    if isinstance(value, EventStream | ChunkStream):
        with value as stream:
            assert list(stream)
    elif isinstance(value, ServingClient):
        value.close()


def test_what_stands_on_the_right_has_types(tmp_path):
    cells = "".join(f"async def row_{row.line}() -> None:\n    _ = {row.code}\n" for row in rows())
    module = tmp_path / "migrating_md.py"
    module.write_text(f"{program()}\n{PREPARED}\n{cells}", encoding="utf-8")
    result = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-version=3.11"),
            *("--cache-dir", str(tmp_path / "cache"), str(module)),
        ],
        env={
            **os.environ,
            "MYPYPATH": os.pathsep.join(str(ROOT / name) for name in ("wrapper", "generated")),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
