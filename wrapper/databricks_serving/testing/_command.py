"""The commands about recordings, in the group `databricks-serving contract`.

What a command needs is imported when it runs, so `--help` answers at once.
"""

import argparse
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from databricks_serving.testing._ages import days


def add_recordings(actions: Any) -> None:
    """Add `verify` and `import` to the actions of a group."""
    _add_verify(actions)
    _add_import(actions)


def _add_verify(actions: Any) -> None:
    parser = actions.add_parser(
        "verify",
        help="hold recordings against a contract",
        description="Hold recordings against a contract and the typed models, and tell where they "
        "do not agree. What may be a mistake and breaks nothing is a notice.",
        epilog="Exit status: 0 they agree, 1 they do not, 2 usage or unreadable.",
    )
    parser.add_argument(
        "recordings",
        metavar="DIR",
        type=Path,
        help="a folder, or one recording; hidden folders and environments are passed over",
    )
    parser.add_argument(
        "--spec",
        metavar="FILE",
        help="the contract, OpenAPI 3.1 in YAML or JSON (default: that of this package)",
    )
    parser.add_argument(
        "--max-age",
        type=days,
        metavar="DAYS",
        help="refuse recordings that are older than so many days, 1 or more",
    )
    parser.add_argument(
        "--format", choices=["text", "json"], default="text", help="for people, or for machines"
    )
    parser.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    from databricks_serving.testing._verify.verifying import (  # noqa: PLC0415 - only when asked
        inspect_contract,
    )

    max_age = None if arguments.max_age is None else timedelta(days=arguments.max_age)
    report = inspect_contract(arguments.recordings, spec=arguments.spec, max_age=max_age)
    as_json = arguments.format == "json"
    print(json.dumps(report.to_dict(), indent=2) if as_json else report)
    return 0 if report.ok else 1


def _add_import(actions: Any) -> None:
    parser = actions.add_parser(
        "import",
        help="make recordings of a cassette of VCR or a HAR file",
        description="Make recordings of what another tool has recorded, without secrets, and put "
        "them beside those of a folder.",
        epilog="Exit status: 0 done, 1 there was nothing to make, 2 usage or unreadable.",
    )
    parser.add_argument("source", metavar="FILE", type=Path, help="a .yaml of VCR, or a .har")
    parser.add_argument("folder", metavar="DIR", type=Path, help="where the recordings go")
    parser.set_defaults(run=_import)


def _import(arguments: argparse.Namespace) -> int:
    from databricks_serving.testing._importing.files import (  # noqa: PLC0415 - only when asked
        import_recordings,
    )

    made = import_recordings(arguments.source, arguments.folder)
    print(made)
    return 0 if made.found else 1
