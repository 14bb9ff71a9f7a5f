"""What holding recordings against a contract has come to."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where a recording is not as it should be. It shows no value of the recording.

    Attributes:
        recording: File of the recording.
        place: JSON path in the request, the body or an event, such as `body $.choices[0]`.
        expected: What should be there.
        found: What is there: its kind, not its value.
    """

    recording: str
    place: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.recording}: {self.place}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified, and what was found.

    Attributes:
        checked: Files of the recordings.
        findings: Where they are not as they should be.
    """

    checked: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __str__(self) -> str:
        broken = len({finding.recording for finding in self.findings})
        counted = f"{len(self.checked)} recordings"
        if not broken:
            return f"{counted} agree with the contract"
        lines = [f"  {finding}" for finding in self.findings]
        return "\n".join([f"{broken} of {counted} do not agree with the contract:", *lines])

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return {
            "checked": [*self.checked],
            "findings": [
                {
                    "recording": one.recording,
                    "place": one.place,
                    "expected": one.expected,
                    "found": one.found,
                }
                for one in self.findings
            ],
        }
