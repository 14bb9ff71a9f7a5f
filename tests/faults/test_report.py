"""Every row is proven, or there is a reason."""

import pytest

from .report import REPORT, faults_of, mapping_in, proofs_in, titles_in, written
from .rows import NOT_PROVEN, ROWS


def test_every_row_is_tested_or_has_a_reason():
    assert faults_of(ROWS, NOT_PROVEN, proofs_in()) == []


def test_all_rows_are_there():
    counts = {"T": 30, "S": 27, "E": 38, "R": 19, "A": 20, "K": 15, "L": 14}
    expected = [f"{kind}-{n:02}" for kind, count in counts.items() for n in range(1, count + 1)]
    assert list(ROWS) == expected


def test_the_report_names_the_tests_that_are_there():
    current = REPORT.read_text(encoding="utf-8")
    tests = proofs_in()
    assert mapping_in(current) == {row: tests.get(row, []) for row in ROWS}
    assert titles_in(current) == ROWS


def test_the_report_has_no_failures():
    current = REPORT.read_text(encoding="utf-8")
    assert [line for line in current.splitlines() if "| fails" in line] == []


@pytest.mark.parametrize(
    ("rows", "reasons", "tests", "fault"),
    [
        ({"T-01": "a"}, {}, {}, "T-01 is neither"),
        ({"T-01": "a"}, {}, {"T-01": ["x"], "T-99": ["y"]}, "T-99 is no row, but a test"),
        ({"T-01": "a"}, {"T-01": "b", "T-98": "c"}, {}, "T-98 is no row, but has"),
    ],
    ids=["untested", "unknown in a test", "unknown with a reason"],
)
def test_a_hole_is_found(rows, reasons, tests, fault):
    assert [one for one in faults_of(rows, reasons, tests) if one.startswith(fault)]


def test_a_report_says_what_it_was_told():
    rows = {"T-01": "one", "T-02": "two", "T-03": "three", "T-04": "four"}
    tests = {"T-01": ["a.py::b", "a.py::c"], "T-02": ["a.py::b"], "T-03": ["a.py::d"]}
    report = written(rows, {"T-02": "later", "T-04": "never"}, tests, ["a.py::d"])
    assert mapping_in(report) == {**tests, "T-04": []}
    assert titles_in(report) == rows
    results = [line.rsplit(" | ", 1)[1].strip(" |") for line in report.splitlines()[-4:]]
    assert results == ["passed", "passed; not done: later", "fails: d", "not done: never"]
    assert "4 rows: 3 tested, 1 of them in part; 1 not done yet." in report
