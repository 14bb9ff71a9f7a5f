"""The life of senders and answers: closing, leaving, forking, and other threads."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx
import pytest
import raw_server
import wire
from raw_server import chunked, response, then_silence

from databricks_serving._http.async_sender import AsyncSender
from databricks_serving._http.asyncio_streams import AsyncioStream
from databricks_serving._http.connections import Connections
from databricks_serving._http.sender import Sender
from databricks_serving._http.slots import Slots
from databricks_serving.errors import APITimeoutError, ClientClosedError, ConfigError, ServingError
from databricks_serving.options import Limits, Timeouts

OK = response(b"{}")
STALLED = then_silence(response(b"ab", length=10))


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def echo(connection):
    """Answer with what was asked, until the client goes."""
    while request := raw_server.read_request(connection):
        connection.sendall(response(request.partition(b"\r\n\r\n")[2]))


def test_a_closed_sender_sends_nothing(kit, serve, build):
    server, sender = serve(then=OK), kit.sender()
    kit.call(sender, build(server.host))
    assert not sender.closed
    kit.wait(sender.close())
    kit.wait(sender.close())
    assert sender.closed
    with pytest.raises(ClientClosedError, match="the client is closed"):
        kit.send(sender, build(server.host))
    assert len(server.requests) == 1


def test_a_sender_that_sent_nothing_can_be_closed(kit):
    kit.wait(kit.sender().close())


@pytest.mark.parametrize("kind", [Sender, AsyncSender])
def test_a_transport_of_the_wrong_kind_is_refused(kind):
    with pytest.raises(ConfigError, match="with the method"):
        kind(object(), Connections())


def test_making_a_sender_opens_nothing_and_starts_nothing(kit):
    threads, files = threading.active_count(), open_files()
    for _ in range(10):
        kit.sender()
    assert threading.active_count() == threads
    assert open_files() == files


def full_backlog(stack):
    """Return the port of a listener that lets nobody in."""
    listener = stack.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    for _ in range(3):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            waiting.connect(listener.getsockname())
    return listener.getsockname()[1]


@pytest.mark.parametrize("stage", ["connect", "handshake"])
def test_closing_wakes_a_thread_that_connects(serve, build, phases, stage):
    with contextlib.ExitStack() as stack:
        if stage == "connect":
            host = f"http://127.0.0.1:{full_backlog(stack)}"
        else:
            host = f"https://127.0.0.1:{serve(instead=(raw_server.deaf,)).port}"
        sender, errors = Sender(None, Connections()), []
        request = build(host, timeouts=Timeouts(connect=5))

        def read():
            with pytest.raises(ClientClosedError) as caught:
                sender.send(request, phases(request))
            errors.append(caught.value)

        thread = threading.Thread(target=read)
        thread.start()
        time.sleep(0.3)
        sender.close()
        thread.join(2)
        assert not thread.is_alive()
        assert len(errors) == 1


@pytest.mark.parametrize("limit", [1, 9])
def test_a_call_that_waits_to_connect_when_the_client_is_closed_sends_nothing(
    kit, serve, build, phases, limit, monkeypatch
):
    """One waits for a place in the pool, or all look up a name."""
    if kit.name == "sync":
        pytest.skip("waking threads is tested apart")
    server = serve(raw_server.silence, then=OK)
    sender = kit.sender(limits=Limits(connections=limit))
    host = server.host
    if limit == 9:
        host = host.replace("127.0.0.1", "localhost")
        slow_names(monkeypatch)
    request = build(host)

    async def main():
        results = []

        async def call():
            with pytest.raises(ClientClosedError) as caught:
                await sender.send(request, phases(request))
            results.append(caught.value)

        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(call)
                await anyio.sleep(0.1)
            (home,) = sender._homes.values()
            await sender.close()
        await anyio.sleep(0.05)
        return results, home.pool.backend.streams

    results, streams = kit.run(main)
    assert len(results) == 2
    assert streams == set()
    assert len(server.requests) == (1 if limit == 1 else 0)


def slow_names(monkeypatch):
    look_up = socket.getaddrinfo

    def slow(*args, **kwargs):
        time.sleep(0.4)
        return look_up(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", slow)


@pytest.mark.parametrize("stage", ["head", "body"])
def test_closing_wakes_a_thread_that_waits(serve, build, phases, stage):
    server = serve(raw_server.silence if stage == "head" else STALLED)
    sender, errors = Sender(None, Connections()), []
    request = build(server.host)

    def read():
        try:
            sender.send(request, phases(request)).read()
        except ServingError as error:
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    time.sleep(0.2)
    started = time.monotonic()
    sender.close()
    thread.join(2)
    assert not thread.is_alive()
    assert time.monotonic() - started < 1
    assert [type(error) for error in errors] == [ClientClosedError]
    assert ("while the answer was read" in str(errors[0])) == (stage == "body")


@pytest.mark.parametrize("stage", ["head", "body"])
def test_closing_wakes_a_task_that_waits(serve, build, phases, stage):
    server = serve(raw_server.silence if stage == "head" else STALLED)
    request = build(server.host)

    async def main():
        sender = AsyncSender(None, Connections())

        async def read():
            return await (await sender.send(request, phases(request))).read()

        task = asyncio.create_task(read())
        await asyncio.sleep(0.2)
        await sender.close()
        async with asyncio.timeout(1):
            with pytest.raises(ClientClosedError):
                await task

    asyncio.run(main())


def test_a_connection_made_after_the_end_is_closed(serve, build, phases, monkeypatch):
    server, sender = serve(then=OK), Sender(None, Connections())
    request, real = build(server.host), socket.getaddrinfo

    def slow(*arguments, **options):
        sender.close()
        return real(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(ClientClosedError):
        sender.send(request, phases(request))
    assert server.requests == []


def test_closing_wakes_those_who_wait_for_a_place(serve, build, phases):
    server = serve(then=STALLED)
    sender, errors = Sender(None, Connections(limits=Limits(connections=1))), []
    request = build(server.host)
    held = sender.send(request, phases(request))

    def read():
        try:
            sender.send(request, phases(request)).read()
        except ServingError as error:
            errors.append(error)

    def hold():
        try:
            held.read()
        except ServingError as error:
            errors.append(error)

    threads = [threading.Thread(target=target) for target in (read, hold)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    sender.close()
    for thread in threads:
        thread.join(2)
        assert not thread.is_alive()
    assert [type(error) for error in errors] == [ClientClosedError] * 2


def test_those_who_wait_for_a_place_get_it_in_order_though_connections_end(
    serve, build, phases, monkeypatch
):
    """Each is given a connection that has ended, and opens another in its place."""
    monkeypatch.setattr(AsyncioStream, "is_spent", lambda _: True)
    server = serve(then=OK)
    requests = [build(server.host, b"%d" % n) for n in range(6)]

    async def main():
        sender = AsyncSender(None, Connections(limits=Limits(connections=1)))
        held = await sender.send(requests[0], phases(requests[0]))

        async def call(request):
            return await (await sender.send(request, phases(request))).read()

        tasks = [asyncio.create_task(call(request)) for request in requests[1:]]
        await asyncio.sleep(0.05)
        await held.read()
        await asyncio.gather(*tasks)
        (home,) = sender._homes.values()
        assert home.pool.slots.count == len(home.pool.backend.streams) == 1
        await sender.close()

    asyncio.run(main())
    bodies = [request.rpartition(b"\r\n")[2] for request in server.requests]
    assert bodies == [b"0", b"1", b"2", b"3", b"4", b"5"]


@pytest.fixture
def no_gc():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_gc")
@pytest.mark.parametrize("read", [False, True])
def test_an_answer_that_is_left_frees_its_place(kit, serve, build, read):
    server = serve(*[chunked(b"ab", ends=False)] * 3, then=OK)
    sender = kit.sender(limits=Limits(connections=1))
    for _ in range(3):
        exchange = kit.send(sender, build(server.host))
        chunks = exchange.chunks()
        if read:
            assert kit.first(chunks) == b"ab"
        left = [exchange, chunks]
        del exchange, chunks
        with pytest.warns(ResourceWarning, match="unclosed answer"):
            leave(kit, left)
    assert kit.call(sender, build(server.host)).body == b"{}"
    assert kit.pool(sender).slots.count == 1
    assert not kit.pool(sender).slots.waiting


@pytest.mark.parametrize("read", [0, 1])
def test_an_answer_may_be_collected_in_the_middle_of_the_pools_work(
    serve, build, phases, monkeypatch, read
):
    server = serve(chunked(b"ab", ends=False), then=OK)
    sender, request = Sender(None, Connections(limits=Limits(connections=2))), build(server.host)
    exchange = sender.send(request, phases(request))
    chunks = exchange.chunks()
    for _ in range(read):
        next(chunks)
    left = [exchange, chunks]
    left.append(left)
    del exchange, chunks, left
    take = Slots.take

    def collect_and_take(slots, ticket):
        monkeypatch.undo()
        gc.collect()
        return take(slots, ticket)

    # The pool asks this while it holds its lock.
    monkeypatch.setattr(Slots, "take", collect_and_take)
    with pytest.warns(ResourceWarning, match="unclosed answer"):
        assert sender.send(request, phases(request)).read().body == b"{}"
    assert sender.send(request, phases(request)).read().body == b"{}"
    (pool,) = sender._pools.values()
    assert pool.slots.count == len(pool.backend.streams) == 1
    assert server.connections == 2
    sender.close()


def test_an_answer_may_be_collected_while_somebody_stops_waiting(serve, build, phases, monkeypatch):
    server = serve(chunked(b"ab", ends=False), then=OK)
    sender = Sender(None, Connections(limits=Limits(connections=1)))
    request = build(server.host, timeouts=Timeouts(pool=0.05))
    left = [sender.send(request, phases(request))]
    left.append(left)
    withdraw = Slots.withdraw

    def collect_and_withdraw(slots, ticket):
        monkeypatch.undo()
        gc.collect()
        return withdraw(slots, ticket)

    monkeypatch.setattr(Slots, "withdraw", collect_and_withdraw)
    del left
    with pytest.warns(ResourceWarning, match="unclosed answer"), pytest.raises(APITimeoutError):
        sender.send(request, phases(request))
    (pool,) = sender._pools.values()
    assert pool.slots.in_use == 0
    sender.close()


def leave(kit, left):
    left.clear()
    if kit.name != "sync":
        kit.wait(idle())


async def idle():
    for _ in range(5):
        await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("read", [0, 1])
def test_an_answer_that_is_closed_frees_its_place(kit, serve, build, read):
    server = serve(*[chunked(b"ab", ends=False)] * 3, then=OK)
    sender = kit.sender(limits=Limits(connections=1))
    for _ in range(3):
        exchange = kit.send(sender, build(server.host))
        chunks = exchange.chunks()
        for _ in range(read):
            kit.first(chunks)
        kit.wait(exchange.close())
        kit.wait(exchange.close())
    assert kit.call(sender, build(server.host)).body == b"{}"
    assert not kit.pool(sender).slots.waiting


@pytest.mark.usefixtures("no_gc")
def test_a_sender_that_is_left_closes_its_connections(serve, build, phases):
    server = serve(then=OK)
    for _ in range(5):
        sender = Sender(None, Connections())
        request = build(server.host)
        sender.send(request, phases(request)).read()
        (pool,) = sender._pools.values()
        (stream,) = pool.backend.streams
        del sender
        assert stream._sock.fileno() == -1


@pytest.mark.usefixtures("no_gc")
def test_an_asynchronous_sender_that_is_left_closes_its_connections(serve, build, phases):
    server = serve(then=OK)
    request = build(server.host)

    async def main():
        for _ in range(10):
            sender = AsyncSender(None, Connections())
            await (await sender.send(request, phases(request))).read()
            (home,) = sender._homes.values()
            backend = home.pool.backend
            assert len(backend.streams) == 1
            del sender, home
            await idle()
            assert not backend.streams

    asyncio.run(main())


def test_a_sender_serves_one_event_loop_after_the_other(serve, build, phases):
    server, sender = serve(then=OK), AsyncSender(None, Connections())
    request = build(server.host)

    async def main():
        for _ in range(2):
            await (await sender.send(request, phases(request))).read()

    for n in range(3):
        asyncio.run(main())
        assert server.connections == n + 1
    asyncio.run(sender.close())


def test_a_sender_serves_two_event_loops_at_once(serve, build, phases):
    server, sender = serve(instead=(echo,) * 20), AsyncSender(None, Connections())

    async def main(name):
        for n in range(20):
            request = build(server.host, b"%d-%d" % (name, n))
            reply = await (await sender.send(request, phases(request))).read()
            assert reply.body == request.content.reveal()

    with ThreadPoolExecutor(3) as workers:
        list(workers.map(lambda name: asyncio.run(main(name)), range(3)))
    asyncio.run(sender.close())


def test_closing_reaches_the_pools_of_other_loops(serve, build, phases):
    server, sender = serve(then=OK), AsyncSender(None, Connections())
    request = build(server.host)

    async def use():
        await (await sender.send(request, phases(request))).read()

    with asyncio.Runner() as runner:
        runner.run(use())
        (home,) = sender._homes.values()
        asyncio.run(sender.close())
        runner.run(idle())
        assert not home.pool.backend.streams


def test_without_an_event_loop_it_says_what_is_needed(serve, build, phases):
    server, sender = serve(then=OK), AsyncSender(None, Connections())
    request = build(server.host)
    with pytest.raises(ServingError, match="await the call under asyncio or trio"):
        sender.send(request, phases(request)).send(None)


def interrupt_at(turn, call):
    """Make a call, and interrupt it at one of the places where Python would; True if it was."""
    left = turn

    def profile(frame, event, _argument):
        nonlocal left
        if event != "c_call" and "databricks_serving" in frame.f_code.co_filename:
            left -= 1
            if left < 0:
                raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        call()
        sys.setprofile(None)
    except KeyboardInterrupt:
        return True
    return False


# Python only reports what comes within a finalizer.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("kept", [True, False])
def test_an_interrupt_loses_no_place_wherever_it_comes(serve, build, phases, kept):
    server, sender = serve(instead=(echo,) * 1000), Sender(None, Connections())
    request, turn = build(server.host), 0

    def call():
        sender.send(request, phases(request)).read()

    call()
    (pool,) = sender._pools.values()
    while interrupt_at(turn, call):
        gc.collect(0)
        assert not pool._lock.locked(), turn
        assert pool.slots.in_use == 0, turn
        turn += 1
        if kept:
            call()
    assert turn > 200
    sender.close()


def test_many_threads_share_one_sender(serve, build, phases):
    server, sender = serve(instead=(echo,) * 100), Sender(None, Connections())

    def work(name):
        for n in range(25):
            request = build(server.host, b"%d-%d" % (name, n))
            assert sender.send(request, phases(request)).read().body == request.content.reveal()

    with ThreadPoolExecutor(32) as workers:
        list(workers.map(work, range(32)))
    sender.close()


def child(work):
    """Run something in a forked child; return whether it went well within 3 s."""
    number = os.fork()
    if number == 0:
        signal.alarm(3)
        try:
            work()
        except BaseException:  # noqa: BLE001 - the child must not go on with the tests
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0


pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_forked_child_has_connections_of_its_own(kit, serve, build):
    if kit.name == "trio":
        pytest.skip("trio runs in a thread here, which a child does not have")
    server, sender = serve(instead=(echo,) * 20), kit.sender()

    def call(content):
        assert kit.call(sender, build(server.host, content)).body == content

    def call_in_child():
        if kit.name == "async":
            kit.runner = asyncio.Runner()
        for n in range(5):
            call(b"child %d" % n)

    call(b"before")
    for n in range(5):
        assert child(call_in_child)
        call(b"parent %d" % n)
    assert server.connections == 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_forked_child_leaves_an_open_answer_to_its_parent(serve, build, phases):
    go = threading.Event()
    tail = raw_server.wait_for(go, b"cd")

    def answer(connection):
        connection.sendall(response(b"ab", length=4))
        tail(connection)

    server, sender = serve(answer), Sender(None, Connections())
    request = build(server.host)
    exchange = sender.send(request, phases(request))
    chunks = exchange.chunks()
    assert next(chunks) == b"ab"
    assert child(exchange.close)
    go.set()
    assert b"".join(chunks) == b"cd"
    exchange.close()
    sender.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_forked_child_is_not_locked_out(serve, build, phases):
    server, sender = serve(instead=(echo,) * 200), Sender(None, Connections())
    request = build(server.host)
    stop = threading.Event()

    def call():
        assert sender.send(request, phases(request)).read().body == request.content.reveal()

    def busy():
        while not stop.is_set():
            call()

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        assert all(child(call) for _ in range(20))
    finally:
        stop.set()
        for thread in threads:
            thread.join(3)
    sender.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_transport_of_the_users_is_kept_in_a_child(build, phases):
    sender = Sender(httpx.MockTransport(lambda _: httpx.Response(200)), Connections())
    request = build(wire.HOST)
    assert child(lambda: sender.send(request, phases(request)).read())
