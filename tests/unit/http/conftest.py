"""Both senders under one set of verbs, over real connections on loopback."""

import asyncio
import time
from collections.abc import Iterator

import pytest
import raw_server
import wire
from anyio.from_thread import start_blocking_portal

from databricks_serving._core.phases import Phases
from databricks_serving._core.requests import Request
from databricks_serving._core.secret import Hidden
from databricks_serving._http.async_sender import AsyncSender
from databricks_serving._http.connections import Connections
from databricks_serving._http.sender import Sender
from databricks_serving.options import Limits, Timeouts

TIMEOUTS = Timeouts(pool=2, connect=2, write=2, first_byte=2, idle=2, total=4)


def request_for(host, content=b'{"a": 1}', **changes):
    """Return a request as the core builds them."""
    fields = {
        "endpoint": "m",
        "method": "POST",
        "url": f"{host}/serving-endpoints/m/invocations",
        "headers": {
            "accept": "application/json",
            "accept-encoding": "gzip, deflate",
            "user-agent": "test",
            "authorization": f"Bearer {wire.TOKEN}",
            "content-type": "application/json",
        },
        "content": content,
        "timeouts": TIMEOUTS,
        "limit": 1024 * 1024,
        "idempotent": True,
    }
    fields |= changes
    hidden = {name: Hidden(fields[name]) for name in ("headers", "content")}
    return Request(**(fields | hidden))


def phases_of(request):
    """Return the limits of one try of a request."""
    now = time.monotonic()
    total = request.timeouts.total
    return Phases(request.timeouts, None if total is None else now + total, time.monotonic)


class Blocking:
    """The blocking sender."""

    name = "sync"
    sender_class = Sender

    def __init__(self):
        self.senders = []

    def sender(self, transport=None, limits=None, proxy=None, **connections):
        """Make a sender that is closed after the test."""
        made = Connections(limits=limits or Limits(), proxy_for=lambda _: proxy, **connections)
        self.senders.append(self.sender_class(transport, made))
        return self.senders[-1]

    def send(self, sender, request, phases=None):
        """Send and return the exchange."""
        return self.wait(sender.send(request, phases or phases_of(request)))

    def call(self, sender, request, phases=None):
        """Send and return the whole response."""
        return self.wait(self.send(sender, request, phases).read())

    def wait(self, value):
        """Return the result of a call."""
        return value

    def first(self, chunks):
        """Read one piece."""
        return next(chunks)

    def rest(self, chunks):
        """Read to the end."""
        return b"".join(chunks)

    def pool(self, sender):
        """Return the pool of the default transport."""
        (pool,) = sender._pools.values()
        return pool

    def streams(self, sender):
        """Return the connections of the default transport that are open."""
        (pool,) = sender._pools.values()
        return pool.backend.streams

    def finish(self):
        """Leave nothing open."""
        for sender in self.senders:
            self.wait(sender.close())


class Asynchronous(Blocking):
    """The asynchronous sender, in one event loop."""

    name = "async"
    sender_class = AsyncSender

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()

    def run(self, function):
        """Run an asynchronous function in the loop."""
        return self.runner.run(function())

    def wait(self, value):
        async def run():
            return await value

        return self.run(run)

    def first(self, chunks):
        return self.wait(anext(chunks))

    def rest(self, chunks):
        async def run():
            return b"".join([piece async for piece in chunks])

        return self.run(run)

    def pool(self, sender):
        (home,) = sender._homes.values()
        return home.pool

    def streams(self, sender):
        (home,) = sender._homes.values()
        return home.pool.backend.streams

    def finish(self):
        super().finish()
        self.runner.close()


class OnTrio(Asynchronous):
    """The asynchronous sender, in one run of trio."""

    name = "trio"

    def __init__(self):
        self.senders = []
        self.portal = start_blocking_portal("trio")
        self.runner = self.portal.__enter__()

    def run(self, function):
        return self.runner.call(function)

    def finish(self):
        Blocking.finish(self)
        self.portal.__exit__(None, None, None)


@pytest.fixture(params=[Blocking, Asynchronous, OnTrio], ids=lambda kind: kind.name)
def kit(request) -> Iterator[Blocking]:
    """One of the two senders under the same verbs."""
    kit = request.param()
    yield kit
    kit.finish()


@pytest.fixture
def serve():
    """Start servers that are stopped after the test."""
    managers = []

    def start(*answers, **options):
        managers.append(raw_server.raw_server(*answers, **options))
        return managers[-1].__enter__()

    yield start
    for manager in managers:
        manager.__exit__(None, None, None)


@pytest.fixture
def build():
    """Build requests."""
    return request_for


@pytest.fixture
def phases():
    """Make the limits of one try."""
    return phases_of
