"""A process with one client in it, which does what it is told on standard input and times it."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from serving_bench.clients import factory, is_async
from serving_bench.server import pin


class Order(NamedTuple):
    """What to do.

    Attributes:
        method: Which method of the client.
        model: Which answer the server is to give.
        times: How often.
        width: How many at once, if the client is asynchronous.
    """

    method: str
    model: str
    times: int
    width: int = 1


class Cost(NamedTuple):
    """What it took, in seconds, and how many things came."""

    cpu: float
    wall: float
    items: int


def timed(work: Callable[[], int]) -> Cost:
    """Return what some work takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    items = work()
    return Cost(time.process_time() - cpu, time.perf_counter() - wall, items)


def items_of(result: object) -> int:
    """Return how many things a call gave: what it counted, or one."""
    return result if isinstance(result, int) else 1


def work_of(client: Any, order: Order) -> Callable[[], int]:
    """Return what makes the calls of a blocking client."""
    method = getattr(client, order.method)
    return lambda: sum(items_of(method(order.model)) for _ in range(order.times))


async def at_once(client: Any, order: Order) -> int:
    """Make the calls of an asynchronous client, some of them at once."""
    method, left = getattr(client, order.method), iter(range(order.times))

    async def one_after_another() -> int:
        return sum([items_of(await method(order.model)) for _ in left])

    return sum(await asyncio.gather(*(one_after_another() for _ in range(order.width))))


def main() -> None:
    """Obey until standard input ends."""
    name, host = sys.argv[1:]
    make = factory(name)
    started = time.process_time()
    client = make(host)
    pin(0)
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    with asyncio.Runner() as runner:
        run = runner.run
        _say(Cost(time.process_time() - started, 0.0, 1))
        for line in sys.stdin:
            order = Order(*json.loads(line))
            if is_async(name):
                _say(timed(lambda order=order: run(at_once(client, order))))
            else:
                _say(timed(work_of(client, order)))
        closed = client.close()
        if closed is not None:
            run(closed)


def _say(cost: Cost) -> None:
    print(json.dumps(cost), flush=True)


if __name__ == "__main__":
    main()
