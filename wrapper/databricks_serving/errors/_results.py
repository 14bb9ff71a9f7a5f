"""Errors of answers that came, and are not what they were asked to be."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from databricks_serving.errors._root import ServingError

if TYPE_CHECKING:
    from databricks_serving._tool_runs import ToolRun
    from databricks_serving_api.models import ChatCompletion, Usage


class ToolLoopError(ServingError):
    """A run of tools came to no end: the model went on calling them.

    Attributes:
        run: What was done: the conversation, the turns, the tokens.
    """

    maybe_executed: bool = True

    def __init__(self, message: str, run: "ToolRun | None" = None) -> None:
        super().__init__(message)
        self.run: ToolRun | None = run


class StructuredOutputError(ServingError):
    """An answer came, and no object of the type that was asked for can be had of it.

    Attributes:
        completion: The last answer, whole.
        text: Its text.
        usage: The tokens of all answers in `replies`; None if none were counted.
    """

    maybe_executed: bool = True

    def __init__(
        self,
        message: str,
        *,
        replies: "Sequence[ChatCompletion]" = (),
        usage: "Usage | None" = None,
    ) -> None:
        super().__init__(message)
        self.replies: tuple[ChatCompletion, ...] = tuple(replies)
        self.usage: Usage | None = usage

    @property
    def completion(self) -> "ChatCompletion | None":
        """The last answer, whole."""
        return self.replies[-1] if self.replies else None

    @property
    def text(self) -> str:
        """The text of the last answer."""
        return "" if self.completion is None else self.completion.text


class LengthFinishReasonError(StructuredOutputError):
    """The answer was cut off: `max_tokens`, or what the model can write, came before its end."""


class ContentFilterFinishReasonError(StructuredOutputError):
    """A content filter, or a policy of the platform, stopped the answer."""


class RefusalError(StructuredOutputError):
    """The model refused to answer; `completion.message.refusal` has its words."""


class ParseError(StructuredOutputError):
    """The answer is no JSON, or does not fit the type.

    Attributes:
        path: Where it does not fit, as a JSON path such as `$.items[0].price`; None if it is no
            JSON.
        expected: What is wrong there. Neither names the value.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        expected: str | None = None,
        replies: "Sequence[ChatCompletion]" = (),
        usage: "Usage | None" = None,
    ) -> None:
        super().__init__(message, replies=replies, usage=usage)
        self.path = path
        self.expected = expected
