"""One answer of a reply, put together from the pieces in which it is streamed."""

from collections.abc import Iterable
from typing import Any

from databricks_serving._core.content import GrowingContent
from databricks_serving._core.json_codec import is_list
from databricks_serving._core.tool_calls import GrowingFunction, ToolCallList
from databricks_serving.events import (
    ChatEvent,
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
    ChatDelta,
    ChatLogprobs,
    CompletionChoice,
    ToolCall,
    ToolCallDelta,
)
from databricks_serving_api.types import dump


class ChatChoice:
    """One chat answer as far as it has arrived."""

    __slots__ = (
        "_calls",
        "_content",
        "_extras",
        "_function",
        "_logprobs",
        "_message_extras",
        "_texts",
        "finish_reason",
        "index",
    )

    def __init__(self, index: int) -> None:
        self.index = index
        self.finish_reason: str | None = None
        self._content = GrowingContent()
        self._calls = ToolCallList()
        self._function: GrowingFunction | None = None
        # Texts that grow under keys beside the content, and keys that the contract does not know.
        self._texts: dict[str, list[str]] = {}
        self._message_extras: dict[str, Any] = {}
        self._logprobs: dict[str, Any] = {}
        self._extras: dict[str, Any] = {}

    def add(self, choice: ChatChunkChoice) -> Iterable[ChatEvent]:
        """Take in a piece and yield what is new in it."""
        delta = choice.delta
        self._content.add(dump(delta.content))
        self._add_siblings(delta)
        if choice.logprobs is not None:
            self._add_logprobs(choice.logprobs)
        join_values(self._extras, choice.extra)
        if delta.text:
            yield TextDeltaEvent(delta.text, self.index)
        if delta.reasoning_text:
            yield ReasoningDeltaEvent(delta.reasoning_text, self.index)
        if delta.refusal:
            yield RefusalDeltaEvent(delta.refusal, self.index)
        for piece in delta.tool_calls or ():
            yield self._add_tool_call(piece)
        # Some gateways send an empty text until the end.
        if choice.finish_reason and not self.finish_reason:
            self.finish_reason = choice.finish_reason
            yield from self._finish(choice.finish_reason)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as a whole reply would hold it."""
        message: dict[str, Any] = {"role": "assistant", "content": self._content.result()}
        message |= self._message_extras | {key: "".join(text) for key, text in self._texts.items()}
        if self._calls.calls:
            message["tool_calls"] = [call.to_dict() for call in self._calls.calls]
        if self._function is not None:
            message["function_call"] = self._function.to_dict()
        logprobs = {"logprobs": self._logprobs} if self._logprobs else {}
        known = {"index": self.index, "message": message, "finish_reason": self.finish_reason}
        return {**self._extras, **known, **logprobs}

    def _add_siblings(self, delta: ChatDelta) -> None:
        for key in ("refusal", "reasoning_content", "reasoning"):
            value = getattr(delta, key)
            if isinstance(value, str):
                self._texts.setdefault(key, []).append(value)
            elif value is not None:
                self._message_extras[key] = value
        if delta.function_call is not None:
            self._function = self._function or GrowingFunction()
            self._function.add(delta.function_call)
        join_values(self._message_extras, delta.extra)

    def _add_logprobs(self, logprobs: ChatLogprobs) -> None:
        join_values(self._logprobs, logprobs.to_dict())

    def _add_tool_call(self, piece: ToolCallDelta) -> ChatEvent:
        call = self._calls.find(piece)
        fragment = call.add(piece)
        return ToolCallDeltaEvent(fragment, call.position, call.id, call.name, self.index)

    def _finish(self, reason: str) -> Iterable[ChatEvent]:
        for call in self._calls.calls:
            done = ToolCall.from_dict(call.to_dict())
            yield ToolCallDoneEvent(done, call.position, self.index)
        yield FinishEvent(reason, self.index)


class TextChoice:
    """One completion as far as it has arrived."""

    __slots__ = ("_extras", "_logprobs", "_text", "finish_reason", "index")

    def __init__(self, index: int) -> None:
        self.index = index
        self.finish_reason: str | None = None
        self._text: list[str] = []
        self._logprobs: dict[str, Any] = {}
        self._extras: dict[str, Any] = {}

    def add(self, choice: CompletionChoice) -> Iterable[CompletionEvent]:
        """Take in a piece and yield what is new in it."""
        # Both known forms of log probabilities hold lists that run along the tokens.
        join_values(self._logprobs, choice.logprobs or {})
        join_values(self._extras, choice.extra)
        if choice.text:
            self._text.append(choice.text)
            yield TextDeltaEvent(choice.text, self.index)
        # Some gateways send an empty text until the end.
        if choice.finish_reason and not self.finish_reason:
            self.finish_reason = choice.finish_reason
            yield FinishEvent(choice.finish_reason, self.index)

    def to_dict(self) -> dict[str, Any]:
        """Return the completion as a whole reply would hold it."""
        logprobs = {"logprobs": self._logprobs} if self._logprobs else {}
        known = {"index": self.index, "text": "".join(self._text)}
        return {**self._extras, **known, "finish_reason": self.finish_reason, **logprobs}


def join_values(known: dict[str, Any], new: dict[str, Any]) -> None:
    """Take in values that come piece by piece: lists grow, of others the last one counts."""
    for key, value in new.items():
        before = known.get(key)
        if is_list(before) and is_list(value):
            before.extend(value)
        elif value is not None:
            known[key] = [*value] if is_list(value) else value
