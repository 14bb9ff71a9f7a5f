"""A whole reply put together from the events of a stream."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from databricks_serving._core.choices import ChatChoice, TextChoice, join_values
from databricks_serving.events import ChatEvent, ChunkEvent, CompletionEvent
from databricks_serving_api.models import (
    ChatCompletion,
    ChatCompletionChunk,
    Completion,
    CompletionChunk,
    PredictionResponse,
)
from databricks_serving_api.types import dump

ChunkT_contra = TypeVar("ChunkT_contra", contravariant=True)
EventT_co = TypeVar("EventT_co", covariant=True)
ReplyT_co = TypeVar("ReplyT_co", covariant=True)


class Accumulator(Protocol[ChunkT_contra, EventT_co, ReplyT_co]):
    """Takes in chunks, tells what is new, and shows the reply so far."""

    def add(self, chunk: ChunkT_contra, /) -> Iterable[EventT_co]:
        """Take in a chunk and return what is new in it."""
        ...

    def snapshot(self) -> ReplyT_co:
        """Return the reply so far."""
        ...

    @property
    def finished(self) -> int:
        """How many answers have finished; 0 while one that began has not."""
        ...


class _State(Protocol):
    finish_reason: str | None

    def to_dict(self) -> dict[str, Any]: ...


StateT = TypeVar("StateT", bound=_State)


class _Envelope:
    """What a reply holds beside its choices."""

    __slots__ = ("_data", "_extras")

    # Some gateways send these empty at first; the first real value stays.
    _FIRST = ("id", "created", "model")
    _LAST = (
        "usage",
        "system_fingerprint",
        "service_tier",
        "databricks_output",
        "custom_outputs",
        "databricks_service_policy",
    )

    def __init__(self, object_: str) -> None:
        self._data: dict[str, Any] = {"object": object_}
        self._extras: dict[str, Any] = {}

    def add(self, chunk: ChatCompletionChunk | CompletionChunk) -> None:
        data = self._data
        for key in self._FIRST:
            if not data.get(key):
                data[key] = getattr(chunk, key)
        for key in self._LAST:
            value = getattr(chunk, key, None)
            if value is not None:
                data[key] = value
        join_values(self._extras, chunk.extra)

    def to_dict(self) -> dict[str, Any]:
        known = {key: dump(value) for key, value in self._data.items() if value is not None}
        return {**self._extras, **known}


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

    def to_list(self) -> list[dict[str, Any]]:
        return [self._states[index].to_dict() for index in sorted(self._states)]

    @property
    def finished(self) -> int:
        return len(self._states) if all(s.finish_reason for s in self._states.values()) else 0


class ChatAccumulator:
    """Puts a chat answer together."""

    __slots__ = ("_choices", "_envelope")

    def __init__(self) -> None:
        self._envelope = _Envelope("chat.completion")
        self._choices = _Choices(ChatChoice)

    def add(self, chunk: ChatCompletionChunk) -> Iterable[ChatEvent]:
        """Take in a chunk and return what is new in it."""
        self._envelope.add(chunk)
        events: list[ChatEvent] = [ChunkEvent(chunk)]
        for choice in chunk.choices:
            events.extend(self._choices.of(choice.index).add(choice))
        return events

    def snapshot(self) -> ChatCompletion:
        """Return the answer so far."""
        data = {**self._envelope.to_dict(), "choices": self._choices.to_list()}
        return ChatCompletion.from_dict(data)

    @property
    def finished(self) -> int:
        """How many answers have finished; 0 while one that began has not."""
        return self._choices.finished


class CompletionAccumulator:
    """Puts a completion together."""

    __slots__ = ("_choices", "_envelope")

    def __init__(self) -> None:
        self._envelope = _Envelope("text_completion")
        self._choices = _Choices(TextChoice)

    def add(self, chunk: CompletionChunk) -> Iterable[CompletionEvent]:
        """Take in a chunk and return what is new in it."""
        self._envelope.add(chunk)
        events: list[CompletionEvent] = [ChunkEvent(chunk)]
        for choice in chunk.choices:
            events.extend(self._choices.of(choice.index).add(choice))
        return events

    def snapshot(self) -> Completion:
        """Return the completion so far."""
        data = {**self._envelope.to_dict(), "choices": self._choices.to_list()}
        return Completion.from_dict(data)

    @property
    def finished(self) -> int:
        """How many completions have finished; 0 while one that began has not."""
        return self._choices.finished


@dataclass(frozen=True, slots=True)
class JsonEvent:
    """One event of a custom model: any JSON."""

    value: Any


class JsonAccumulator:
    """Keeps the events of a custom model: what they mean together is known to the model alone."""

    __slots__ = ("_values",)

    finished = 0

    def __init__(self) -> None:
        self._values: list[Any] = []

    def add(self, chunk: JsonEvent) -> Iterable[Any]:
        """Take in an event and return its JSON."""
        self._values.append(chunk.value)
        return (chunk.value,)

    def snapshot(self) -> PredictionResponse:
        """Return the events so far as predictions."""
        return PredictionResponse(predictions=list(self._values))
