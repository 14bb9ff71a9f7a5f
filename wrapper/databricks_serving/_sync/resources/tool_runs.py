# Written by scripts/unasync from _async/resources/tool_runs.py: do not edit.
"""Runs of tools, as the blocking client makes them."""

import sys
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from databricks_serving._core.boundary import forget, forgetful
from databricks_serving._core.deadlines import CommonDeadline
from databricks_serving._core.operations import CHAT
from databricks_serving._core.streaming import BUSY, NOT_OPEN, OPENED, READ_TWICE, is_first_text
from databricks_serving._core.tools.arguments import ToolRunArguments
from databricks_serving._core.tools.loop import BROKEN_OFF, ToolLoop
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.stream import ChunkStream
from databricks_serving._sync.tool_jobs import IS_ASYNC, perform
from databricks_serving._tool_runs import ToolRun, ToolStep
from databricks_serving.errors import ServingError, StreamUseError
from databricks_serving.events import ChatEvent, ToolEvent, ToolResultEvent, ToolStepEvent
from databricks_serving_api.models import ChatCompletion, ChatCompletionChunk


@dataclass(frozen=True, slots=True)
class ToolRunner:
    """Makes the turns of a run: asks the model, and calls what it calls.

    Attributes:
        caller: What calls of the model are made with.
        model: Name of the endpoint.
        loop: The rules of the run.
    """

    caller: Caller
    model: str
    loop: ToolLoop

    @classmethod
    def of(cls, caller: Caller, model: str, arguments: ToolRunArguments) -> Self:
        """Make a runner of what the user gave.

        Raises:
            InvalidRequestError: Naming the argument that cannot work.
        """
        deadline = CommonDeadline(arguments, caller.settings, "the run")
        return cls(caller, model, ToolLoop(arguments, deadline, awaits=IS_ASYNC))

    def run(self) -> ToolRun:
        """Make all turns; an error of this package has the run so far."""
        try:
            while not self.loop.done:
                reply = self.caller.reply(CHAT, self.model, self.loop.next_call(self.now()))
                self.call_tools(reply)
        except ServingError as error:
            error.run = self.loop.run
            raise
        return self.loop.run

    def open(self) -> ChunkStream[ChatCompletion, ChatCompletionChunk, ChatEvent]:
        """Begin the next turn as a stream."""
        return self.caller.stream(CHAT, self.model, self.loop.next_call(self.now()))

    def call_tools(self, reply: ChatCompletion) -> ToolStep:
        """Do the second half of a turn: call the tools that an answer calls."""
        jobs = self.loop.take(reply)
        step = self.loop.give(perform(jobs, self.now, parallel=self.loop.parallel))
        if self.loop.on_step is not None:
            self.loop.on_step(step)
        return step

    def now(self) -> float:
        """Return the time by the clock of the client."""
        return self.caller.credentials.clocks.monotonic()


class ToolStream:
    """A run of tools with typed events; a context manager that sends the first request on entry.

    Iterating yields the events of every turn, then the results of its tools; `text_stream` yields
    text alone. The run can be read once, by either.
    """

    def __init__(self, runner: ToolRunner) -> None:
        self._runner = runner
        self._opened: ChunkStream[ChatCompletion, ChatCompletionChunk, ChatEvent] | None = None
        self._source: Generator[ToolEvent] | None = None
        self._turn = threading.Lock()
        self._iterated = False
        self._closed = False
        self._failure: Exception | None = None

    @property
    def run(self) -> ToolRun:
        """The run as far as its turns are over."""
        return self._runner.loop.run

    @property
    def text_stream(self) -> Iterator[str]:
        """The text of all turns, piece by piece."""
        return (event.text for event in self if is_first_text(event))

    def __iter__(self) -> Iterator[ToolEvent]:
        """Return the stream itself, once.

        Raises:
            StreamUseError: When it was iterated before.
        """
        if self._iterated:
            raise StreamUseError(READ_TWICE)
        self._iterated = True
        return self

    def __next__(self) -> ToolEvent:
        """Return the next event.

        Raises:
            ServingError: As calls and streams do; `run` has the turns before, and `partial` of a
                stream that broke the answer so far.
            ToolLoopError: When the model goes on calling tools.
            StreamUseError: Outside the `with` block, or while another thread or task is reading.
        """
        if self._source is None:
            raise StreamUseError(NOT_OPEN)
        if not self._turn.acquire(blocking=False):
            raise StreamUseError(BUSY)
        if self._failure is not None:
            self._turn.release()
            raise self._failure.with_traceback(None)
        handled = sys.exception()
        try:
            return next(self._source)
        except StopIteration:
            raise
        except BaseException as error:
            self._fail(error)
            forget(error, handled)
            handled = None
            raise
        finally:
            self._turn.release()

    def get_final_run(self) -> ToolRun:
        """Read to the end and return the run; raises as iterating does."""
        while not self._runner.loop.done or self._opened is not None:
            try:
                self.__next__()
            except StopIteration:
                break
        if not self._runner.loop.done:
            raise StreamUseError(BROKEN_OFF)
        return self.run

    def close(self) -> None:
        """Release the connection; the rest of the run does not take place."""
        self._closed = True
        if self._source is not None and self._turn.acquire(blocking=False):
            # Otherwise another thread or task is reading, and stops at the end of what it does.
            try:
                self._source.close()
            finally:
                self._turn.release()
        if self._opened is not None:
            self._opened.close()

    @forgetful
    def __enter__(self) -> Self:
        if self._source is not None:
            raise StreamUseError(OPENED)
        try:
            self._opened = self._runner.open()
        except ServingError as error:
            error.run = self.run
            raise
        self._source = self._events()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _events(self) -> Generator[ToolEvent]:
        while (opened := self._opened) is not None:
            for _ in opened:
                for event in opened.news:
                    yield event
            self._opened = None
            step = self._runner.call_tools(opened.snapshot)
            for result in step.results:
                yield ToolResultEvent(result)
            yield ToolStepEvent(step)
            if not (self._runner.loop.done or self._closed):
                self._opened = self._runner.open()

    def _fail(self, error: BaseException) -> None:
        """Take note of an error: later readings end alike."""
        if isinstance(error, ServingError):
            error.run = self.run
        if isinstance(error, Exception):
            self._failure = error
