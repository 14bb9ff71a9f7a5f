"""How costs grow with the size of things: clients, endpoints, messages, tools, streams, batches."""

import json
import math
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from databricks_serving import ServingClient
from serving_bench.clients.common import TOKEN
from serving_bench.server import pin

ROUNDS: Final = 5
Work = Callable[[], Any]


def clients(host: str, number: int) -> Work:
    """Calls by one client after the other."""
    made = [ServingClient(host, TOKEN) for _ in range(number)]
    return lambda: [chat(client, "bench-chat") for client in made]


def endpoints(host: str, number: int) -> Work:
    """Calls to one endpoint after the other."""
    client = ServingClient(host, TOKEN)
    return lambda: [chat(client, f"n{index}-bench-chat") for index in range(number)]


def messages(host: str, number: int) -> Work:
    """A call with many messages."""
    client = ServingClient(host, TOKEN)
    talk = [
        {"role": ("user", "assistant")[index % 2], "content": f"This is message {index}."}
        for index in range(number)
    ]
    return lambda: chat(client, "bench-chat", messages=talk)


def tools(host: str, number: int) -> Work:
    """A call with many tools."""
    client = ServingClient(host, TOKEN)
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    known = [
        {"type": "function", "function": {"name": f"tool_{index}", "parameters": schema}}
        for index in range(number)
    ]
    return lambda: chat(client, "bench-chat", tools=known)


def stream(host: str, number: int) -> Work:
    """A stream of many chunks, read to its end."""
    client = ServingClient(host, TOKEN)

    def read() -> None:
        for _ in chat(client, f"bench-events-{number}", stream=True):
            pass

    return read


def batch(host: str, number: int) -> Work:
    """Many texts embedded in one request."""
    client = ServingClient(host, TOKEN)
    texts = [f"text number {index}" for index in range(number)]
    name = f"bench-floats-{number}"
    return lambda: client.embeddings.create(model=name, input=texts).vectors


def chat(client: ServingClient, model: str, **arguments: Any) -> Any:
    """Make a call."""
    create: Any = client.chat.completions.create
    return create(model=model, **{"messages": [{"role": "user", "content": "Hi"}]} | arguments)


KINDS: Final[dict[str, tuple[Callable[[str, int], Work], tuple[int, ...]]]] = {
    "clients": (clients, (1, 10, 100)),
    "endpoints": (endpoints, (1, 10, 100, 1000)),
    "messages": (messages, (1, 10, 100, 1000)),
    "tools": (tools, (1, 10, 100, 1000)),
    "chunks of a stream": (stream, (10, 100, 1000, 10_000, 100_000)),
    "texts of a batch": (batch, (1, 16, 128, 1024)),
}
# By which power of a size its cost may grow: 1 is in proportion, 2 is quadratic. What no longer
# fits into the caches of a processor costs a little more than its share.
MOST: Final = 1.2


def cost(work: Work) -> float:
    """Return the CPU seconds of some work, repeated until they can be told."""
    work()
    times = 1
    while True:
        began = time.process_time()
        for _ in range(times):
            work()
        took = time.process_time() - began
        if took > 0.05:  # noqa: PLR2004 - seconds
            return took / times
        times *= 4


def main() -> None:
    """Print the cost of each size of each kind."""
    pin(0)
    host = sys.argv[1]
    found: dict[str, dict[int, float]] = {}
    for kind, (make, sizes) in KINDS.items():
        found[kind] = {size: min(_costs(make(host, size), size)) for size in sizes}
    print(json.dumps(found), flush=True)


def _costs(work: Work, size: int) -> list[float]:
    rounds = 3 if size >= 10_000 else ROUNDS  # noqa: PLR2004 - these take long
    return [cost(work) for _ in range(rounds)]


def exponent(costs: dict[str, float]) -> float:
    """Return by which power of the size a cost grows, over the last three sizes."""
    first, *_, last = sorted(costs, key=int)[-3:]
    return math.log(costs[last] / costs[first]) / math.log(int(last) / int(first))


def super_linear(found: dict[str, dict[str, float]]) -> list[str]:
    """Return what grows faster than the size that it is of, in words."""
    powers = {kind: exponent(costs) for kind, costs in found.items()}
    return [
        f"the cost of {kind} grows by the power {power:.2f} of their number"
        for kind, power in powers.items()
        if power > MOST
    ]


if __name__ == "__main__":
    main()
