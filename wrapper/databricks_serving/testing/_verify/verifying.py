"""Folders of recordings, held against a contract."""

import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from databricks_serving.errors import ServingError
from databricks_serving.testing._ages import check_age, is_older
from databricks_serving.testing._errors import (
    ContractViolationError,
    ContractWarning,
    RecordingError,
)
from databricks_serving.testing._folders import recordings_in
from databricks_serving.testing._recording import KEYS, Recording
from databricks_serving.testing._verify.checking import Case, check
from databricks_serving.testing._verify.contract import Contract
from databricks_serving.testing._verify.report import Finding, Notice, Report
from databricks_serving.testing._verify.unknown import LONGEST, nearest

TASKS: Final = ("agents", "chat", "completions", "embeddings", "predictions", "responses")
# A key of somebody's own is common in recordings, and need not be like ours.
_NEAR: Final = 0.75


def inspect_contract(
    path: str | Path,
    *,
    spec: str | Path | Mapping[str, Any] | None = None,
    max_age: timedelta | None = None,
) -> Report:
    """Hold recordings against a contract and the typed models, and return what was found.

    Args:
        path: A recording, or a folder of them, folders below included, except hidden ones,
            environments and `node_modules`. In a recording without a path, the name of its folder
            may tell its task, such as `chat`.
        spec: The contract: an OpenAPI 3.1 document, as a file or as an object; by default that of
            this package.
        max_age: Age beyond which a recording must be made anew; None for any. One without a date
            is noticed then; a date without a zone is taken for UTC.

    Raises:
        RecordingError: When there is no recording, or a folder cannot be read.
        InvalidRequestError: When the contract cannot be used, or `max_age` is no time above zero.
        ConfigError: When jsonschema is not installed.
    """
    check_age(max_age)
    contract = Contract.load(spec)
    root = Path(path)
    files = recordings_in(root) if root.is_dir() else [root]
    if not root.exists():
        raise RecordingError(f"{path}: no such file or directory")
    if not files:
        raise RecordingError(
            f"{path}: no recordings there: record them first, with `pytest --serving-record` or "
            "Cassette(..., mode='all')"
        )
    now = datetime.now(UTC)
    told: list[Finding | Notice] = []
    for file in files:
        name = str(file.relative_to(root)) if file != root else file.name
        try:
            recording = Recording.read(file)
        except RecordingError as error:
            told.append(Finding(name, "file", "a recording", str(error).removeprefix(f"{file}: ")))
            continue
        if max_age is not None:
            told += _aged(recording.recorded, name, max_age, now)
        told += _misspelt(recording, name)
        told += check(Case(recording, name, _task(file, recording)), contract)
    return Report(
        tuple(map(str, files)),
        tuple(one for one in told if isinstance(one, Finding)),
        tuple(one for one in told if isinstance(one, Notice)),
    )


def verify_contract(
    path: str | Path,
    *,
    spec: str | Path | Mapping[str, Any] | None = None,
    max_age: timedelta | None = None,
) -> Report:
    """Hold recordings against a contract and the typed models: a contract test in one line.

    What may be a mistake and breaks nothing is a `ContractWarning`.

    Args:
        path: As for `inspect_contract`.
        spec: As for `inspect_contract`.
        max_age: As for `inspect_contract`.

    Raises:
        ContractViolationError: When something does not agree; its message names each recording, the
            JSON path and what was expected.
        RecordingError: When there is no recording, or a folder cannot be read.
        InvalidRequestError: When the contract cannot be used, or `max_age` is no time above zero.
        ConfigError: When jsonschema is not installed.
    """
    __tracebackhide__ = True
    try:
        report = inspect_contract(path, spec=spec, max_age=max_age)
    except ServingError as error:
        # The message says what to do; pytest would show how it was found out.
        raise error.with_traceback(None) from None
    if not report.ok:
        raise ContractViolationError(str(report))
    if report.notices:
        warnings.warn("\n".join(report.noticed()), ContractWarning, stacklevel=2)
    return report


def _aged(
    made: datetime | None, name: str, max_age: timedelta, now: datetime
) -> Iterator[Finding | Notice]:
    if made is None:
        yield Notice(name, "recorded", "there is no date, so its age is not known")
    elif is_older(made, max_age, now):
        yield Finding(name, "recorded", f"at most {max_age.days} days ago", f"{made:%Y-%m-%d}")


def _misspelt(recording: Recording, name: str) -> Iterator[Notice]:
    for key in recording.extra:
        near = nearest(key, KEYS, _NEAR)
        if near:
            message = f"recordings have no such key; did you mean {near!r}?"
            yield Notice(name, f"file $.{key:.{LONGEST}}", message)


def _task(file: Path, recording: Recording) -> str | None:
    named = recording.path is None and file.parent.name in TASKS
    return file.parent.name if named else None
