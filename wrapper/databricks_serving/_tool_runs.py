"""What a run of tools was: its turns, the results of tools, and the conversation."""

from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

from databricks_serving._counts import added
from databricks_serving_api.models import (
    ChatCompletion,
    FinishReason,
    ToolCall,
    Usage,
)

if TYPE_CHECKING:
    from databricks_serving_api.params import MessageDict


@dataclass(frozen=True, slots=True, repr=False)
class ToolResult:
    """One call of a tool, done.

    Attributes:
        call: The call, as the model made it.
        value: What the function returned; None if it failed.
        content: The text that the model gets.
        error: What the function raised, or what was wrong with the call.
        seconds: How long it took.
    """

    call: ToolCall
    value: Any
    content: str
    error: Exception | None = None
    seconds: float = 0.0

    def __repr__(self) -> str:
        ended = "done" if self.error is None else f"failed with {type(self.error).__name__}"
        return f"ToolResult({self.name!r:.80}, {ended}, {self.seconds:.3f} s)"

    @property
    def name(self) -> str:
        """Name of the tool, as the model wrote it."""
        return self.call.function.name


@dataclass(frozen=True, slots=True)
class ToolStep:
    """One turn of a run.

    Attributes:
        reply: What the model answered.
        results: What its calls gave, in their order; empty at the end of a run.
    """

    reply: ChatCompletion = field(repr=False)
    results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolRun:
    """A conversation in which a model called tools.

    Attributes:
        messages: The whole conversation, ready to be sent on.
        steps: Its turns.
        pending: The calls that were not made: of tools without a function, in a last answer that
            was cut off, or beyond `max_turns`. Each wants a tool message before the conversation
            goes on.
    """

    messages: "list[MessageDict]" = field(repr=False)
    steps: tuple[ToolStep, ...] = ()
    pending: tuple[ToolCall, ...] = field(default=(), repr=False)

    @property
    def reply(self) -> ChatCompletion:
        """The last answer.

        Raises:
            LookupError: When there is none: the run failed before it.
        """
        return self.steps[-1].reply

    @property
    def text(self) -> str:
        """The text of the last answer."""
        return self.reply.text

    @property
    def finish_reason(self) -> FinishReason | str | None:
        """Why the last answer ended; `length` or `content_filter` if it is not whole."""
        return self.reply.finish_reason

    @property
    def usage(self) -> Usage | None:
        """The tokens of all turns; None if no turn counted them."""
        return total_usage([step.reply.usage for step in self.steps])


def total_usage(parts: "list[Usage | None]") -> Usage | None:
    """Add up what several calls used, key by key; None if nothing was counted."""
    counted = [part.to_dict() for part in parts if part is not None]
    return Usage.from_dict(reduce(added, counted, {})) if counted else None
