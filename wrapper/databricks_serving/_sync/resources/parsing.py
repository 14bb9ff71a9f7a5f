# Written by scripts/unasync from _async/resources/parsing.py: do not edit.
"""Answers as objects, as the blocking client asks for them."""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from databricks_serving._core.boundary import forgetful
from databricks_serving._core.deadlines import CommonDeadline
from databricks_serving._core.operations import CHAT
from databricks_serving._core.streaming import is_first_text
from databricks_serving._core.structured.answer import ParsedCompletion
from databricks_serving._core.structured.asking import Asking, ParseArguments, ParsedStreamArguments
from databricks_serving._core.structured.partial import PartialJson
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.stream import ChunkStream, EventStream
from databricks_serving.errors import ServingError
from databricks_serving.events import ChatEvent, ParsedDeltaEvent, ParsedEvent
from databricks_serving_api.models import ChatCompletion, ChatCompletionChunk

T = TypeVar("T")


def ask(caller: Caller, model: str, hint: Any, arguments: ParseArguments) -> ParsedCompletion[Any]:
    """Ask for an object, and again as often as may be."""
    asking: Asking[Any] = Asking(hint, arguments, ParseArguments, _deadline(caller, arguments))
    parsed = None
    try:
        while parsed is None:
            now = caller.credentials.clocks.monotonic()
            parsed = asking.take(caller.reply(CHAT, model, asking.next_call(now)))
    except ServingError as error:
        error.replies = tuple(asking.replies)
        raise
    return parsed


class ParsedStream(Generic[T]):
    """An answer in JSON with typed events; a context manager that sends the request on entry.

    Iterating yields events, among them what there is of the object so far. The answer can be read
    once.
    """

    def __init__(
        self, caller: Caller, model: str, hint: Any, arguments: ParsedStreamArguments
    ) -> None:
        keywords, deadline = ParsedStreamArguments, _deadline(caller, arguments)
        self._asking: Asking[T] = Asking(hint, arguments, keywords, deadline)
        self._json = PartialJson()
        self._stream: EventStream[ChatCompletion, ChatCompletionChunk, ChatEvent] = EventStream(
            lambda: caller.stream(
                CHAT, model, self._asking.next_call(caller.credentials.clocks.monotonic())
            )
        )

    @property
    def chunks(self) -> ChunkStream[ChatCompletion, ChatCompletionChunk, ChatEvent]:
        """The same answer as chunks, with the status and headers of the response.

        Raises:
            StreamUseError: Outside the `with` block.
        """
        return self._stream.chunks

    @property
    def snapshot(self) -> ChatCompletion:
        """The reply as far as it has been read."""
        return self._stream.snapshot

    @property
    def partial(self) -> Any:
        """What there is of the object: dicts and lists that grow in place; None before any."""
        return self._asking.answer.unwrapped(self._json.value)

    def __iter__(self) -> Iterator[ParsedEvent]:
        """Yield the events; raises as iterating over chunks does."""
        for event in self._stream:
            yield event
            if is_first_text(event) and self._json.feed(event.text):
                partial = self.partial
                if partial is not None:
                    yield ParsedDeltaEvent(partial)

    @forgetful
    def get_final_parsed(self) -> ParsedCompletion[T]:
        """Read to the end and return the object.

        Raises:
            StructuredOutputError: When the answer has no object of the type, with the answer.
            StreamError: As iterating does.
        """
        reply = self._stream.get_final_completion()
        return self._asking.answer.read([reply])

    def close(self) -> None:
        """Release the connection; the rest of the answer is dropped."""
        self._stream.close()

    @forgetful
    def __enter__(self) -> Self:
        self._stream.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _deadline(caller: Caller, arguments: Mapping[str, Any]) -> CommonDeadline:
    return CommonDeadline(arguments, caller.settings, "all answers")
