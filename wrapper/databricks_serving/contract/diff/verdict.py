"""The words in which a difference is judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Bump(Enum):
    """The part of the version that a difference moves."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    NONE = "none"


class Severity(Enum):
    """Whom a difference breaks; the most severe first."""

    CALLERS = "breaking for callers"
    READERS = "breaking for readers"
    COMPATIBLE = "compatible"
    NOTICE = "notice"

    @property
    def breaking(self) -> bool:
        """Whether code written against the old document may stop working."""
        return self in {Severity.CALLERS, Severity.READERS}

    @property
    def bump(self) -> Bump:
        """The version bump this severity asks for."""
        return _BUMPS[self]


_BUMPS = {
    Severity.CALLERS: Bump.MAJOR,
    Severity.READERS: Bump.MAJOR,
    Severity.COMPATIBLE: Bump.MINOR,
    Severity.NOTICE: Bump.PATCH,
}


class Direction(Enum):
    """Which way the values of a schema travel."""

    REQUEST = "request"
    RESPONSE = "response"


class Effect(Enum):
    """What a difference does to the set of values a schema describes."""

    NARROWED = "narrowed"
    WIDENED = "widened"
    CHANGED = "changed"
    EXTENDED = "extended"
    NOTED = "noted"


# Callers produce what a request describes, so it may only widen;
# readers consume what a response describes, so it may only narrow.
_SEVERITIES = {
    Direction.REQUEST: {
        Effect.NARROWED: Severity.CALLERS,
        Effect.WIDENED: Severity.COMPATIBLE,
        Effect.CHANGED: Severity.CALLERS,
        Effect.EXTENDED: Severity.COMPATIBLE,
        Effect.NOTED: Severity.NOTICE,
    },
    Direction.RESPONSE: {
        Effect.NARROWED: Severity.COMPATIBLE,
        Effect.WIDENED: Severity.READERS,
        Effect.CHANGED: Severity.READERS,
        Effect.EXTENDED: Severity.COMPATIBLE,
        Effect.NOTED: Severity.NOTICE,
    },
}


def severity_of(effect: Effect, direction: Direction) -> Severity:
    """Return whom an effect breaks when values travel in this direction."""
    return _SEVERITIES[direction][effect]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two documents.

    Attributes:
        severity: Whom it breaks.
        path: Where it is, readable, such as `components.schemas.ChatRequest.required`.
        rule: The name of the rule that judged it.
        message: One sentence for people.
    """

    severity: Severity
    path: str
    rule: str
    message: str


def overall_bump(differences: Iterable[Difference]) -> Bump:
    """Return the largest bump that any of the differences asks for."""
    asked = {difference.severity.bump for difference in differences}
    return next((bump for bump in Bump if bump in asked), Bump.NONE)
