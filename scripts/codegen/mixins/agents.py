"""Conveniences of the models of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from databricks_serving_api._mixins.display import Shown, as_code, paragraphs, refused, with_footer
from databricks_serving_api._mixins.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from databricks_serving_api.models import (
        AgentMessage,
        CompletionTokensDetails,
        DatabricksOutput,
        FinishReason,
        InputTextPart,
        JsonObject,
        McpApprovalRequest,
        McpApprovalResponse,
        OtherContentPart,
        OtherItem,
        OutputTextPart,
        PromptTokensDetails,
        RefusalPart,
        ResponsesFunctionCall,
        ResponsesFunctionCallOutput,
        ResponsesMessage,
        ResponsesReasoning,
        ResponsesUsage,
        ToolCall,
        Usage,
    )
    from databricks_serving_api.params import MessageDict, ResponsesInputItemDict

# fact: longer ids come, and are refused when they are sent back.
_MAX_ID = 64


class ResponsesReplyMixin(Shown, Reply):
    """Conveniences over the output of an agent."""

    __slots__ = ()

    if TYPE_CHECKING:
        output: list[
            ResponsesMessage
            | ResponsesFunctionCall
            | ResponsesFunctionCallOutput
            | ResponsesReasoning
            | McpApprovalRequest
            | McpApprovalResponse
            | OtherItem
        ]
        usage: ResponsesUsage | None
        status: str | None
        metadata: JsonObject | None
        databricks_output: DatabricksOutput | None

        def to_dict(self) -> dict[str, Any]:
            """Return it as JSON."""
            ...

    @property
    def text(self) -> str:
        """The text of all messages, as a stream brings it; `last_text` is that of the answer."""
        return "".join(message.text for message in self.messages)

    @property
    def last_text(self) -> str:
        """The text of the last message; empty if there is none."""
        return self.messages[-1].text if self.messages else ""

    @property
    def messages(self) -> list[ResponsesMessage]:
        """The messages, in order."""
        from databricks_serving_api.models import ResponsesMessage  # noqa: PLC0415 - they import this

        return [item for item in self.output if isinstance(item, ResponsesMessage)]

    @property
    def function_calls(self) -> list[ResponsesFunctionCall]:
        """The calls of functions, in order, those that the agent answered itself among them."""
        from databricks_serving_api.models import ResponsesFunctionCall  # noqa: PLC0415 - they import this

        return [item for item in self.output if isinstance(item, ResponsesFunctionCall)]

    @property
    def approval_requests(self) -> list[McpApprovalRequest]:
        """The calls that wait for a person's approval."""
        from databricks_serving_api.models import McpApprovalRequest  # noqa: PLC0415 - as above

        return [item for item in self.output if isinstance(item, McpApprovalRequest)]

    @property
    def trace(self) -> Mapping[str, Any] | None:
        """The trace of the run, where `databricks_options` asked for it."""
        return self.databricks_output.trace if self.databricks_output else None

    @property
    def trace_id(self) -> str | None:
        """Id of the trace, from wherever the server put it."""
        info = _value_in(self.trace, "info")
        found = (_value_in(place, "trace_id") for place in (info, self.metadata, self.to_dict()))
        return next((one for one in found if one and isinstance(one, str)), None)

    def to_input(self) -> list[ResponsesInputItemDict]:
        """Return the output in the form in which the next turn sends it back."""
        plain: list[Any] = [_as_input(item.to_dict()) for item in self.output]
        return plain

    def _repr_markdown_(self) -> str:
        total = self.usage.total_tokens if self.usage else None
        return with_footer(paragraphs(self._shown()), total, self.status, self.served_model_name)

    def _shown(self) -> Iterator[str]:
        from databricks_serving_api.models import ResponsesMessage  # noqa: PLC0415 - as above

        for item in self.output:
            data = item.to_dict()
            if isinstance(item, ResponsesMessage):
                yield item.text
                yield refused(item.refusal)
            elif data.get("type") == "function_call":
                yield as_code(f"{data.get('name')}({data.get('arguments') or ''})")
            elif data.get("type") == "function_call_output":
                yield as_code(str(data.get("output")))


