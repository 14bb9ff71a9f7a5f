"""The commands about contracts, `databricks-serving contract`.

What a command needs is imported when it runs, so `--help` answers at once.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from databricks_serving.errors import ServingError

_UNUSABLE = 2


def add_contract(commands: Any) -> Any:
    """Add the group `contract` to the commands of a parser, and return what takes its actions."""
    group = commands.add_parser(
        "contract",
        help="show and compare contracts, check recordings, make typed code for a custom model",
        description="What helps when a contract changes.",
    )
    actions = group.add_subparsers(dest="action", required=True)
    _add_show(actions)
    _add_diff(actions)
    _add_endpoint(actions)
    return actions


def run(arguments: argparse.Namespace) -> int:
    """Run one command; return its exit status, 2 when something cannot be used."""
    try:
        status: int = arguments.run(arguments)
    except ServingError as error:
        print(f"databricks-serving contract {arguments.action}: {error}", file=sys.stderr)
        return _UNUSABLE
    return status


def _add_show(actions: Any) -> None:
    parser = actions.add_parser(
        "show",
        help="print the contract that this package was made from, as JSON",
        description="Print the contract that this package was made from, an OpenAPI 3.1 document "
        "in JSON. `contract diff` takes it, and so does `contract verify --spec`.",
        epilog="Exit status: 0 printed, 2 usage, or there is none in this installation.",
    )
    parser.set_defaults(run=_show)


def _show(_arguments: argparse.Namespace) -> int:
    from databricks_serving.contract.diff.loading import installed  # noqa: PLC0415 - only when asked

    print(installed(), end="")
    return 0


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


def _add_endpoint(actions: Any) -> None:
    parser = actions.add_parser(
        "endpoint",
        help="make a typed package for one custom model",
        description="Make a small typed package for one custom model: a class for its rows, one "
        "for its predictions, and functions that call it.",
        epilog="Exit status: 0 done or up to date, 1 not up to date (--check), 2 cannot be made.",
    )
    parser.add_argument(
        "source",
        metavar="NAME|FILE",
        help="an endpoint, asked for with the login that the client finds; or a file: an OpenAPI "
        "document, an MLmodel file, or a signature of MLflow (YAML or JSON)",
    )
    parser.add_argument("--out", default=".", metavar="DIR", help="where to put it (default: here)")
    parser.add_argument(
        "--package",
        metavar="NAME",
        help="its name (default: after NAME or FILE; where the folder of the model has that name, "
        "with _client at its end)",
    )
    parser.add_argument(
        "--endpoint",
        metavar="NAME",
        help="the endpoint that it calls unless told otherwise, for a file that does not say; "
        "remembered, as --served-model is, until it is given anew or as ''",
    )
    parser.add_argument(
        "--served-model", metavar="NAME", help="whose contract it is, where several are served"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="change nothing; print what differs, and exit with 1 if anything does",
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite what was edited by hand since it was made"
    )
    parser.set_defaults(run=_endpoint)


def _endpoint(arguments: argparse.Namespace) -> int:
    from databricks_serving.contract.endpoint.making import make  # noqa: PLC0415 - only when asked

    given = {"endpoint": arguments.endpoint, "served-model": arguments.served_model}
    made = make(
        arguments.source,
        Path(arguments.out),
        arguments.package,
        given,
        check=arguments.check,
        force=arguments.force,
    )
    kept = f" (with {' '.join(made.kept)}, as before)" if made.kept else ""
    if made.drift and arguments.check:
        print("\n".join(made.drift))
        said = f"{made.target} is not what {made.origin} says{kept}: run without --check"
        print(f"\n{said}", file=sys.stderr)
        return 1
    print(f"{made.target} {'written' if made.drift else 'is up to date'}{kept}")
    return 0
