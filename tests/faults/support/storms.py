"""Many calls that are given up at random moments."""

import asyncio
import random
from collections.abc import Callable
from typing import Any


async def cancel_many(
    start: Callable[[], Any], *, rounds: int, calls: int, seconds: float, seed: int = 1
) -> int:
    """Make calls that are cancelled after a random time; return how many were.

    Args:
        start: Begins a call.
        rounds: Number of rounds, one after the other.
        calls: Calls at the same time.
        seconds: The longest time before a call is given up.
        seed: Of the random times.
    """
    chance = random.Random(seed)  # noqa: S311 - a test wants the same times again
    cancelled = 0
    for _ in range(rounds):
        waits = [chance.uniform(0, seconds) for _ in range(calls)]
        ends = await asyncio.gather(
            *(asyncio.wait_for(start(), wait) for wait in waits), return_exceptions=True
        )
        cancelled += sum(isinstance(end, TimeoutError) for end in ends)
    return cancelled
