"""One answer of a reply, put together from the pieces in which it is streamed.

The pieces are decoded JSON, checked and completed by `shapes`: whoever reads the text alone needs
no models for it.
"""

from typing import Any, Final, TypeAlias

from databricks_serving._core.content import GrowingContent, reasoning_in, text_in
from databricks_serving._core.json_codec import is_list
from databricks_serving._core.tool_calls import GrowingFunction, ToolCallList
from databricks_serving.events import (
    FinishEvent,
    ReasoningDeltaEvent,
    RefusalDeltaEvent,
    TextDeltaEvent,
    ToolCallDeltaEvent,
    ToolCallDoneEvent,
)
from databricks_serving_api.models import ToolCall
from databricks_serving_api.types import dump

Json = dict[str, Any]
Told: TypeAlias = list[Any]
"""What is new, in order: events, and new text of the first choice as a bare `str`."""

# What the contract knows of a choice and of what is new in it.
_CHOICE: Final = frozenset({"index", "delta", "finish_reason", "logprobs"})
_DELTA: Final = frozenset(
    {
        "role",
        "content",
        "tool_calls",
        "reasoning_content",
        "reasoning",
        "refusal",
        "function_call",
    }
)
_TEXT_CHOICE: Final = frozenset({"index", "text", "finish_reason", "logprobs"})


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
        self._message_extras: Json = {}
        self._logprobs: Json = {}
        self._extras: Json = {}

    def add_text(self, text: str) -> Told:
        """Take in a piece that is text and nothing more; return what is new in it."""
        self._content.add(text)
        return _text_news(text, self.index)

    def add(self, choice: Json, told: Told) -> None:
        """Take in a piece and tell what is new in it."""
        delta: Json = choice["delta"]
        content = delta.get("content")
        if isinstance(content, str):
            told += self.add_text(content)
        else:
            self._content.add(dump(content))
            if text := text_in(content):
                told += _text_news(text, self.index)
        self._add_rest(delta, told)
        join_values(self._logprobs, choice.get("logprobs") or {})
        join_others(self._extras, choice, _CHOICE)
        reason = choice.get("finish_reason")
        # Some gateways send an empty text until the end.
        if reason and not self.finish_reason:
            self.finish_reason = reason
            self._finish(reason, told)

    def to_dict(self) -> Json:
        """Return the answer as a whole reply would hold it."""
        message: Json = {"role": "assistant", "content": self._content.result()}
        message |= self._message_extras | {key: "".join(text) for key, text in self._texts.items()}
        if self._calls.calls:
            message["tool_calls"] = [call.to_dict() for call in self._calls.calls]
        if self._function is not None:
            message["function_call"] = self._function.to_dict()
        logprobs = {"logprobs": self._logprobs} if self._logprobs else {}
        known = {"index": self.index, "message": message, "finish_reason": self.finish_reason}
        return {**self._extras, **known, **logprobs}

    def _add_rest(self, delta: Json, told: Told) -> None:
        """Take in what stands beside a text, and what is no text in parts of the content."""
        self._add_siblings(delta)
        aside = delta.get("reasoning_content") or delta.get("reasoning")
        reasoning = reasoning_in(delta.get("content")) or aside
        if reasoning and isinstance(reasoning, str):
            told.append(ReasoningDeltaEvent(reasoning, self.index))
        if delta.get("refusal"):
            told.append(RefusalDeltaEvent(delta["refusal"], self.index))
        told.extend(self._add_tool_call(piece) for piece in delta.get("tool_calls") or ())

    def _add_siblings(self, delta: Json) -> None:
        for key in ("refusal", "reasoning_content", "reasoning"):
            value = delta.get(key)
            if isinstance(value, str):
                self._texts.setdefault(key, []).append(value)
            elif value is not None:
                self._message_extras[key] = value
        function = delta.get("function_call")
        if function is not None:
            self._function = self._function or GrowingFunction()
            self._function.add(function)
        join_others(self._message_extras, delta, _DELTA)

    def _add_tool_call(self, piece: Json) -> ToolCallDeltaEvent:
        call = self._calls.find(piece)
        fragment = call.add(piece)
        return ToolCallDeltaEvent(fragment, call.position, call.id, call.name, self.index)

    def _finish(self, reason: str, told: Told) -> None:
        for call in self._calls.calls:
            done = ToolCall.from_dict(call.to_dict())
            told.append(ToolCallDoneEvent(done, call.position, self.index))
        told.append(FinishEvent(reason, self.index))


class TextChoice:
    """One completion as far as it has arrived."""

    __slots__ = ("_extras", "_logprobs", "_text", "finish_reason", "index")

    def __init__(self, index: int) -> None:
        self.index = index
        self.finish_reason: str | None = None
        self._text: list[str] = []
        self._logprobs: Json = {}
        self._extras: Json = {}

    def add_text(self, text: str) -> Told:
        """Take in a piece that is text and nothing more; return what is new in it."""
        self._text.append(text)
        return _text_news(text, self.index)

    def add(self, choice: Json, told: Told) -> None:
        """Take in a piece and tell what is new in it."""
        told += self.add_text(choice["text"])
        # Both known forms of log probabilities hold lists that run along the tokens.
        join_values(self._logprobs, choice.get("logprobs") or {})
        join_others(self._extras, choice, _TEXT_CHOICE)
        reason = choice.get("finish_reason")
        # Some gateways send an empty text until the end.
        if reason and not self.finish_reason:
            self.finish_reason = reason
            told.append(FinishEvent(reason, self.index))

    def to_dict(self) -> Json:
        """Return the completion as a whole reply would hold it."""
        logprobs = {"logprobs": self._logprobs} if self._logprobs else {}
        known = {"index": self.index, "text": "".join(self._text)}
        return {**self._extras, **known, "finish_reason": self.finish_reason, **logprobs}


def _text_news(text: str, index: int) -> Told:
    if not text:
        return []
    return [TextDeltaEvent(text, index) if index else text]


def join_values(known: Json, new: Json) -> None:
    """Take in values that come piece by piece: lists grow, of others the last one counts."""
    for key, value in new.items():
        before = known.get(key)
        if is_list(before) and is_list(value):
            before.extend(value)
        elif value is not None:
            known[key] = [*value] if is_list(value) else value


def join_others(known: Json, new: Json, but: frozenset[str]) -> None:
    """Take in the values of an object, as `join_values` does, but not those under some keys."""
    join_values(known, {key: value for key, value in new.items() if key not in but})
