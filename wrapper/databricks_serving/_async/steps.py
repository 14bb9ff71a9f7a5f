"""The steps that sources of tokens ask for, beside an event loop."""

import inspect
from collections.abc import Awaitable, Callable, Generator
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar, cast

import anyio
from anyio import to_thread

from databricks_serving._async.repeat import repeat
from databricks_serving._core.call import Call as HttpCall
from databricks_serving._core.call import World
from databricks_serving._core.clocks import Clocks
from databricks_serving._core.logs import log_try
from databricks_serving._core.replies import Response
from databricks_serving._http.async_sender import AsyncSender
from databricks_serving.auth._asking import accepted, call_of, late
from databricks_serving.auth._doing import completed, contents, left_until
from databricks_serving.auth._steps import Ask, Call, Read, Run, Step

T = TypeVar("T")
AsyncClocks = Clocks[Callable[[float], Awaitable[None]]]


async def _result_of(step: Call) -> Any:
    if inspect.iscoroutinefunction(step.function):
        return await step.function()
    result = await _in_thread(step.function) if step.blocks else step.function()
    return await result if inspect.isawaitable(result) else result


async def _in_thread(function: Callable[[], T]) -> T:
    # The threads of the application may all be waiting for what this brings.
    limiter = anyio.CapacityLimiter(1)
    return await to_thread.run_sync(function, abandon_on_cancel=True, limiter=limiter)


class AsyncPerformer:
    """Performs steps one after the other, and returns what they lead to.

    Args:
        sender: What requests go over.
    """

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender
        self._clocks = AsyncClocks(anyio.sleep)

    @property
    def clocks(self) -> AsyncClocks:
        """Time and chance: the machine's, unless the transport brings its own."""
        own = self._sender.time
        if own is None:
            return self._clocks
        return AsyncClocks(own.sleep_async, own.monotonic, own.wall, own.rand)

    async def perform(self, steps: Generator[Step, Any, T], until: float | None) -> T:
        """Perform steps.

        Args:
            steps: Yields them, and returns the result.
            until: The monotonic time at which whoever needs the result gives up.
        """
        try:
            return await self._through(steps, until)
        finally:
            steps.close()

    async def _through(self, steps: Generator[Step, Any, T], until: float | None) -> T:
        answer: Any = None
        error: Exception | None = None
        while True:
            try:
                step = steps.send(answer) if error is None else steps.throw(error)
            except StopIteration as end:
                return cast("T", end.value)
            answer = error = None
            try:
                answer = await self._do(step, until)
            except Exception as failure:  # noqa: BLE001 - the source says what it means
                error = failure

    async def _do(self, step: Step, until: float | None) -> Any:
        if isinstance(step, Ask):
            return await self._ask(step, until)
        left = left_until(until, self.clocks.monotonic())
        with anyio.move_on_after(left):
            if isinstance(step, Run):
                return await _in_thread(partial(completed, step, left))
            if isinstance(step, Read):
                return await _in_thread(partial(contents, step))
            return await _result_of(step)
        raise late()

    async def _ask(self, ask: Ask, until: float | None) -> Response:
        world = World(self.clocks.monotonic, self.clocks.rand, log_try)
        call = call_of(ask, left_until(until, self.clocks.monotonic()), world)

        async def attempt(call: HttpCall) -> Response:
            exchange = await self._sender.send(call.request, call.phases())
            response = await exchange.read()
            return accepted(response, datetime.now(UTC))

        return await repeat(call, self.clocks.sleep, attempt)
