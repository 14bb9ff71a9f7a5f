"""Which scripted reply answers a request."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from databricks_serving._core.script import Step
from databricks_serving.testing._comparing import differences
from databricks_serving.testing._requests import RecordedRequest

Steps = Callable[[RecordedRequest, int], Iterable[Step]]


@dataclass(slots=True)
class Scripted:
    """A reply that waits for requests.

    Attributes:
        label: What it is, for messages.
        place: Where it was scripted.
        steps: Returns the steps of the answer to a request, which is given with its number.
        tasks: The tasks of the requests that it fits; None for all tasks of endpoints.
        endpoint: The endpoint that it is for; None for any.
        when: What a request must be; None for any.
        times: How many requests it answers; None for any number.
        streamed: Whether it is for requests of streams alone.
        first: Whether it goes before all others, as long as it fits.
        used: How many requests it has answered.
    """

    label: str
    place: str
    steps: Steps = field(repr=False)
    tasks: frozenset[str] | None
    endpoint: str | None = None
    when: Callable[[RecordedRequest], object] | Mapping[str, Any] | None = None
    times: int | None = 1
    streamed: bool = False
    first: bool = False
    used: int = 0

    @property
    def rank(self) -> int:
        """Its turn: those for any number of requests come after those for a number of them."""
        return 0 if self.first else 2 if self.times is None else 1

    @property
    def left(self) -> bool:
        """Whether it has an answer left."""
        return self.times is None or self.used < self.times

    @property
    def missing(self) -> int:
        """How many requests it still waits for."""
        return 0 if self.times is None else self.times - self.used

    def misfit(self, request: RecordedRequest) -> str | None:
        """Return why it is not for a request; None if it is."""
        if self.endpoint is not None and self.endpoint != request.endpoint:
            return f"it is for endpoint {self.endpoint!r}"
        if self.tasks is None and request.task in {"endpoints", "token"}:
            return f"it is not for requests of this kind, unless task={request.task!r}"
        if self.tasks is not None and request.task not in self.tasks:
            return f"it answers {' or '.join(sorted(self.tasks))}, not {request.task}"
        if self.streamed and not request.stream:
            return "it is a stream, and a whole answer is asked for"
        if self.when is None or callable(self.when):
            fits = self.when is None or self.when(request)
            return None if fits else "when= says no"
        wrong = [str(one) for one in differences(self.when, request.body, "")]
        return f"when= does not fit: {'; '.join(wrong)}" if wrong else None

    def __str__(self) -> str:
        where = "" if self.endpoint is None else f" for endpoint {self.endpoint!r}"
        often = f", {self.missing} times" if self.missing > 1 else ""
        return f"{self.label}{where}{often} ({self.place})"


class Book:
    """The scripted replies, in order."""

    def __init__(self) -> None:
        self._scripted: list[Scripted] = []

    def add(self, scripted: Scripted) -> None:
        """Add one at the end."""
        self._scripted.append(scripted)

    def take(self, request: RecordedRequest) -> Scripted | None:
        """Use up the first that fits."""
        for scripted in sorted(self.left, key=lambda one: one.rank):
            if scripted.misfit(request) is None:
                scripted.used += 1
                return scripted
        return None

    @property
    def left(self) -> list[Scripted]:
        """Those that still have an answer."""
        return [one for one in self._scripted if one.left]

    @property
    def waiting(self) -> list[Scripted]:
        """Those that have not answered all the requests that they are for."""
        return [one for one in self._scripted if one.missing]

    def __len__(self) -> int:
        return len(self._scripted)
