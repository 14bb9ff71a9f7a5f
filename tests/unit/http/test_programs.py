"""Whole programs that leave things open: they end in silence, with every warning an error."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import raw_server
from raw_server import chunked, response

ROOT = Path(__file__).parents[3]
START = """
import asyncio, gc, sys, threading, time
sys.path[:0] = [{paths}]
from conftest import AsyncSender, Connections, Sender, phases_of, request_for
request = request_for({host!r})
"""
PROGRAMS = {
    "sync, never closed": """
        sender = Sender(None, Connections())
        print(sender.send(request, phases_of(request)).read().body)
    """,
    "sync, left to a cycle": """
        sender = Sender(None, Connections())
        print(sender.send(request, phases_of(request)).read().body)
        cycle = [sender]
        cycle.append(cycle)
        del sender, cycle
        gc.collect()
    """,
    "sync, a thread still reads": """
        sender = Sender(None, Connections())
        print(sender.send(request, phases_of(request)).read().body)
        request = request_for({host!r}, b"stream")
        def read():
            try:
                sender.send(request, phases_of(request)).read()
            except Exception:
                pass
        threading.Thread(target=read, daemon=True).start()
        time.sleep(0.1)
    """,
    "async, never closed": """
        sender = AsyncSender(None, Connections())
        async def main():
            print((await (await sender.send(request, phases_of(request))).read()).body)
        asyncio.run(main())
    """,
    "async, two loops": """
        sender = AsyncSender(None, Connections())
        async def main():
            return (await (await sender.send(request, phases_of(request))).read()).body
        asyncio.run(main())
        print(asyncio.run(main()))
    """,
    "async, a task still reads": """
        async def main():
            sender = AsyncSender(None, Connections())
            print((await (await sender.send(request, phases_of(request))).read()).body)
            stream = request_for({host!r}, b"stream")
            exchange = await sender.send(stream, phases_of(stream))
            global task
            task = asyncio.create_task(exchange.read())
            await asyncio.sleep(0.1)
        asyncio.run(main())
    """,
    "trio, never closed": """
        import trio
        sender = AsyncSender(None, Connections())
        async def main():
            for _ in range(2):
                body = (await (await sender.send(request, phases_of(request))).read()).body
            return body
        trio.run(main)
        print(trio.run(main))
    """,
    "trio, closed": """
        import trio
        async def main():
            sender = AsyncSender(None, Connections())
            print((await (await sender.send(request, phases_of(request))).read()).body)
            await sender.close()
        trio.run(main)
    """,
    "trio, a stream that is left": """
        import trio, warnings
        async def main():
            sender = AsyncSender(None, Connections())
            stream = request_for({host!r}, b"stream")
            exchange = await sender.send(stream, phases_of(stream))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                del exchange
            await trio.sleep(0.05)
            (home,) = sender._homes.values()
            assert not home.pool.slots.waiting
            assert not home.pool.backend.streams
            print((await (await sender.send(request, phases_of(request))).read()).body)
            await sender.close()
        trio.run(main)
    """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_ends_in_silence(serve, name):
    def handler(connection):
        while asked := raw_server.read_request(connection):
            stream = asked.endswith(b"stream")
            connection.sendall(chunked(b"ab", ends=False) if stream else response(b"fine"))

    host = serve(instead=(handler,) * 10).host
    folders = ("wrapper", "generated", "tests/support", "tests/unit/http")
    paths = ", ".join(repr(str(ROOT / folder)) for folder in folders)
    program = START.format(paths=paths, host=host)
    program += textwrap.dedent(PROGRAMS[name]).replace("{host!r}", repr(host))
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("b'fine'\n", "", 0)
