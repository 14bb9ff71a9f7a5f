"""Event loops: which one runs here, and how to have it do something from elsewhere."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from databricks_serving.errors import ServingError

Work = Callable[[], Coroutine[Any, Any, None]]

# A task that nobody holds may be collected before it is done.
_tasks: set[asyncio.Task[None]] = set()


def running_loop() -> Any:
    """Return the event loop of asyncio, or the token of trio's, that runs in this thread.

    Raises:
        ServingError: When none does.
    """
    with suppress(RuntimeError):
        return asyncio.get_running_loop()
    trio = sys.modules.get("trio")
    if trio is not None:
        with suppress(RuntimeError):
            return trio.lowlevel.current_trio_token()
    raise ServingError("no event loop is running: await the call under asyncio or trio")


def is_asyncio(loop: Any) -> bool:
    """Tell asyncio's loops from trio's."""
    return isinstance(loop, asyncio.AbstractEventLoop)


def has_ended(loop: Any) -> bool:
    """Tell whether a loop of asyncio will run no more."""
    return is_asyncio(loop) and loop.is_closed()


def run_soon(loop: Any, work: Work) -> None:
    """Have a loop do some work, from any thread; nothing is done if it has ended."""
    if is_asyncio(loop):
        call_soon(loop, partial(_start, loop, work))
    else:
        call_soon(loop, partial(sys.modules["trio"].lowlevel.spawn_system_task, _quietly, work))


def call_soon(loop: Any, function: Callable[[], object]) -> None:
    """Have a loop call a function, from any thread; nothing is done if it has ended."""
    if is_asyncio(loop):
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(function)
        return
    with suppress(sys.modules["trio"].RunFinishedError):
        loop.run_sync_soon(function)


def _start(loop: asyncio.AbstractEventLoop, work: Work) -> None:
    task = loop.create_task(_quietly(work))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _quietly(work: Work) -> None:
    # What is left over is closed: that it broke meanwhile is nobody's business.
    with suppress(Exception):
        await work()
