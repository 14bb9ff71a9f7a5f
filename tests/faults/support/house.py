"""Servers and clients of one row, watched: what they show, and what they leave behind."""

import asyncio
import gc
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import raw_server
import wire

from .canary import PASSWORD, PROMPT, SECRET, TOKEN, find
from .capture import Listener
from .leaks import Base, gone, running_tasks
from .pools import busy
from .showing import shown_error, shown_result, shown_value

USER = [{"role": "user", "content": PROMPT}]
REPLY = json.dumps(wire.chat("Hi")).encode()
GOOD = raw_server.response(REPLY, "Content-Type: application/json")
# Values of default headers stand here, see test_secrets.py; and the pool of the library that
# connects keeps the password that it has to tell the proxy.
KEPT = re.compile(r"vars\._caller\.(settings\.headers|sender\..*\.pool\..*_proxy)")
_INPUTS = {
    "chat": {"messages": USER},
    "completions": {"prompt": PROMPT},
    "embeddings": {"input": [PROMPT]},
}


def resource_of(client: Any, task: str) -> Any:
    """Return the resource of a client for a task."""
    return client.chat.completions if task == "chat" else getattr(client, task)


class House:
    """Makes servers and clients for a row and drives them under the verbs of both clients.

    Whatever a call returns or raises is searched for the canaries on its way.
    """

    def __init__(self, shell: Any, listener: Listener, output: Callable[[], tuple[str, str]]):
        self.shell = shell
        self.clock = shell.clock
        self.kind = shell.name
        self._listener = listener
        self._output = output
        self._base = Base()
        self._stack = ExitStack()
        self._clients: list[tuple[Any, bool]] = []
        self._servers: list[raw_server.RawServer] = []
        self._leaks: list[str] = []

    # What a row builds.

    def server(self, *answers: Any, **options: Any) -> raw_server.RawServer:
        """Run a server: a good answer follows those given."""
        options = {"then": GOOD} | options
        server = self._stack.enter_context(raw_server.raw_server(*answers, **options))
        self._servers.append(server)
        return server

    def enter(self, manager: Any) -> Any:
        """Enter a context manager that ends with the row."""
        return self._stack.enter_context(manager)

    def client(
        self,
        host: str | None,
        *,
        token: str | None = TOKEN,
        on_clock: bool = False,
        rand: float = 0.0,
        healthy: bool = True,
        **options: Any,
    ) -> Any:
        """Make a client that knows all canaries.

        Args:
            host: Where to.
            token: The token that it is given.
            on_clock: Whether time passes only where the client sleeps.
            rand: What chance says.
            healthy: Whether the client must serve a good call at the end of the row.
            options: Of the client.
        """
        given = {
            "default_headers": {"x-client-secret": SECRET},
            "proxy": f"http://user:{PASSWORD}@127.0.0.1:9",
        } | options
        client = self.shell.client_class(host, token, **given)
        client._caller.credentials.clocks.rand = lambda: rand
        if on_clock:
            client._caller.credentials.clocks.monotonic = self.clock.monotonic
            client._caller.credentials.clocks.sleep = self.shell._sleep
        self._clients.append((client, healthy))
        return client

    def serve(
        self, *answers: Any, on_clock: bool = False, rand: float = 0.0, **options: Any
    ) -> tuple[raw_server.RawServer, Any]:
        """Run a server with answers, and a client for it."""
        server = self.server(*answers)
        return server, self.client(server.host, on_clock=on_clock, rand=rand, **options)

    # What a row does.

    def start(self, client: Any, task: str = "chat", **arguments: Any) -> Any:
        """Begin a call; what it returns is for `wait`."""
        arguments = {"model": "m"} | _INPUTS[task] | arguments
        return resource_of(client, task).create(**arguments)

    def call(self, client: Any, task: str = "chat", *, echoed: bool = False, **arguments: Any):
        """Make a call that gives a reply, or a stream of chunks with `stream=True`.

        Args:
            client: Who calls.
            task: `chat`, `completions` or `embeddings`.
            echoed: Whether the server repeats the prompt.
            arguments: Of the call.
        """
        reply = self.shell.wait(self.start(client, task, **arguments))
        if not arguments.get("stream"):
            self.show(reply, echoed=echoed)
        return reply

    def fails(self, client: Any, kind: type, match: str | None = None, **arguments: Any) -> Any:
        """Make a call that raises exactly this kind of error; return the error."""
        with self.raising(kind, match) as caught:
            self.call(client, **arguments)
        return caught.value

    def events(self, client: Any, task: str = "chat", **arguments: Any) -> Any:
        """Return a stream of events that is not open yet, for `opened`."""
        arguments = {"model": "m"} | _INPUTS[task] | arguments
        arguments.pop("stream", None)
        return resource_of(client, task).stream(**arguments)

    def breaks(self, stream: Any, kind: type, match: str | None = None) -> tuple[list[Any], Any]:
        """Read a stream until it raises exactly this kind of error; return chunks and error."""
        chunks: list[Any] = []
        with self.raising(kind, match) as caught:
            while True:
                chunks.append(self.next(stream))
        return chunks, caught.value

    def items(self, stream: Any) -> list[Any]:
        """Read a stream to its end."""
        return self.shell.items(stream)

    def next(self, iterator: Any) -> Any:
        """Read one chunk of a stream, or one item of what `iterate` gave."""
        return self.wait(anext(iterator)) if self.kind == "async" else next(iterator)

    def iterate(self, stream: Any) -> Any:
        """Begin a loop over a stream."""
        return aiter(stream) if self.kind == "async" else iter(stream)

    def text(self, client: Any, task: str = "chat", **arguments: Any) -> str:
        """Make a streamed call; return the text of its first choice."""
        chunks = self.items(self.call(client, task, stream=True, **arguments))
        return "".join(chunk.text for chunk in chunks)

    def wait(self, value: Any) -> Any:
        """Return the result of what a client's method gave."""
        return self.shell.wait(value)

    def opened(self, manager: Any) -> Any:
        """Enter a context manager of the client, for a `with` block."""
        return self.shell.opened(manager)

    def together(self, calls: list[Callable[[], Any]]) -> list[Any]:
        """Make calls at the same time; return their results and exceptions in order."""
        if self.kind == "async":
            return self.shell.wait(_gather(calls))
        with ThreadPoolExecutor(len(calls)) as pool:
            futures = [pool.submit(call) for call in calls]
            return [future.exception() or future.result() for future in futures]

    @contextmanager
    def raising(self, kind: type, match: str | None = None):
        """Expect exactly this kind of error in a block, and search it for the canaries."""
        with pytest.raises(kind, match=match) as caught:
            yield caught
        assert type(caught.value) is kind, caught.value
        self.show(caught.value)

    def show(self, value: Any, *, echoed: bool = False) -> None:
        """Search whatever a value shows for the canaries."""
        shown = shown_error if isinstance(value, BaseException) else shown_result
        self._search(shown(value), prompt=not echoed)

    def busy(self, client: Any) -> list[str]:
        """Return what still uses connections of a client; waits up to a second for nothing."""
        return gone(lambda: busy(client), self._turn)

    @property
    def waited(self) -> float:
        """Seconds that clients on the clock have slept."""
        return sum(self.clock.slept)

    # What is checked after every row.

    def check_health(self) -> None:
        """Have the same clients serve good calls, with nothing of the row still in use."""
        for server in self._servers:
            server.skip()
        for client, healthy in self._clients:
            in_use = self.busy(client)
            assert in_use == [], in_use
            if healthy:
                assert self.call(client).text == "Hi", "no good answer after the row"

    def check_secrets(self) -> None:
        """Search the clients, what was logged and what was printed."""
        for client, _ in self._clients:
            self._search(one for one in shown_value(client) if not KEPT.match(one[0]))
        self._search(("log", text) for text in self._listener.texts)
        self._search(zip(("stdout", "stderr"), self._output(), strict=True))

    def close(self) -> None:
        """Close everything; what cannot be closed is told by `check_leaks`."""
        for client, _ in self._clients:
            self.wait(client.close())
        self._clients.clear()
        self._stack.close()
        runner = getattr(self.shell, "runner", None)
        if runner is not None:
            loop = runner.get_loop()
            self._leaks += gone(lambda: running_tasks(loop), self._turn)
        self.shell.finish()

    def check_leaks(self) -> None:
        """Compare descriptors, threads and tasks with the beginning."""
        gc.collect()
        left = self._leaks + gone(self._base.leftovers)
        assert left == [], left

    def _turn(self) -> None:
        if self.kind == "async":
            self.wait(asyncio.sleep(0))

    def _search(self, shown: Any, *, prompt: bool = True) -> None:
        found = [
            f"{name} in {where}" for where, text in shown for name in find(text, prompt=prompt)
        ]
        assert not found, found


async def _gather(calls: list[Callable[[], Any]]) -> list[Any]:
    return await asyncio.gather(*(call() for call in calls), return_exceptions=True)
