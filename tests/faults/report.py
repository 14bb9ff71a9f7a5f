"""Which test proves which row of the fault matrix: `REPORT.md`, written and checked.

python tests/faults/report.py            runs the tests, writes the report
python tests/faults/report.py --check    compares rows and tests with the report, runs nothing
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

FOLDER = Path(__file__).parent
REPORT = FOLDER / "REPORT.md"
HEAD = """\
# Faults and what becomes of them

Written by `scripts/fault-report`, which runs the tests. Every test named here runs over both
clients where the row concerns both; after it the same client serves a good call, nothing is left
open, and no secret and no prompt is found in anything that a user, a log or a debugger can see.

"""


def proofs_in(folder: Path = FOLDER) -> dict[str, list[str]]:
    """Return the tests that name each row, as `file::function`, by reading the files."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for row in _rows_of(node):
                    found[row].append(f"{path.name}::{node.name}")
    return dict(found)


def _rows_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterable[str]:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("mark.row"):
            yield from (ast.literal_eval(argument) for argument in mark.args)


def faults_of(
    rows: Mapping[str, str], reasons: Mapping[str, str], tests: Mapping[str, object]
) -> list[str]:
    """Return what is wrong with the mapping of rows to tests."""
    return [
        *(
            f"{row} is neither tested nor listed with a reason"
            for row in rows
            if not (row in tests or row in reasons)
        ),
        *(f"{row} is no row, but a test names it" for row in tests if row not in rows),
        *(f"{row} is no row, but has a reason" for row in reasons if row not in rows),
    ]


def written(
    rows: Mapping[str, str],
    reasons: Mapping[str, str],
    tests: Mapping[str, list[str]],
    failed: Iterable[str] = (),
) -> str:
    """Return the report.

    Args:
        rows: Titles by row.
        reasons: What is not proven, by row.
        tests: Tests by row.
        failed: Tests that do not pass.
    """
    failing = set(failed)
    lines = ["| row | fault | tests | result |", "|---|---|---|---|"]
    for row, title in rows.items():
        names = tests.get(row, [])
        result = _result(names, failing, reasons.get(row))
        shown = "<br>".join(f"`{name}`" for name in names) or "none"
        lines.append(f"| {row} | {title} | {shown} | {result} |")
    return HEAD + _summary(rows, reasons, tests) + "\n".join(lines) + "\n"


def _result(names: list[str], failing: set[str], reason: str | None) -> str:
    broken = [name for name in names if name in failing]
    if broken:
        return "fails: " + ", ".join(name.partition("::")[2] for name in broken)
    if not names:
        return f"not done: {reason}"
    return f"passed; not done: {reason}" if reason else "passed"


def _summary(
    rows: Mapping[str, str], reasons: Mapping[str, str], tests: Mapping[str, list[str]]
) -> str:
    tested = sum(row in tests for row in rows)
    partly = sum(row in tests and row in reasons for row in rows)
    return (
        f"{len(rows)} rows: {tested} tested, {partly} of them in part; "
        f"{len(rows) - tested} not done yet.\n\n"
    )


def mapping_in(report: str) -> dict[str, list[str]]:
    """Return the tests by row that a report names."""
    found: dict[str, list[str]] = {}
    for line in report.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) > 2 and "-" in cells[0].strip("-"):
            tests = cells[2].split("<br>")
            found[cells[0]] = [test.strip("`") for test in tests if test != "none"]
    return found


def titles_in(report: str) -> dict[str, str]:
    """Return the titles by row that a report names."""
    lines = [line.strip("|").split(" | ") for line in report.splitlines() if line.startswith("| ")]
    return {cells[0].strip(): cells[1].strip() for cells in lines if "-" in cells[0]}


class Results:
    """Notes which tests fail, as pytest runs them."""

    def __init__(self) -> None:
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report) -> None:
        """Take note of one phase of one test."""
        if report.failed:
            path, _, name = report.nodeid.partition("::")
            self.failed.add(f"{Path(path).name}::{name.partition('[')[0]}")


def main(arguments: list[str]) -> int:
    """Write or check the report; return the exit code."""
    from rows import NOT_PROVEN, ROWS  # noqa: PLC0415 - beside this file only when it is run

    tests = proofs_in()
    faults = faults_of(ROWS, NOT_PROVEN, tests)
    if arguments == ["--check"]:
        current = REPORT.read_text(encoding="utf-8") if REPORT.is_file() else ""
        if mapping_in(current) != {row: tests.get(row, []) for row in ROWS}:
            faults.append("REPORT.md is out of date: run scripts/fault-report")
    elif not arguments and not faults:
        import pytest  # noqa: PLC0415 - the check needs no pytest

        results = Results()
        # The tests of the report itself speak of the one before.
        skipped = f"--ignore={FOLDER / 'test_report.py'}"
        pytest.main(["-q", "-p", "no:cacheprovider", skipped, str(FOLDER)], plugins=[results])
        REPORT.write_text(written(ROWS, NOT_PROVEN, tests, results.failed), encoding="utf-8")
        faults += sorted(f"{test} fails" for test in results.failed)
    print(*faults, sep="\n", file=sys.stderr)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
