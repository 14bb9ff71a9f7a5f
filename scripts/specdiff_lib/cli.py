"""The command line of the comparison."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from specdiff_lib.compare import compare
from specdiff_lib.loading import UnreadableError, load
from specdiff_lib.verdict import Difference, Severity, overall_bump

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNREADABLE = 2


def main(arguments: Sequence[str]) -> int:
    """Compare two documents and print the result.

    Returns:
        0 without a breaking difference, 1 with one, 2 when a document cannot be read.
    """
    options = _parser().parse_args(arguments)
    try:
        old, new = (load(source, Path(options.new)) for source in (options.old, options.new))
    except UnreadableError as error:
        print(f"specdiff: {error}", file=sys.stderr)
        return _UNREADABLE
    differences = compare(old, new)
    print(as_json(differences) if options.format == "json" else as_text(differences))
    breaking = any(difference.severity.breaking for difference in differences)
    return int(breaking and not options.allow_breaking)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="specdiff",
        description="Say whom each difference between two OpenAPI documents breaks.",
        epilog="Exit status: 0 nothing breaking, 1 something breaking, 2 usage or unreadable.",
    )
    parser.add_argument("old", help="a file, or git:REV for NEW as it was at a revision")
    parser.add_argument("new", help="a file")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--allow-breaking", action="store_true", help="exit with 0 all the same")
    return parser


def as_text(differences: list[Difference]) -> str:
    """Return a table, grouped by severity, with the version bump as its last line."""
    if not differences:
        return "no differences"
    lines: list[str] = []
    for severity in Severity:
        group = [each for each in differences if each.severity is severity]
        if group:
            lines += [f"{severity.value} ({severity.bump.value}): {len(group)}", *_rows(group), ""]
    return "\n".join([*lines, f"version bump: {overall_bump(differences).value}"])


def _rows(group: list[Difference]) -> list[str]:
    width = max(len(each.path) for each in group)
    return [f"  {each.path:<{width}}  {each.message}" for each in group]


def as_json(differences: list[Difference]) -> str:
    """Return the differences for machines."""
    rows = [
        {
            "class": each.severity.value,
            "path": each.path,
            "rule": each.rule,
            "message": each.message,
            "bump": each.severity.bump.value,
        }
        for each in differences
    ]
    bump = overall_bump(differences).value
    return json.dumps({"bump": bump, "differences": rows}, indent=2, ensure_ascii=False)
