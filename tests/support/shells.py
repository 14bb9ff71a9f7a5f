"""Both clients under one set of verbs, over a fake transport and a fake clock."""

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import contextmanager

import httpx
import wire

from databricks_serving import AsyncServingClient, ServingClient
from databricks_serving.testing import FakeTime


class FakeTransport(httpx.MockTransport):
    """A transport that keeps what is sent and counts how often it is closed."""

    def __init__(self, handler):
        super().__init__(self.handle)
        self.answer = handler
        self.requests = []
        self.closed = 0

    def handle(self, request):
        self.requests.append(request)
        return self.answer(request)

    @property
    def bodies(self):
        return [json.loads(request.content) for request in self.requests]

    def close(self):
        self.closed += 1

    async def aclose(self):
        self.closed += 1


class SyncShell:
    """The blocking client, under the verbs that both shells share."""

    name = "sync"
    client_class = ServingClient

    def __init__(self):
        self.clock = FakeTime()
        self.transport: FakeTransport | None = None

    def client(self, answer: Callable | httpx.Response = None, *, rand=0.0, **options):
        """Make a client over a fake transport and a fake clock."""
        handler = answer if callable(answer) else lambda _: answer
        self.transport = FakeTransport(handler)
        client = self.client_class(wire.HOST, wire.TOKEN, transport=self.transport, **options)
        clocks = client._caller.credentials.clocks
        clocks.monotonic = clocks.wall = self.clock.monotonic
        clocks.sleep, clocks.rand = self._sleep, lambda: rand
        return client

    @property
    def _sleep(self):
        return self.clock.sleep

    def wait(self, value):
        """Return the result of a call."""
        return value

    def items(self, iterable):
        """Read to the end."""
        return list(iterable)

    def next(self, iterator):
        """Read one item."""
        return next(iterator if hasattr(iterator, "__next__") else iter(iterator))

    @contextmanager
    def opened(self, manager):
        """Enter a context manager of the client."""
        with manager as entered:
            yield entered

    def finish(self):
        """Let nothing run on."""


class AsyncShell(SyncShell):
    """The asynchronous client under the same verbs, in one event loop."""

    name = "async"
    client_class = AsyncServingClient

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()

    @property
    def _sleep(self):
        return self.clock.sleep_async

    def wait(self, value):
        async def run():
            return await value

        return self.runner.run(run())

    def items(self, iterable):
        async def run():
            return [item async for item in iterable]

        return self.runner.run(run())

    def next(self, iterator):
        async def run():
            return await anext(iterator if hasattr(iterator, "__anext__") else aiter(iterator))

        return self.runner.run(run())

    @contextmanager
    def opened(self, manager):
        entered = self.wait(manager.__aenter__())
        try:
            yield entered
        finally:
            self.wait(manager.__aexit__(*sys.exc_info()))

    def finish(self):
        self.runner.close()
