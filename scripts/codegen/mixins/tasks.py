"""Conveniences of the models of chat, completions and embeddings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from databricks_serving_api._mixins.display import (
    Shown,
    choices_as_markdown,
    with_footer,
)
from databricks_serving_api._mixins.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from databricks_serving_api.models import (
        ChatChoice,
        ChatChunkChoice,
        ChatDelta,
        CompletionChoice,
        CompletionTokensDetails,
        FinishReason,
        JsonObject,
        OtherPart,
        PromptTokensDetails,
        ReasoningPart,
        ResponseMessage,
        ResponseTextPart,
        ServicePolicy,
        ToolCall,
        Usage,
    )
    from databricks_serving_api.params import AssistantMessageDict


class ChatCompletionMixin(Shown, Reply):
    """Conveniences over the first choice of a chat completion."""

    __slots__ = ()

    if TYPE_CHECKING:
        choices: list[ChatChoice]
        databricks_service_policy: ServicePolicy | None
        usage: Usage | None

    @property
    def message(self) -> ResponseMessage | None:
        """The first choice's message; None when there is no choice, as after a policy denial."""
        return self.choices[0].message if self.choices else None

    @property
    def text(self) -> str:
        """The first choice's text, whichever form its content has; empty if it has none."""
        return self.message.text if self.message else ""

    @property
    def reasoning(self) -> str:
        """The first choice's readable reasoning; empty if it has none."""
        return self.message.reasoning_text if self.message else ""

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The first choice's tool calls; empty if it has none."""
        return (self.message.tool_calls or []) if self.message else []

    @property
    def finish_reason(self) -> FinishReason | str | None:
        """Why the first choice ended; `content_filter` when a policy denied the call."""
        if self.choices:
            return self.choices[0].finish_reason
        return "content_filter" if self.databricks_service_policy else None

    def _repr_markdown_(self) -> str:
        text = choices_as_markdown(self.choices)
        total = self.usage.total_tokens if self.usage else None
        return with_footer(text, total, self.finish_reason, self.served_model_name)

    def to_request_message(self) -> AssistantMessageDict:
        """Return the first choice's message in the form in which the next turn sends it back.

        Raises:
            ValueError: When there is no choice.
        """
        if self.message is None:
            raise ValueError("the reply has no choice to send back")
        return self.message.to_request_message()


class ResponseMessageMixin:
    """The content of a message in one form, whatever the model family sends."""

    __slots__ = ()

    if TYPE_CHECKING:
        content: str | list[ResponseTextPart | ReasoningPart | OtherPart] | JsonObject | None
        tool_calls: list[ToolCall] | None
        reasoning_content: str | None
        reasoning: str | JsonObject | None
        refusal: str | None

    @property
    def text(self) -> str:
        """The text: of all text parts, or a content object as JSON; empty if there is none."""
        if isinstance(self.content, dict):
            return json.dumps(self.content, ensure_ascii=False)
        return _text(self.content)

    @property
    def reasoning_text(self) -> str:
        """The readable reasoning, from parts or from a key beside the content."""
        return _reasoning(self.content, self.reasoning_content, self.reasoning)

    def to_request_message(
        self, *, include_reasoning_content: bool = False
    ) -> AssistantMessageDict:
        """Return the message in the form in which the next turn sends it back.

        Reasoning parts, signatures and tool calls stay as they came; what strict endpoints refuse
        in a request (citations, annotations, refusal and the like) is left out.

        Args:
            include_reasoning_content: Keep `reasoning_content`, for the families that want it back
                after a tool call (DeepSeek); strict endpoints refuse the key.
        """
        message: AssistantMessageDict = {"role": "assistant"}
        content = self._request_content()
        calls = [_request_call(call) for call in self.tool_calls or ()]
        # Beside tool calls an assistant message must not carry an empty text (Claude).
        if content or not calls:
            message["content"] = content or self.refusal or ""
        if calls:
            message["tool_calls"] = calls
        if include_reasoning_content and self.reasoning_content:
            message["reasoning_content"] = self.reasoning_content
        return message

    def _request_content(self) -> Any:
        if not isinstance(self.content, list):
            return self.text
        parts = [part.to_dict() for part in self.content]
        kept = [_request_part(part) for part in parts]
        return [part for part in kept if part.get("type") != "text" or part.get("text")]


class ChatCompletionChunkMixin:
    """Conveniences over the first choice of an event."""

    __slots__ = ()

    if TYPE_CHECKING:
        choices: list[ChatChunkChoice]

    @property
    def delta(self) -> ChatDelta | None:
        """What is new in choice 0; None if the event has nothing of it."""
        return next((choice.delta for choice in self.choices if not choice.index), None)

    @property
    def text(self) -> str:
        """New text of choice 0; empty if there is none."""
        return self.delta.text if self.delta else ""


