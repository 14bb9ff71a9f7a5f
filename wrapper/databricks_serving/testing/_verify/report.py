"""What holding recordings against a contract has come to."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

# So many notices are written out for people; the rest are counted.
_MOST: Final = 20


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
class Notice:
    """Something about a recording that may be right, and should be looked at. It shows no value.

    Attributes:
        recording: File of the recording.
        place: JSON path in the request, the body or an event, such as `request $.max_token`.
        message: What was noticed.
    """

    recording: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.recording}: {self.place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified, and what was found.

    Attributes:
        checked: Files of the recordings.
        findings: Where they are not as they should be.
        notices: What may be a mistake and breaks nothing, such as a key that the contract does not
            name: at most ten of each recording.
    """

    checked: tuple[str, ...]
    findings: tuple[Finding, ...]
    notices: tuple[Notice, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found; notices do not count."""
        return not self.findings

    def __str__(self) -> str:
        return "\n".join([*self._findings(), *self.noticed()])

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return {
            "checked": [*self.checked],
            "findings": [asdict(one) for one in self.findings],
            "notices": [asdict(one) for one in self.notices],
        }

    def _findings(self) -> Iterator[str]:
        broken, total = len({one.recording for one in self.findings}), len(self.checked)
        counted = f"{total} {'recording' if total == 1 else 'recordings'}"
        if not broken:
            yield f"{counted} {'agrees' if total == 1 else 'agree'} with the contract"
            return
        verb = "does" if broken == 1 else "do"
        yield f"{broken} of {counted} {verb} not agree with the contract:"
        yield from (f"  {one}" for one in self.findings)

    def noticed(self) -> Iterator[str]:
        """Yield the notices as lines for people, those that differ in the recording only as one."""
        alike: dict[tuple[str, str], list[Notice]] = {}
        for one in self.notices:
            alike.setdefault((one.place, one.message), []).append(one)
        if not alike:
            return
        total = len(self.notices)
        yield (
            "1 notice, which breaks nothing:"
            if total == 1
            else f"{total} notices, which break nothing:"
        )
        groups = [*alike.values()]
        for first, *more in groups[:_MOST]:
            yield f"  {first}{f' (and {len(more)} more like it)' if more else ''}"
        left = sum(map(len, groups[_MOST:]))
        if left:
            yield f"  ... and {left} more; `--format json` has them all"
