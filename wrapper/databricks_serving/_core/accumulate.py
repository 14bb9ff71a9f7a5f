"""A whole reply put together from the events of a stream."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from databricks_serving._core.choices import ChatChoice, Json, TextChoice, Told, join_values
from databricks_serving._core.plain import Piece, chat_piece, completion_piece
from databricks_serving.events import ChunkEvent, TextDeltaEvent
from databricks_serving_api.models import ChatCompletion, Completion, PredictionResponse
from databricks_serving_api.types import dump

ReplyT_co = TypeVar("ReplyT_co", covariant=True)


class Accumulator(Protocol[ReplyT_co]):
    """Takes in events as decoded JSON, tells what is new, and shows the reply so far."""

    def add(self, data: Any, /) -> Told:
        """Take in an event, checked and completed, and return what is new in it."""
        ...

    def add_plain(self, data: Any, /) -> Told | None:
        """Take in an event as it came if it is a plain one, which needs no checks; else None."""
        ...

    def snapshot(self) -> ReplyT_co:
        """Return the reply so far."""
        ...

    @property
    def finished(self) -> int:
        """How many answers have finished; 0 while one that began has not."""
        ...


def events_of(chunk: Any, told: Told) -> Iterable[Any]:
    """Return the events of a chunk: itself, and what is new in it."""
    return [ChunkEvent(chunk), *[TextDeltaEvent(t) if isinstance(t, str) else t for t in told]]


class _State(Protocol):
    finish_reason: str | None

    def add(self, choice: Json, told: Told) -> None: ...

    def add_text(self, text: str) -> Told: ...

    def to_dict(self) -> Json: ...


StateT = TypeVar("StateT", bound=_State)


class _Envelope:
    """What a reply holds beside its choices.

    Args:
        object_: The kind of the reply.
        last: Keys whose last value counts.
    """

    __slots__ = ("_data", "_extras", "_last", "_named")

    # Some gateways send these empty at first; the first real value stays.
    _FIRST = ("id", "created", "model")
    _PLAIN: Final = frozenset({*_FIRST, "object", "choices"})

    def __init__(self, object_: str, last: Iterable[str]) -> None:
        self._data: Json = {"object": object_}
        self._extras: Json = {}
        self._last = frozenset(last)
        self._named = False

    def add(self, data: Json) -> None:
        if not self._named:
            self._name(data)
        if not data.keys() <= self._PLAIN:
            self._add_rest(data)

    def to_dict(self) -> Json:
        known = {key: dump(value) for key, value in self._data.items() if value is not None}
        return {**self._extras, **known}

    def _name(self, data: Json) -> None:
        known = self._data
        for key in self._FIRST:
            if not known.get(key):
                known[key] = data.get(key)
        self._named = all(known[key] for key in self._FIRST)

    def _add_rest(self, data: Json) -> None:
        for key, value in data.items():
            if key in self._PLAIN or value is None:
                continue
            if key in self._last:
                self._data[key] = value
            else:
                join_values(self._extras, {key: value})


class _Choices(Generic[StateT]):
    """The answers of one reply by their number."""

    __slots__ = ("_new", "_states")

    def __init__(self, new: Callable[[int], StateT]) -> None:
        self._new = new
        self._states: dict[int, StateT] = {}

    def of(self, index: int) -> StateT:
        state = self._states.get(index)
        if state is None:
            state = self._states[index] = self._new(index)
        return state

    def add(self, choices: list[Json]) -> Told:
        told: Told = []
        for choice in choices:
            self.of(choice["index"]).add(choice, told)
        return told

    def to_list(self) -> list[Json]:
        return [self._states[index].to_dict() for index in sorted(self._states)]

    @property
    def finished(self) -> int:
        return len(self._states) if all(s.finish_reason for s in self._states.values()) else 0


class _ChoiceAccumulator(Generic[StateT]):
    """Puts answers of several choices together.

    Args:
        envelope: What a reply holds beside them.
        new: Begins a choice of a number.
        piece_of: Returns what an event says, if it is a plain one.
    """

    __slots__ = ("_choices", "_envelope", "_piece_of")

    def __init__(
        self,
        envelope: _Envelope,
        new: Callable[[int], StateT],
        piece_of: Callable[[Json], Piece | None],
    ) -> None:
        self._envelope = envelope
        self._choices = _Choices(new)
        self._piece_of = piece_of

    def add(self, data: Json) -> Told:
        """Take in a chunk and return what is new in it."""
        self._envelope.add(data)
        return self._choices.add(data["choices"])

    def add_plain(self, data: Json) -> Told | None:
        """Take in a chunk as it came if it is a plain one, which needs no checks; else None."""
        piece = self._piece_of(data)
        if piece is None:
            return None
        self._envelope.add(data)
        index, text = piece
        return self._choices.of(index).add_text(text)

    @property
    def finished(self) -> int:
        """How many answers have finished; 0 while one that began has not."""
        return self._choices.finished

    def _to_dict(self) -> Json:
        return {**self._envelope.to_dict(), "choices": self._choices.to_list()}


class ChatAccumulator(_ChoiceAccumulator[ChatChoice]):
    """Puts a chat answer together."""

    __slots__ = ()

    _LAST = (
        "usage",
        "system_fingerprint",
        "service_tier",
        "databricks_output",
        "custom_outputs",
        "databricks_service_policy",
    )

    def __init__(self) -> None:
        super().__init__(_Envelope("chat.completion", self._LAST), ChatChoice, chat_piece)

    def snapshot(self) -> ChatCompletion:
        """Return the answer so far."""
        return ChatCompletion.from_dict(self._to_dict())


class CompletionAccumulator(_ChoiceAccumulator[TextChoice]):
    """Puts a completion together."""

    __slots__ = ()

    def __init__(self) -> None:
        envelope = _Envelope("text_completion", ("usage", "system_fingerprint"))
        super().__init__(envelope, TextChoice, completion_piece)

    def snapshot(self) -> Completion:
        """Return the completion so far."""
        return Completion.from_dict(self._to_dict())


@dataclass(frozen=True, slots=True)
class JsonEvent:
    """One event of a custom model: any JSON."""

    value: Any


def values_of(event: JsonEvent, _told: Told) -> Iterable[Any]:
    """Return what an event of a custom model is to its reader: its JSON."""
    return (event.value,)


class JsonAccumulator:
    """Keeps the events of a custom model: what they mean together is known to the model alone."""

    __slots__ = ("_values",)

    finished = 0

    def __init__(self) -> None:
        self._values: list[Any] = []

    def add(self, data: Any) -> Told:
        """Take in an event; whether there is text in it, nobody knows."""
        self._values.append(data)
        return []

    def add_plain(self, _data: Any) -> None:
        """Say that an event goes the long way."""

    def snapshot(self) -> PredictionResponse:
        """Return the events so far as predictions."""
        return PredictionResponse(predictions=list(self._values))