class ChatDeltaMixin:
    """A piece of content in one form, whatever the model family sends."""

    __slots__ = ()

    if TYPE_CHECKING:
        content: str | list[ResponseTextPart | ReasoningPart | OtherPart] | None
        reasoning_content: str | None
        reasoning: str | JsonObject | None

    @property
    def text(self) -> str:
        """New text; empty if there is none."""
        return _text(self.content)

    @property
    def reasoning_text(self) -> str:
        """New readable reasoning; empty if there is none."""
        return _reasoning(self.content, self.reasoning_content, self.reasoning)


class CompletionMixin(Shown, Reply):
    """Conveniences over the first choice of a completion."""

    __slots__ = ()

    if TYPE_CHECKING:
        choices: list[CompletionChoice]
        usage: Usage | None

    def _repr_markdown_(self) -> str:
        text = "\n\n---\n\n".join(choice.text for choice in self.choices)
        total = self.usage.total_tokens if self.usage else None
        return with_footer(text, total, self.finish_reason, self.served_model_name)

    @property
    def text(self) -> str:
        """The first choice's text; empty if there is none."""
        return self.choices[0].text if self.choices else ""

    @property
    def finish_reason(self) -> FinishReason | str | None:
        """Why the first choice ended."""
        return self.choices[0].finish_reason if self.choices else None


class CompletionChunkMixin:
    """Conveniences over the first choice of an event."""

    __slots__ = ()

    if TYPE_CHECKING:
        choices: list[CompletionChoice]

    @property
    def text(self) -> str:
        """New text of choice 0; empty if there is none."""
        return "".join(choice.text for choice in self.choices if not choice.index)


class PredictionResponseMixin(Reply):
    """The predictions as text."""

    __slots__ = ()

    if TYPE_CHECKING:
        predictions: Any | None
        outputs: Any | None

    @property
    def text(self) -> str:
        """The predictions, or else the outputs: joined where all are texts, else as JSON."""
        value: Any = self.outputs if self.predictions is None else self.predictions
        texts: Any = value if isinstance(value, list) else (value,)  # pyright: ignore[reportUnknownVariableType] - JSON
        if all(isinstance(text, str) for text in texts):
            return "".join(texts)
        return json.dumps(value, ensure_ascii=False)


class UsageMixin:
    """Counts that model families put in different places."""

    __slots__ = ()

    if TYPE_CHECKING:
        prompt_tokens_details: PromptTokensDetails | None
        completion_tokens_details: CompletionTokensDetails | None
        reasoning_tokens: int | None
        cache_read_input_tokens: int | None

    @property
    def cached_tokens(self) -> int:
        """Prompt tokens read from a cache; 0 if none were counted."""
        details = self.prompt_tokens_details
        return (details.cached_tokens if details else None) or self.cache_read_input_tokens or 0

    @property
    def thinking_tokens(self) -> int:
        """Generated tokens that were reasoning; 0 if none were counted."""
        details = self.completion_tokens_details
        return (details.reasoning_tokens if details else None) or self.reasoning_tokens or 0


def _text(content: str | Iterable[object] | None) -> str:
    if isinstance(content, str):
        return content
    return "".join(_string(part, "text") for part in _parts(content, "text"))


def _reasoning(
    content: str | Iterable[object] | None,
    reasoning_content: str | None,
    reasoning: str | JsonObject | None,
) -> str:
    pieces = (
        _string(piece, "text")
        for part in _parts(content, "reasoning")
        for piece in getattr(part, "summary", None) or ()
    )
    return "".join(pieces) or reasoning_content or (reasoning if isinstance(reasoning, str) else "")


def _parts(content: str | Iterable[object] | None, kind: str) -> Iterable[object]:
    if content is None or isinstance(content, str | dict):
        return ()
    return (part for part in content if getattr(part, "type_", None) == kind)


def _string(part: object, name: str) -> str:
    # A server may send anything in a part, and the models keep it.
    value = getattr(part, name, None)
    return value if isinstance(value, str) else ""


def _request_part(part: dict[str, Any]) -> dict[str, Any]:
    is_text = part.get("type") == "text"
    return {"type": "text", "text": part.get("text")} if is_text else part


def _request_call(call: ToolCall) -> Any:
    data: dict[str, Any] = {
        "id": call.id,
        "type": "function",
        # A call without arguments is streamed as an empty text, which endpoints refuse as JSON.
        "function": {"name": call.function.name, "arguments": call.function.arguments or "{}"},
    }
    if call.thought_signature is not None:
        data["thought_signature"] = call.thought_signature
    if call.extra_content is not None:
        data["extra_content"] = call.extra_content
    return data
