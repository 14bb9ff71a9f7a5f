"""Cassettes that record calls which are cancelled, and calls of many threads and loops at once."""

import json
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from databricks_serving import AsyncServingClient, ServingClient
from databricks_serving.local import LocalEndpoint
from databricks_serving.testing import Cassette

BACKENDS = ("asyncio", "trio")
CALLS = 8


@pytest.fixture(scope="module")
def local():
    with LocalEndpoint() as running:
        yield running


def said(text):
    return {"model": "local-chat", "messages": [{"role": "user", "content": text}]}


def recordings(folder):
    return [json.loads(path.read_text()) for path in sorted(folder.iterdir())]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_call_that_is_cancelled_leaves_whole_files_and_later_calls_alone(
    local, tmp_path, backend
):
    async def stop_in_a_stream(client):
        with anyio.CancelScope() as scope:
            async with client.chat.completions.stream(**said("word " * 500)) as stream:
                await anext(stream.chunks)
                scope.cancel()
                await anyio.lowlevel.checkpoint()

    async def record():
        async with AsyncServingClient(local.host, local.token) as client:
            with anyio.move_on_after(0):
                await client.chat.completions.create(**said("never sent"))
            await stop_in_a_stream(client)
            return await client.chat.completions.create(**said("after"))

    async def replay():
        async with AsyncServingClient() as client:
            await stop_in_a_stream(client)
            return await client.chat.completions.create(**said("after"))

    folder = tmp_path / "cassette"
    with Cassette(folder, mode="all"):
        assert anyio.run(record, backend=backend).text == "You said: after"
    assert [one.get("ends", "whole") for one in recordings(folder)] == ["left", "whole"]
    with Cassette(folder, allow_unused=False):
        assert anyio.run(replay, backend=backend).text == "You said: after"


def in_a_thread(name, host, token):
    with ServingClient(host, token) as client:
        for number in range(CALLS):
            text = f"{name} {number}"
            assert client.chat.completions.create(**said(text)).text == f"You said: {text}"


def in_a_loop(name, host, token, backend):
    async def ask(client, text):
        async with client.chat.completions.stream(**said(text)) as stream:
            assert "".join([one async for one in stream.text_stream]) == f"You said: {text}"

    async def ask_all():
        async with AsyncServingClient(host, token) as client, anyio.create_task_group() as group:
            for number in range(CALLS):
                group.start_soon(ask, client, f"{name} {number}")

    anyio.run(ask_all, backend=backend)


def at_once(host=None, token=None):
    """Make calls in threads and loops."""
    works = [(in_a_thread, f"thread {number}", host, token) for number in range(2)]
    works += [(in_a_loop, f"loop {name}", host, token, name) for name in BACKENDS]
    works += [(in_a_loop, "another loop", host, token, "asyncio")]
    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(*work) for work in works]:
            future.result()


def test_threads_and_loops_record_into_one_cassette_and_replay_it_at_once(local, tmp_path):
    folder = tmp_path / "cassette"
    with Cassette(folder, mode="all"):
        at_once(local.host, local.token)
    assert len(recordings(folder)) == 5 * CALLS
    with Cassette(folder, allow_unused=False):
        at_once()