class ResponsesMessageMixin:
    """The text of a message."""

    __slots__ = ()

    if TYPE_CHECKING:
        content: list[InputTextPart | OutputTextPart | RefusalPart | OtherContentPart]

    @property
    def text(self) -> str:
        """The text of all its parts; empty if it has none."""
        return self._joined(("input_text", "output_text"), "text")

    @property
    def refusal(self) -> str:
        """The text in which it refuses; empty if it does not."""
        return self._joined(("refusal",), "refusal")

    def _joined(self, kinds: tuple[str, ...], name: str) -> str:
        parts = (part for part in self.content if part.type_ in kinds)
        texts = (getattr(part, name, None) for part in parts)
        return "".join(text for text in texts if isinstance(text, str))


class ResponsesUsageMixin:
    """Counts under the names that other replies have."""

    __slots__ = ()

    if TYPE_CHECKING:
        input_tokens_details: PromptTokensDetails | None
        output_tokens_details: CompletionTokensDetails | None

    @property
    def cached_tokens(self) -> int:
        """Tokens read from a cache; 0 if none were counted."""
        return (self.input_tokens_details and self.input_tokens_details.cached_tokens) or 0

    @property
    def thinking_tokens(self) -> int:
        """Generated tokens that were reasoning; 0 if none were counted."""
        return (self.output_tokens_details and self.output_tokens_details.reasoning_tokens) or 0


class ResponsesEventMixin:
    """The text that an event brings."""

    __slots__ = ()

    if TYPE_CHECKING:
        type_: str | None
        delta: str | JsonObject | None

    @property
    def text_delta(self) -> str:
        """New text; empty if there is none."""
        ours = self.type_ == "response.output_text.delta"
        return self.delta if ours and isinstance(self.delta, str) else ""


class AgentReplyMixin(Shown, Reply):
    """Conveniences over the messages of an agent."""

    __slots__ = ()

    if TYPE_CHECKING:
        messages: list[AgentMessage]
        finish_reason: FinishReason | str | None
        usage: Usage | None
        databricks_output: DatabricksOutput | None

    @property
    def text(self) -> str:
        """What the agent said, in all messages, as a stream brings it."""
        return "".join(message.text for message in self.messages if message.role == "assistant")

    @property
    def last_text(self) -> str:
        """What the agent said last; empty if nothing."""
        said = [message.text for message in self.messages if message.role == "assistant"]
        return said[-1] if said else ""

    @property
    def trace(self) -> Mapping[str, Any] | None:
        """The trace of the run, where `databricks_options` asked for it."""
        return self.databricks_output.trace if self.databricks_output else None

    def to_messages(self) -> list[MessageDict]:
        """Return the messages in the form in which the next turn sends them back."""
        plain: list[Any] = [message.to_dict() for message in self.messages]
        return plain

    def _repr_markdown_(self) -> str:
        total = self.usage.total_tokens if self.usage else None
        shown = paragraphs(message.text for message in self.messages)
        return with_footer(shown, total, self.finish_reason, self.served_model_name)


class AgentMessageMixin:
    """The text of a message."""

    __slots__ = ()

    if TYPE_CHECKING:
        content: str | None
        tool_calls: list[ToolCall] | None

    @property
    def text(self) -> str:
        """The text; empty if there is none."""
        return self.content if isinstance(self.content, str) else ""


class AgentChunkMixin:
    """The text that a piece brings."""

    __slots__ = ()

    if TYPE_CHECKING:
        delta: AgentMessage

    @property
    def text(self) -> str:
        """New text of the agent; empty if there is none."""
        return self.delta.text if self.delta.role == "assistant" else ""


def _as_input(item: dict[str, Any]) -> dict[str, Any]:
    name = item.get("id")
    return item | {"id": name[:_MAX_ID]} if isinstance(name, str) and len(name) > _MAX_ID else item


def _value_in(place: Any, key: str) -> Any:
    # A server may send anything there, and the models keep it.
    return place.get(key) if hasattr(place, "get") else None
