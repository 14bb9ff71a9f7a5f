"""Many calls at once: what they cost over the bare transport, and what a sick server gets."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpcore2
import httpx

from databricks_serving import AsyncServingClient, RetryPolicy, ServingClient, errors
from soak_lib.measure import TOKEN, USER, ask, cpu, expect, server

_BURST = 35
_ROUNDS = 5
_OVERHEAD = 1.2
_COPY = 100


def overhead(*, long: bool) -> str:
    """F-6: a call costs at most a fifth more than a plain HTTP client that checks nothing."""
    calls = 2000 if long else 500
    with server() as host:
        post = _post(host)
        plain = _ratio(lambda: _sync_ours(host, calls), lambda: _sync_plain(post, calls))
        bare = _ratio(lambda: _sync_ours(host, calls), lambda: _sync_bare(post, calls))
        shared = _ratio(
            lambda: asyncio.run(_async_ours(host, calls)),
            lambda: asyncio.run(_async_plain(post, calls)),
        )
    expect(max(plain, shared) <= _OVERHEAD, f"CPU {plain:.2f} sync and {shared:.2f} async")
    return (
        f"CPU of a typed call against httpx.Client().post: {plain:.2f}, async at 32 "
        f"{shared:.2f}; against the pool of httpcore2 alone: {bare:.2f}"
    )


def _ratio(ours: Callable[[], None], other: Callable[[], None]) -> float:
    return sorted(_cpu_of(ours) / _cpu_of(other) for _ in range(_ROUNDS))[_ROUNDS // 2]


def _cpu_of(work: Callable[[], object]) -> float:
    before = cpu()
    work()
    return cpu() - before


def _post(host: str) -> dict[str, Any]:
    """Return the request that the client sends, as keywords."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(404, json={})

    with (
        ServingClient(host, TOKEN, transport=httpx.MockTransport(answer)) as client,
        suppress(errors.NotFoundError),
    ):
        client.chat.completions.create(model="chat", messages=USER)
    headers = {k: v for k, v in sent[0].headers.items() if k != "content-length"}
    return {"url": str(sent[0].url), "headers": headers, "content": sent[0].content}


def _sync_ours(host: str, calls: int) -> None:
    with ServingClient(host, TOKEN) as client:
        for _ in range(calls):
            client.chat.completions.create(model="chat", messages=USER)


def _sync_plain(post: dict[str, Any], calls: int) -> None:
    with httpx.Client(timeout=30) as client:
        for _ in range(calls):
            client.post(**post).json()


def _sync_bare(post: dict[str, Any], calls: int) -> None:
    length = {"content-length": str(len(post["content"]))}
    headers = {**post["headers"], **length}
    with httpcore2.ConnectionPool() as pool:
        for _ in range(calls):
            pool.request("POST", post["url"], headers=headers, content=post["content"])


async def _at_once(calls: int, one: Callable[[], Awaitable[object]], width: int = 32) -> None:
    left = iter(range(calls))

    async def lane() -> None:
        for _ in left:
            await one()

    await asyncio.gather(*[lane() for _ in range(width)])


async def _async_ours(host: str, calls: int) -> None:
    async with AsyncServingClient(host, TOKEN) as client:
        await _at_once(calls, lambda: client.chat.completions.create(model="chat", messages=USER))


async def _async_plain(post: dict[str, Any], calls: int) -> None:
    limits = httpx.Limits(max_connections=1000)
    async with httpx.AsyncClient(timeout=30, limits=limits) as client:

        async def one() -> object:
            return (await client.post(**post)).json()

        await _at_once(calls, one)


def copies(*, long: bool) -> str:
    """A copy of a client with other options costs microseconds."""
    rounds = 20_000 if long else 2_000
    with ServingClient("https://w.example.com", TOKEN) as client:
        taken = _cpu_of(lambda: [client.with_options(timeout=5) for _ in range(rounds)])
    each = taken / rounds * 1e6
    expect(each <= _COPY, f"it costs {each:.0f} microseconds")
    return f"with_options() takes {each:.1f} microseconds"


def sick(*, long: bool) -> str:
    """F-11: a server that fails for everybody gets few calls more, and all once it is well."""
    callers = 1000 if long else 300
    policy = RetryPolicy(base=0.01, cap=0.05)
    with server() as host, ServingClient(host, TOKEN, retry=policy) as client:
        failed = _failures(client, callers)
        asked = ask(host, "/count")["sick"]
        expect(failed == callers, f"{callers - failed} calls did not fail")
        most = 1.1 * callers + _BURST
        expect(asked <= most, f"{asked} requests for {callers} calls, more than {most:.0f}")
        ask(host, "/heal")
        started = time.monotonic()
        failed = _failures(client, callers)
        healed = time.monotonic() - started
        expect(failed == 0, f"{failed} calls failed on a server that is well")
        expect(healed < 10, f"{callers} calls took {healed:.1f} s after recovery")  # noqa: PLR2004 - seconds
    return (
        f"{callers} calls on a sick server: {asked} requests (most {most:.0f}); "
        f"then {callers} good ones in {healed:.1f} s"
    )


def _failures(client: ServingClient, calls: int) -> int:
    def fails(_: int) -> bool:
        try:
            client.chat.completions.create(model="sick", messages=USER)
        except errors.InternalServerError:
            return True
        return False

    with ThreadPoolExecutor(32) as pool:
        return sum(pool.map(fails, range(calls)))


def threads(*, long: bool) -> str:
    """L-03: many threads on one client get their own answers."""
    calls = 10_000 if long else 1000
    crossed: list[str] = []
    lock = threading.Lock()
    with server() as host, ServingClient(host, TOKEN) as client:

        def one(number: int) -> None:
            if number % 10:
                text = client.chat.completions.create(model="chat", messages=USER).text
                good = text.startswith("Words of an answer.")
            else:
                with client.chat.completions.stream(model="burst", messages=USER) as stream:
                    text = "".join(stream.text_stream)
                good = text == "word " * 1001
            if not good:
                with lock:
                    crossed.append(text[:80])

        with ThreadPoolExecutor(64) as pool:
            list(pool.map(one, range(calls)))
    expect(not crossed, f"{len(crossed)} wrong answers, such as {crossed[:1]}")
    return f"{calls} calls on 64 threads, a tenth of them streams: 0 wrong"
