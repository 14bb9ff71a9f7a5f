"""What a stream reports, one small object per piece of news.

`choice` is the number of the answer (0 unless `n` asked for several).
"""

from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from databricks_serving._tool_runs import ToolResult, ToolStep
from databricks_serving_api.models import (
    AgentChunk,
    ChatCompletionChunk,
    CompletionChunk,
    FinishReason,
    McpApprovalRequest,
    McpApprovalResponse,
    OtherItem,
    ResponsesEvent,
    ResponsesFunctionCall,
    ResponsesFunctionCallOutput,
    ResponsesMessage,
    ResponsesReasoning,
    ToolCall,
)

__all__ = [
    "AgentEvent",
    "ChatEvent",
    "ChunkEvent",
    "CompletionEvent",
    "FinishEvent",
    "OutputItemEvent",
    "ParsedDeltaEvent",
    "ParsedEvent",
    "ReasoningDeltaEvent",
    "RefusalDeltaEvent",
    "ResponsesStreamEvent",
    "TextDeltaEvent",
    "ToolCallDeltaEvent",
    "ToolCallDoneEvent",
    "ToolEvent",
    "ToolResultEvent",
    "ToolStepEvent",
]

ChunkT_co = TypeVar("ChunkT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class ChunkEvent(Generic[ChunkT_co]):
    """An event as the server sent it; comes before the events that are read from it."""

    chunk: ChunkT_co
    type: Literal["chunk"] = field(default="chunk", repr=False)


@dataclass(frozen=True, slots=True)
class TextDeltaEvent:
    """New text of the answer."""

    text: str
    choice: int = 0
    type: Literal["text.delta"] = field(default="text.delta", repr=False)


@dataclass(frozen=True, slots=True)
class ReasoningDeltaEvent:
    """New readable reasoning."""

    text: str
    choice: int = 0
    type: Literal["reasoning.delta"] = field(default="reasoning.delta", repr=False)


@dataclass(frozen=True, slots=True)
class RefusalDeltaEvent:
    """New text of a refusal."""

    text: str
    choice: int = 0
    type: Literal["refusal.delta"] = field(default="refusal.delta", repr=False)


@dataclass(frozen=True, slots=True)
class ToolCallDeltaEvent:
    """A piece of a tool call; `position` is its place among the choice's tool calls."""

    arguments: str
    position: int
    id: str
    name: str
    choice: int = 0
    type: Literal["tool_call.delta"] = field(default="tool_call.delta", repr=False)


@dataclass(frozen=True, slots=True)
class ToolCallDoneEvent:
    """A whole tool call, once the choice has finished."""

    tool_call: ToolCall
    position: int
    choice: int = 0
    type: Literal["tool_call.done"] = field(default="tool_call.done", repr=False)


@dataclass(frozen=True, slots=True)
class FinishEvent:
    """The choice has ended."""

    finish_reason: FinishReason | str
    choice: int = 0
    type: Literal["finish"] = field(default="finish", repr=False)


@dataclass(frozen=True, slots=True)
class OutputItemEvent:
    """An agent has said or done something in full: a message, a call, the result of one."""

    item: (
        ResponsesMessage
        | ResponsesFunctionCall
        | ResponsesFunctionCallOutput
        | ResponsesReasoning
        | McpApprovalRequest
        | McpApprovalResponse
        | OtherItem
    )
    type: Literal["output_item"] = field(default="output_item", repr=False)


@dataclass(frozen=True, slots=True)
class ParsedDeltaEvent:
    """There is more of an answer in JSON.

    `partial` is what there is: dicts and lists as decoded, texts as far as they have come, without
    the checks of the type. It grows in place from event to event: copy it to keep it.
    """

    partial: Any = field(repr=False)
    type: Literal["parsed.delta"] = field(default="parsed.delta", repr=False)


@dataclass(frozen=True, slots=True)
class ToolResultEvent:
    """A tool was called, and gave a result or failed."""

    result: ToolResult
    type: Literal["tool.result"] = field(default="tool.result", repr=False)


@dataclass(frozen=True, slots=True)
class ToolStepEvent:
    """A turn of a run of tools is over: the model has answered, and all its calls are done."""

    step: ToolStep
    type: Literal["tool.step"] = field(default="tool.step", repr=False)


ChatEvent: TypeAlias = (
    ChunkEvent[ChatCompletionChunk]
    | TextDeltaEvent
    | ReasoningDeltaEvent
    | RefusalDeltaEvent
    | ToolCallDeltaEvent
    | ToolCallDoneEvent
    | FinishEvent
)
"""What `client.chat.completions.stream` yields."""

ParsedEvent: TypeAlias = ChatEvent | ParsedDeltaEvent
"""What `client.chat.completions.parse_stream` yields."""

ToolEvent: TypeAlias = ChatEvent | ToolResultEvent | ToolStepEvent
"""What `client.chat.completions.stream_tools` yields."""

CompletionEvent: TypeAlias = ChunkEvent[CompletionChunk] | TextDeltaEvent | FinishEvent
"""What `client.completions.stream` yields."""

ResponsesStreamEvent: TypeAlias = (
    ChunkEvent[ResponsesEvent]
    | TextDeltaEvent
    | ReasoningDeltaEvent
    | RefusalDeltaEvent
    | ToolCallDeltaEvent
    | OutputItemEvent
    | FinishEvent
)
"""What `client.responses.stream` yields; an agent that answers in several turns finishes each."""

AgentEvent: TypeAlias = ChunkEvent[AgentChunk] | TextDeltaEvent | ToolCallDoneEvent | FinishEvent
"""What `client.agents.stream` yields."""
