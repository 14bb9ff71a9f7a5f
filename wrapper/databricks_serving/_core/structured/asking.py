"""The rules of asking for an object: what is sent, and when the model is asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from databricks_serving._core.arguments import ChatCommonArguments, names_of, refuse_unknown
from databricks_serving._core.deadlines import CommonDeadline
from databricks_serving._core.structured.answer import AnswerType, ParsedCompletion
from databricks_serving.errors import InvalidRequestError, ParseError
from databricks_serving_api.models import ChatCompletion, Tool
from databricks_serving_api.params import MessageDict, ToolDict

T = TypeVar("T")

_MOST_REASKS: Final = 10


class ParsedStreamArguments(ChatCommonArguments, total=False):
    """Keyword arguments of a stream that is parsed: those of a chat call, and these."""

    tools: Sequence[Tool | ToolDict] | None
    """As for `create`; some families refuse tools beside a format."""
    strict: bool | None
    """Whether the endpoint is to hold the answer to the schema. If it is not given, it is wherever
    the type has a strict form: no dicts with keys of any name, no `Any`."""


class ParseArguments(ParsedStreamArguments, total=False):
    """Keyword arguments of a call that is parsed: those of a chat call, and these."""

    max_reasks: int | None
    """How often to ask again, with what was wrong, when an answer does not fit; 0 to 10, 0 if it
    is not given. Every time costs a whole call."""


class Asking(Generic[T]):
    """One object that is asked for.

    Args:
        hint: Its type.
        arguments: What else the user gave.
        keywords: The dictionary type of these.
        deadline: That of all calls.

    Raises:
        InvalidRequestError: Naming the argument that cannot work.
    """

    def __init__(
        self, hint: Any, arguments: Mapping[str, Any], keywords: type[Any], deadline: CommonDeadline
    ) -> None:
        refuse_unknown(arguments, ["response_format", *names_of(keywords)])
        given = {**arguments}
        strict = given.pop("strict", None)
        if not isinstance(strict, bool | None):
            raise InvalidRequestError("strict must be true or false")
        if given.get("n") not in {None, 1}:
            raise InvalidRequestError("n must be 1 where the answer is parsed")
        self._left = _checked_reasks(given.pop("max_reasks", None))
        self.answer: AnswerType[T] = AnswerType(hint, strict)
        self._arguments = given
        self._deadline = deadline
        self.replies: list[ChatCompletion] = []
        self._added: list[MessageDict] = []

    def next_call(self, now: float) -> dict[str, Any]:
        """Return the arguments of the next call.

        Raises:
            APITimeoutError: When the time for all calls is over.
        """
        arguments: dict[str, Any] = {**self._arguments}
        arguments["response_format"] = self.answer.response_format
        if self._added:
            arguments["messages"] = [*arguments["messages"], *self._added]
        return self._deadline.share(arguments, now, maybe_executed=bool(self.replies))

    def take(self, reply: ChatCompletion) -> ParsedCompletion[T] | None:
        """Take in an answer; returns the object, or None where the model is to be asked again.

        Raises:
            StructuredOutputError: When there is no object, and no asking again.
        """
        self.replies.append(reply)
        try:
            return self.answer.read(self.replies)
        except ParseError:
            if not self._left or reply.tool_calls:
                raise
        self._left -= 1
        # An assistant that says nothing is refused, and there is nothing to show it.
        said: list[MessageDict] = [reply.to_request_message()] if reply.text else []
        complaint: MessageDict = {"role": "user", "content": self.answer.complaint(reply)}
        self._added += [*said, complaint]
        return None


def _checked_reasks(value: Any) -> int:
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= _MOST_REASKS:
        raise InvalidRequestError(f"max_reasks must be a whole number from 0 to {_MOST_REASKS}")
    return value
