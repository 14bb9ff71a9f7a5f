"""What the clients are made to do, and which of them can."""

from typing import Final, NamedTuple

from serving_bench.worker import Order

BLOCKING: Final = (
    "ours", "openai", "databricks-sdk", "mlflow", "httpx+orjson", "httpcore2+orjson", "floor",
    "ours over httpx", "ours over pyreqwest",
)  # fmt: skip
ASYNC: Final = (
    "ours-async", "openai-async", "httpx-async+orjson", "httpcore2-async+orjson", "floor-async",
    "ours-async over aiohttp", "ours-async over pyreqwest",
)  # fmt: skip
# What a short run leaves out.
QUICK: Final = frozenset(
    {"ours", "ours, no pybase64", "openai", "httpx+orjson", "floor"}
    | {"ours-async", "openai-async", "floor-async"}
)


class Scenario(NamedTuple):
    """Something that each client does in each round.

    Attributes:
        title: What it is, for people.
        unit: What a cost is of.
        order: What a client is told.
        clients: Those that can.
        quick: How often in a short run.
    """

    title: str
    unit: str
    order: Order
    clients: tuple[str, ...]
    quick: int

    @property
    def peer(self) -> str:
        """The client that others are compared with."""
        return next(name for name in self.clients if name.startswith("openai"))

    @property
    def floor(self) -> str | None:
        """The client that nothing undercuts by much."""
        return next((name for name in self.clients if name.startswith("floor")), None)

    def items(self, done: int, order: Order) -> int:
        """Return how many units were done, given how many things came."""
        return done if self.unit == "chunk" else order.times


def _without(names: tuple[str, ...], *left_out: str) -> tuple[str, ...]:
    return tuple(name for name in names if name not in left_out)


_STREAMING: Final = _without(BLOCKING, "databricks-sdk")
_CUTTING: Final = _without(_STREAMING, "floor")
_PACKING: Final = ("ours, no pybase64", *_without(_STREAMING, "mlflow"))

SCENARIOS: Final = {
    "chat": Scenario(
        "A small chat", "call", Order("chat", "bench-chat", 300), BLOCKING, 150
    ),
    "events": Scenario(
        "A stream, typed, each event a chunk of HTTP", "chunk",
        Order("stream", "bench-events-1000", 3), _STREAMING, 1,
    ),
    "text": Scenario(
        "A stream, its text only", "chunk", Order("text", "bench-events-1000", 3), _STREAMING, 1
    ),
    "blocks": Scenario(
        "A stream, typed, in blocks of 16 KiB", "chunk",
        Order("stream", "bench-blocks-1000", 3), _CUTTING, 1,
    ),
    "paced": Scenario(
        "A stream, typed, an event each 250 us", "chunk",
        Order("stream", "bench-paced-500", 2), _STREAMING, 1,
    ),
    "floats": Scenario(
        "64 vectors of 1,024 numbers, as JSON", "batch",
        Order("embed", "bench-floats-64", 10), BLOCKING, 3,
    ),
    "packed": Scenario(
        "64 vectors of 1,024 numbers, as base64 to one float32 array", "batch",
        Order("embed_packed", "bench-packed-64", 30), _PACKING, 15,
    ),
    "chat-async": Scenario(
        "A small chat, one at a time", "call", Order("chat", "bench-chat", 300), ASYNC, 150
    ),
    "chat-async-32": Scenario(
        "Small chats, 32 at once", "call", Order("chat", "bench-chat", 640, 32), ASYNC, 320
    ),
    "chat-async-256": Scenario(
        "Small chats, 256 at once", "call", Order("chat", "bench-chat", 1280, 256), ASYNC, 1536
    ),
    "events-async": Scenario(
        "A stream, typed, each event a chunk of HTTP", "chunk",
        Order("stream", "bench-events-1000", 3), ASYNC, 1,
    ),
    "text-async": Scenario(
        "A stream, its text only", "chunk", Order("text", "bench-events-1000", 3), ASYNC, 1
    ),
    "paced-async": Scenario(
        "A stream, typed, an event each 250 us", "chunk",
        Order("stream", "bench-paced-500", 2), ASYNC, 1,
    ),
    "floats-async": Scenario(
        "64 vectors of 1,024 numbers, as JSON, 8 calls at once", "batch",
        Order("embed", "bench-floats-64", 16, 8), ASYNC, 8,
    ),
}  # fmt: skip
