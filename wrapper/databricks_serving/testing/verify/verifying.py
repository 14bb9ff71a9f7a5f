"""Folders of recordings, held against a contract."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from databricks_serving.testing.errors import ContractViolationError, RecordingError
from databricks_serving.testing.recording import Recording
from databricks_serving.testing.verify.checking import Case, check
from databricks_serving.testing.verify.contract import Contract
from databricks_serving.testing.verify.report import Finding, Report

TASKS: Final = ("agents", "chat", "completions", "embeddings", "predictions", "responses")


def inspect_contract(
    path: str | Path,
    *,
    spec: str | Path | Mapping[str, Any] | None = None,
    max_age: timedelta | None = None,
) -> Report:
    """Hold recordings against a contract and the typed models, and return what was found.

    Args:
        path: A recording, or a folder of them, folders below included. In a recording without a
            path, the name of its folder may tell its task, such as `chat`.
        spec: The contract: an OpenAPI 3.1 document, as a file or as an object; by default that of
            this package.
        max_age: Age beyond which a recording must be made anew; None for any.

    Raises:
        RecordingError: When there is no recording.
        ContractError: When the contract cannot be used.
        ConfigError: When jsonschema is not installed.
    """
    contract = Contract.load(spec)
    root = Path(path)
    files = sorted(root.rglob("*.json")) if root.is_dir() else [root]
    if not files or not root.exists():
        raise RecordingError(f"{path}: no recordings")
    oldest = None if max_age is None else datetime.now(UTC) - max_age
    findings: list[Finding] = []
    for file in files:
        findings += _findings(
            file, str(file.relative_to(root)) if file != root else file.name, contract, oldest
        )
    return Report(tuple(map(str, files)), tuple(findings))


def verify_contract(
    path: str | Path,
    *,
    spec: str | Path | Mapping[str, Any] | None = None,
    max_age: timedelta | None = None,
) -> Report:
    """Hold recordings against a contract and the typed models: a contract test in one line.

    Args:
        path: As for `inspect_contract`.
        spec: As for `inspect_contract`.
        max_age: As for `inspect_contract`.

    Raises:
        ContractViolationError: When something does not agree; its message names each recording, the
            JSON path and what was expected.
        RecordingError: When there is no recording.
        ContractError: When the contract cannot be used.
        ConfigError: When jsonschema is not installed.
    """
    report = inspect_contract(path, spec=spec, max_age=max_age)
    if not report.ok:
        raise ContractViolationError(str(report))
    return report


def _findings(
    file: Path, name: str, contract: Contract, oldest: datetime | None
) -> Iterator[Finding]:
    try:
        recording = Recording.read(file)
    except RecordingError as error:
        reason = str(error).removeprefix(f"{file}: ")
        yield Finding(name, "file", "a recording", reason)
        return
    made = recording.recorded
    if oldest is not None and made is not None and made.astimezone(UTC) < oldest:
        yield Finding(name, "recorded", f"{oldest:%Y-%m-%d} or later", f"{made:%Y-%m-%d}")
    task = file.parent.name if recording.path is None and file.parent.name in TASKS else None
    yield from check(Case(recording, name, task), contract)
