"""The steps that sources of tokens ask for, in this thread."""

import inspect
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from databricks_serving._core.call import Call as HttpCall
from databricks_serving._core.call import World
from databricks_serving._core.clocks import Clocks as BaseClocks
from databricks_serving._core.logs import log_try
from databricks_serving._core.replies import Response
from databricks_serving._http.sender import Sender
from databricks_serving._sync.repeat import repeat
from databricks_serving.auth._asking import accepted, call_of
from databricks_serving.auth._doing import completed, contents, left_until, refused_awaitable
from databricks_serving.auth._steps import Ask, Read, Run, Step

T = TypeVar("T")
Clocks = BaseClocks[Callable[[float], None]]


class Performer:
    """Performs steps one after the other, and returns what they lead to.

    Args:
        sender: What requests go over.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._clocks = Clocks(time.sleep)

    @property
    def clocks(self) -> Clocks:
        """Time and chance: the machine's, unless the transport brings its own."""
        own = self._sender.time
        if own is None:
            return self._clocks
        return Clocks(own.sleep, own.monotonic, own.wall, own.rand)

    def perform(self, steps: Generator[Step, Any, T], until: float | None) -> T:
        """Perform steps.

        Args:
            steps: Yields them, and returns the result.
            until: The monotonic time at which whoever needs the result gives up.
        """
        try:
            return self._through(steps, until)
        finally:
            steps.close()

    def _through(self, steps: Generator[Step, Any, T], until: float | None) -> T:
        answer: Any = None
        error: Exception | None = None
        while True:
            try:
                step = steps.send(answer) if error is None else steps.throw(error)
            except StopIteration as end:
                return cast("T", end.value)
            answer = error = None
            try:
                answer = self._do(step, until)
            except Exception as failure:  # noqa: BLE001 - the source says what it means
                error = failure

    def _do(self, step: Step, until: float | None) -> Any:
        if isinstance(step, Ask):
            return self._ask(step, until)
        if isinstance(step, Run):
            return completed(step, left_until(until, self.clocks.monotonic()))
        if isinstance(step, Read):
            return contents(step)
        result = step.function()
        return refused_awaitable(result) if inspect.isawaitable(result) else result

    def _ask(self, ask: Ask, until: float | None) -> Response:
        world = World(self.clocks.monotonic, self.clocks.rand, log_try)
        call = call_of(ask, left_until(until, self.clocks.monotonic()), world)

        def attempt(call: HttpCall) -> Response:
            response = self._sender.send(call.request, call.phases()).read()
            return accepted(response, datetime.now(UTC))

        return repeat(call, self.clocks.sleep, attempt)
