"""A whole reply put together from the events of a stream."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from databricks_serving._core.content import GrowingContent
from databricks_serving._core.tool_calls import ToolCallList
from databricks_serving.events import (
    ChatEvent,
    ChunkEvent,
    CompletionEvent,
    FinishEvent,
    ReasoningDeltaEvent,
    RefusalDeltaEvent,
    TextDeltaEvent,
    ToolCallDeltaEvent,
    ToolCallDoneEvent,
)
from databricks_serving_api.models import (
    ChatChunkChoice,
    ChatCompletion,
    ChatCompletionChunk,
    ChatDelta,
    ChatLogprobs,
    Completion,
    CompletionChoice,
    CompletionChunk,
    ToolCall,
    ToolCallDelta,
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
    def complete(self) -> bool:
        """Whether an answer has begun and every one begun has finished."""
        ...


class _State(Protocol):
    finish_reason: str | None

    def to_dict(self) -> dict[str, Any]: ...


StateT = TypeVar("StateT", bound=_State)


class _Envelope:
    """What a reply holds beside its choices."""

    __slots__ = ("_data",)

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

    def add(self, chunk: ChatCompletionChunk | CompletionChunk) -> None:
        data = self._data
        for key in self._FIRST:
            if not data.get(key):
                data[key] = getattr(chunk, key)
        for key in self._LAST:
            value = getattr(chunk, key, None)
            if value is not None:
                data[key] = value

    def to_dict(self) -> dict[str, Any]:
        return {key: dump(value) for key, value in self._data.items() if value is not None}


class _ChatChoice:
    """One answer as far as it has arrived."""

    __slots__ = (
        "_content",
        "_extras",
        "_logprobs",
        "_refusal",
        "_texts",
        "calls",
        "finish_reason",
        "index",
    )

    def __init__(self, index: int) -> None:
        self.index = index
        self.finish_reason: str | None = None
        self.calls = ToolCallList()
        self._content = GrowingContent()
        self._refusal: list[str] = []
        self._logprobs: dict[str, list[Any]] = {}
        # Texts that grow under keys beside the content, and keys that the contract does not know.
        self._texts: dict[str, list[str]] = {}
        self._extras: dict[str, Any] = {}

    def add(self, choice: ChatChunkChoice) -> Iterable[ChatEvent]:
        delta = choice.delta
        content = delta.content
        self._content.add(dump(content) if isinstance(content, list) else content)
        self._add_siblings(delta)
        if choice.logprobs is not None:
            self._add_logprobs(choice.logprobs)
        if delta.text:
            yield TextDeltaEvent(delta.text, self.index)
        if delta.reasoning_text:
            yield ReasoningDeltaEvent(delta.reasoning_text, self.index)
        if delta.refusal:
            self._refusal.append(delta.refusal)
            yield RefusalDeltaEvent(delta.refusal, self.index)
        for piece in delta.tool_calls or ():
            yield self._add_tool_call(piece)
        # Some gateways send an empty text until the end.
        if choice.finish_reason and not self.finish_reason:
            self.finish_reason = choice.finish_reason
            yield from self._finish(choice.finish_reason)

    def to_dict(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": self._content.result()}
        message |= self._extras | {key: "".join(text) for key, text in self._texts.items()}
        if self._refusal:
            message["refusal"] = "".join(self._refusal)
        if self.calls.calls:
            message["tool_calls"] = [call.to_dict() for call in self.calls.calls]
        choice: dict[str, Any] = {"index": self.index, "message": message}
        choice["finish_reason"] = self.finish_reason
        if self._logprobs:
            choice["logprobs"] = self._logprobs
        return choice

    def _add_siblings(self, delta: ChatDelta) -> None:
        for key in ("reasoning_content", "reasoning"):
            value = getattr(delta, key)
            if isinstance(value, str):
                self._texts.setdefault(key, []).append(value)
            elif value is not None:
                self._extras[key] = value
        for key, value in delta.extra.items():
            before = self._extras.get(key)
            if isinstance(before, list) and isinstance(value, list):
                self._extras[key] = before + value
            else:
                self._extras[key] = value

    def _add_logprobs(self, logprobs: ChatLogprobs) -> None:
        for key in ("content", "refusal"):
            tokens = getattr(logprobs, key)
            if tokens is not None:
                self._logprobs.setdefault(key, []).extend(dump(tokens))

    def _add_tool_call(self, piece: ToolCallDelta) -> ChatEvent:
        call = self.calls.find(piece)
        fragment = call.add(piece)
        return ToolCallDeltaEvent(fragment, call.position, call.id, call.name, self.index)

    def _finish(self, reason: str) -> Iterable[ChatEvent]:
        for call in self.calls.calls:
            done = ToolCall.from_dict(call.to_dict())
            yield ToolCallDoneEvent(done, call.position, self.index)
        yield FinishEvent(reason, self.index)


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
    def complete(self) -> bool:
        return bool(self._states) and all(s.finish_reason for s in self._states.values())


class ChatAccumulator:
    """Puts a chat answer together."""

    __slots__ = ("_choices", "_envelope")

    def __init__(self) -> None:
        self._envelope = _Envelope("chat.completion")
        self._choices = _Choices(_ChatChoice)

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
    def complete(self) -> bool:
        """Whether an answer has begun and every one begun has finished."""
        return self._choices.complete


class _TextChoice:
    """One completion as far as it has arrived."""

    __slots__ = ("_logprobs", "_text", "finish_reason", "index")

    def __init__(self, index: int) -> None:
        self.index = index
        self.finish_reason: str | None = None
        self._text: list[str] = []
        self._logprobs: dict[str, Any] = {}

    def add(self, choice: CompletionChoice) -> Iterable[CompletionEvent]:
        if choice.logprobs is not None:
            self._add_logprobs(choice.logprobs)
        if choice.text:
            self._text.append(choice.text)
            yield TextDeltaEvent(choice.text, self.index)
        # Some gateways send an empty text until the end.
        if choice.finish_reason and not self.finish_reason:
            self.finish_reason = choice.finish_reason
            yield FinishEvent(choice.finish_reason, self.index)

    def to_dict(self) -> dict[str, Any]:
        choice = {"index": self.index, "text": "".join(self._text)}
        logprobs = {"logprobs": self._logprobs} if self._logprobs else {}
        return {**choice, "finish_reason": self.finish_reason, **logprobs}

    def _add_logprobs(self, logprobs: dict[str, Any]) -> None:
        # Both known forms hold lists that run along the tokens.
        for key, value in logprobs.items():
            if isinstance(value, list):
                self._logprobs[key] = [*self._logprobs.get(key, ()), *value]
            else:
                self._logprobs[key] = value


class CompletionAccumulator:
    """Puts a completion together."""

    __slots__ = ("_choices", "_envelope")

    def __init__(self) -> None:
        self._envelope = _Envelope("text_completion")
        self._choices = _Choices(_TextChoice)

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
    def complete(self) -> bool:
        """Whether a completion has begun and every one begun has finished."""
        return self._choices.complete
