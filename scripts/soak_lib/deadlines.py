"""Answers that never end: a call ends at its deadline all the same."""

import asyncio
import time

from databricks_serving import AsyncServingClient, ServingClient, ServingError
from soak_lib.measure import TOKEN, USER, expect, server

_ENDPOINTS = (
    "silent",
    "dripping-head",
    "dripping-body",
    "comments",
    "dripping-event",
    "endless-events",
    "busy",
)
_DEADLINE = 0.5
_LATE = 0.25


def figure(*, long: bool) -> str:
    """F-12: no call ends later than a quarter of a second after its deadline."""
    late: dict[str, float] = {}
    with server() as host:
        for name in _ENDPOINTS * (3 if long else 1):
            for stream in (False, True):
                taken = _sync(host, name, stream=stream)
                taken = max(taken, asyncio.run(_async(host, name, stream=stream)))
                late[name] = max(late.get(name, 0.0), taken - _DEADLINE)
    name = max(late, key=lambda one: late[one])
    expect(late[name] <= _LATE, f"{name} ended {late[name] * 1000:.0f} ms too late")
    return (
        f"{len(_ENDPOINTS)} answers that never end, whole and streamed, both clients: at most "
        f"{late[name] * 1000:.0f} ms after a deadline of {_DEADLINE:g} s"
    )


def _sync(host: str, name: str, *, stream: bool) -> float:
    started = time.monotonic()
    with ServingClient(host, TOKEN, deadline=_DEADLINE, max_retries=10) as client:
        try:
            if stream:
                for _ in client.chat.completions.create(model=name, messages=USER, stream=True):
                    pass
            else:
                client.chat.completions.create(model=name, messages=USER)
        except ServingError:
            return time.monotonic() - started
    raise AssertionError(f"{name} ended well")


async def _async(host: str, name: str, *, stream: bool) -> float:
    started = time.monotonic()
    async with AsyncServingClient(host, TOKEN, deadline=_DEADLINE, max_retries=10) as client:
        try:
            if stream:
                async for _ in await client.chat.completions.create(
                    model=name, messages=USER, stream=True
                ):
                    pass
            else:
                await client.chat.completions.create(model=name, messages=USER)
        except ServingError:
            return time.monotonic() - started
    raise AssertionError(f"{name} ended well")
