"""Answers as scripts: what a transport of the test kit is to do, step by step."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

Breakage = Literal["refused", "connect_timeout", "reset", "closed", "malformed"]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it was sent. Its repr shows neither headers nor body: they hold secrets."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of an answer; the first step that is neither a wait nor a break."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds that pass, for ever if they are infinite."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Break:
    """How the connection ends: never made, reset, closed before the end, or no HTTP at all."""

    kind: Breakage


Step = Head | Wait | Break | bytes
Answering = Callable[[Sent], Iterable[Step]]
