"""What a comparison found, for people and for machines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from databricks_serving.contract.diff.compare import compare as differences_of
from databricks_serving.contract.diff.loading import load_both
from databricks_serving.contract.diff.verdict import Bump, Difference, Severity, overall_bump

if TYPE_CHECKING:
    from databricks_serving.contract.diff.loading import Source


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two versions of a contract.

    Attributes:
        differences: Every difference, the most severe first.
    """

    differences: tuple[Difference, ...]

    @property
    def breaking(self) -> bool:
        """Whether code written against the old version may stop working."""
        return any(difference.severity.breaking for difference in self.differences)

    @property
    def bump(self) -> Bump:
        """The part of the version that the differences move."""
        return overall_bump(self.differences)

    def to_text(self) -> str:
        """Return a table, grouped by severity, with the version bump as its last line."""
        if not self.differences:
            return "no differences"
        lines: list[str] = []
        for severity in Severity:
            group = [each for each in self.differences if each.severity is severity]
            if group:
                lines += [f"{severity.value} ({severity.bump.value}): {len(group)}"]
                lines += [*_rows(group), ""]
        return "\n".join([*lines, f"version bump: {self.bump.value}"])

    def to_json(self) -> str:
        """Return the differences as JSON text: `bump`, and `differences` as a list of objects."""
        rows = [
            {
                "class": each.severity.value,
                "path": each.path,
                "rule": each.rule,
                "message": each.message,
                "bump": each.severity.bump.value,
            }
            for each in self.differences
        ]
        found = {"bump": self.bump.value, "differences": rows}
        return json.dumps(found, indent=2, ensure_ascii=False)


def _rows(group: list[Difference]) -> list[str]:
    width = max(len(each.path) for each in group)
    return [f"  {each.path:<{width}}  {each.message}" for each in group]


def compare(old: Source, new: Source) -> Comparison:
    """Say whom each difference between two versions of a contract breaks.

    Args:
        old: The older version: `installed` for the contract that this package was made from, the
            path of an OpenAPI document (YAML or JSON), `git:REV` for the other file as it was at a
            revision, `git:REV:PATH` for any file, or the document itself as a mapping.
        new: The newer version, in the same ways.

    Raises:
        ConfigError: When a document is YAML and what reads it is not installed.
        InvalidRequestError: When a document cannot be read, or is not an OpenAPI document.
    """
    return Comparison(tuple(differences_of(*load_both(old, new))))
