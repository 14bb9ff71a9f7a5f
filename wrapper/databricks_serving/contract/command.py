"""The commands about contracts, `databricks-serving contract`.

What a command needs is imported when it runs, so `--help` answers at once.
"""

import argparse
import sys
from typing import Any

from databricks_serving.errors import ServingError

_UNUSABLE = 2


def add_contract(commands: Any) -> None:
    """Add the group `contract` to the commands of a parser."""
    group = commands.add_parser(
        "contract",
        help="compare contracts, and make typed code for a custom model",
        description="What helps when a contract changes.",
    )
    actions = group.add_subparsers(dest="action", required=True)
    _add_diff(actions)


def run(arguments: argparse.Namespace) -> int:
    """Run one command; return its exit status, 2 when something cannot be used."""
    try:
        status: int = arguments.run(arguments)
    except ServingError as error:
        print(f"databricks-serving contract {arguments.action}: {error}", file=sys.stderr)
        return _UNUSABLE
    return status


def _add_diff(actions: Any) -> None:
    parser = actions.add_parser(
        "diff",
        help="say whom each difference between two contracts breaks",
        description="Say whom each difference between two OpenAPI documents breaks: those who "
        "call, those who read, or nobody.",
        epilog="Exit status: 0 nothing breaking, 1 something breaking, 2 usage or unreadable.",
    )
    parser.add_argument(
        "old",
        metavar="OLD",
        help="a file (YAML or JSON), `installed` for the contract that this package was made from, "
        "git:REV for the other file as it was at a revision, or git:REV:PATH",
    )
    parser.add_argument("new", metavar="NEW", help="the newer one, in the same ways")
    parser.add_argument(
        "--format", choices=["text", "json"], default="text", help="for people, or for machines"
    )
    parser.add_argument("--allow-breaking", action="store_true", help="exit with 0 all the same")
    parser.set_defaults(run=_diff)


def _diff(arguments: argparse.Namespace) -> int:
    from databricks_serving.contract.diff.report import compare  # noqa: PLC0415 - only when asked

    comparison = compare(arguments.old, arguments.new)
    print(comparison.to_json() if arguments.format == "json" else comparison.to_text())
    return int(comparison.breaking and not arguments.allow_breaking)
