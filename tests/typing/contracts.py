"""What compares contracts, as a user's type checker sees it; never run."""

# pyright: strict

from pathlib import Path
from typing import assert_type

from databricks_serving import contract
from databricks_serving.contract import Bump, Comparison, Difference, Severity


def compare() -> None:
    comparison = contract.compare("installed", Path("openapi.yaml"))
    assert_type(comparison, Comparison)
    assert_type(contract.compare("git:HEAD", {"openapi": "3.1.0"}), Comparison)
    assert_type(comparison.differences, tuple[Difference, ...])
    assert_type(comparison.breaking, bool)
    assert_type(comparison.bump, Bump)
    assert_type(comparison.to_text(), str)
    assert_type(comparison.to_json(), str)
    for difference in comparison.differences:
        assert_type(difference.severity, Severity)
        assert_type(difference.severity.breaking, bool)
        assert_type(difference.path, str)
        assert_type(difference.message, str)


def misuse() -> None:
    contract.compare("a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    contract.compare(1, "b")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
