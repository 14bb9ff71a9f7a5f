"""What an import has come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from databricks_serving.testing._recording import Recording

PassedOver = Literal["other_traffic", "login", "no_answer", "already_there"]

_REASONS: Final[Mapping[PassedOver, str]] = {
    "other_traffic": "not with a model-serving endpoint",
    "login": "a request for a token, which is never recorded",
    "no_answer": "without an answer",
    "already_there": "in the folder already",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What was made of another tool's file. Its text is a report.

    Attributes:
        folder: Where the recordings are.
        recordings: Those that were written now.
        passed_over: How many exchanges were not, by reason: `other_traffic` are not with a
            model-serving endpoint, `login` are requests for tokens, `no_answer` have none, and
            `already_there` are in the folder just so.
    """

    folder: Path
    recordings: Sequence[Recording]
    passed_over: Mapping[PassedOver, int]

    @property
    def found(self) -> bool:
        """Whether the file has exchanges that make recordings, new or not."""
        return bool(self.recordings or self.passed_over.get("already_there"))

    def __str__(self) -> str:
        count = len(self.recordings)
        lines = [f"{count} recording{'' if count == 1 else 's'} written to {self.folder}"]
        lines += [
            f"{self.passed_over[reason]} passed over: {text}"
            for reason, text in _REASONS.items()
            if self.passed_over.get(reason)
        ]
        return "\n".join(lines)
