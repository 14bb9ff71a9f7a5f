"""A connection of asyncio that breaks while a request is written."""

import asyncio
import contextlib
import logging
import threading

import pytest
import raw_server
import tls_server
from raw_server import response

from databricks_serving._http import asyncio_streams
from databricks_serving._http.asyncio_backend import AsyncioBackend
from databricks_serving._http.breaks import WriteError
from databricks_serving._http.watch import Watch

REFUSAL = response(b"big", status="413 Payload Too Large")


class Refusing:
    """A server that, once asked to, gives an answer and breaks the connection off."""

    def __init__(self, *, secure):
        self.secure = secure
        self._go, self._gone = threading.Event(), threading.Event()
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        server = raw_server.raw_server(instead=(self._refuse,))
        self.port = self._stack.enter_context(server).port
        return self

    def __exit__(self, *_):
        self._go.set()
        self._stack.close()

    def refuse(self):
        """Have it do so; all that it did has come when this returns."""
        self._go.set()
        assert self._gone.wait(5)

    def _refuse(self, connection):
        if self.secure:
            connection = tls_server.server_context().wrap_socket(connection, server_side=True)
        with connection, contextlib.suppress(OSError):
            self._go.wait(5)
            connection.sendall(REFUSAL)
            raw_server.reset(connection)
        self._gone.set()

    async def connect(self, backend, watch):
        """Return a connection to it."""
        stream = await backend.connect("127.0.0.1", self.port, watch)
        if self.secure:
            await stream.start_tls(tls_server.client_context(), "127.0.0.1", watch)
        return stream


def after_the_first_piece(stream, action, monkeypatch):
    """Have something happen between the first piece of a request and the second."""
    taken = stream._taken

    async def taken_and_then(seconds):
        result = await taken(seconds)
        monkeypatch.setattr(stream, "_taken", taken)
        action()
        return result

    monkeypatch.setattr(stream, "_taken", taken_and_then)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_an_answer_that_came_between_two_pieces_of_a_request_is_read(
    build, phases, monkeypatch, secure
):
    monkeypatch.setattr(asyncio_streams, "_WRITE", 1024)

    async def main(server):
        backend, watch = AsyncioBackend(0), Watch(phases(build("http://h")), own=True)
        stream = await server.connect(backend, watch)
        after_the_first_piece(stream, server.refuse, monkeypatch)
        with pytest.raises(WriteError):
            await stream.write(b"a" * 5000, watch)
        answer = await stream.read(1000, watch)
        backend.close()
        return answer

    with Refusing(secure=secure) as server:
        assert asyncio.run(main(server)) == REFUSAL


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_request_counts_as_written_only_if_the_connection_held(
    build, phases, monkeypatch, caplog, secure
):
    monkeypatch.setattr(asyncio_streams, "_WRITE", 1024)
    caplog.set_level(logging.WARNING)

    async def main(server):
        backend, watch = AsyncioBackend(0), Watch(phases(build("http://h")), own=True)
        stream = await server.connect(backend, watch)
        after_the_first_piece(stream, stream._base.abort, monkeypatch)
        with pytest.raises(WriteError):
            await stream.write(b"a" * 50_000, watch)
        backend.close()
        return watch

    with Refusing(secure=secure) as server:
        watch = asyncio.run(main(server))
    assert watch.torn
    assert not watch.phases.sent
    # Each write to a connection that is lost is one.
    assert not caplog.records
