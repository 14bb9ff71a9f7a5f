"""What the benchmark asks of this client, as ratios of one run."""

from collections.abc import Callable
from statistics import median
from typing import Any, Final, NamedTuple

from serving_bench.rounds import ratio
from serving_bench.scenarios import SCENARIOS

Results = dict[str, Any]
_MB: Final = 1024 * 1024


class Target(NamedTuple):
    """A figure and what it may be.

    Attributes:
        title: What is measured.
        figure: Returns it from the results of a run.
        most: The largest that passes, or, if `least` is set, the smallest.
        least: Whether more is better.
        ratio: Whether it is a ratio of one run, by which runs on other machines can be judged.
    """

    title: str
    figure: Callable[[Results], float]
    most: float
    least: bool = False
    ratio: bool = True

    def passes(self, figure: float) -> bool:
        """Tell whether a figure is as good as asked for."""
        return figure >= self.most if self.least else figure <= self.most

    def worse(self, figure: float, before: float) -> float:
        """Return how much worse a figure is than one before: 1.0 for the same."""
        return before / figure if self.least else figure / before

    def limit(self) -> str:
        """Return what is asked for, for people."""
        return f"{'at least' if self.least else 'at most'} {self.most:g}"


def _cpu(scenario: str, client: str) -> Callable[[Results], float]:
    return lambda results: results["costs"][scenario][client]["cpu_ratio"]


def _rate(scenario: str, client: str) -> Callable[[Results], float]:
    return lambda results: 1 / results["costs"][scenario][client]["wall_ratio"]


def _flat(results: Results) -> float:
    costs = results["costs"]
    alone, many = costs["chat-async"]["ours-async"], costs["chat-async-256"]["ours-async"]
    return many["cpu"] / alone["cpu"]


def _start(key: str, name: str, other: str | None = None, unit: float = 1) -> Any:
    def figure(results: Results) -> float:
        starting = results["starting"]
        return starting[name][key] / (unit if other is None else starting[other][key])

    return figure


TARGETS: Final = {
    "chat": Target("small chat, CPU of openai's", _cpu("chat", "ours"), 0.22),
    "chat-async": Target(
        "small chat, async, one at a time, CPU of openai's",
        _cpu("chat-async", "ours-async"), 0.33,
    ),
    "rate-32": Target(
        "calls a second, 32 at once, times openai's",
        _rate("chat-async-32", "ours-async"), 3.5, least=True,
    ),
    "rate-256": Target(
        "calls a second, 256 at once, times openai's",
        _rate("chat-async-256", "ours-async"), 5.5, least=True,
    ),
    "flat": Target("CPU of a call with 256 at once over one at a time", _flat, 1.2),
    "events": Target("stream, typed, CPU of openai's", _cpu("events", "ours"), 0.16),
    "events-async": Target(
        "stream, typed, async, CPU of openai's", _cpu("events-async", "ours-async"), 0.16
    ),
    "text": Target("stream, text only, CPU of openai's", _cpu("text", "ours"), 0.13),
    "text-async": Target(
        "stream, text only, async, CPU of openai's", _cpu("text-async", "ours-async"), 0.13
    ),
    "paced": Target("stream at live pace, CPU of openai's", _cpu("paced", "ours"), 0.32),
    "paced-async": Target(
        "stream at live pace, async, CPU of openai's", _cpu("paced-async", "ours-async"), 0.50
    ),
    "floats": Target("embeddings as JSON, CPU of openai's", _cpu("floats", "ours"), 0.03),
    "packed": Target(
        "embeddings as base64 to float32, CPU of openai's",
        _cpu("packed", "ours, no pybase64"), 0.30,
    ),
    "packed-fast": Target(
        "embeddings as base64 to float32 with pybase64, CPU of openai's",
        _cpu("packed", "ours"), 0.15,
    ),
    "import": Target("import, time of openai's", _start("import", "ours", "openai"), 0.10),
    "import-httpx": Target("import, time of httpx's", _start("import", "ours", "httpx"), 0.9),
    "constructed": Target(
        "second client, milliseconds", _start("constructed", "ours", unit=1e-3), 1, ratio=False
    ),
    "imported": Target(
        "memory after import, MB", _start("imported", "ours", unit=_MB), 6, ratio=False
    ),
    "called": Target(
        "memory after the first call, MB", _start("called", "ours", unit=_MB), 20, ratio=False
    ),
}  # fmt: skip


def figures(results: Results) -> dict[str, float]:
    """Return the figure of each target."""
    return {name: target.figure(results) for name, target in TARGETS.items()}


def costs_of(measured: dict[str, dict[str, list[Any]]], orders: Any) -> Results:
    """Return medians and ratios of what was measured."""
    costs: Results = {}
    for name, clients in measured.items():
        scenario = SCENARIOS[name]
        peer, floor = clients[scenario.peer], clients.get(scenario.floor or "")
        costs[name] = {}
        for client, rows in clients.items():
            items = [scenario.items(row.items, orders[name]) for row in rows]
            cpu = [row.cpu for row in rows]
            entry = {
                "cpu": median(one / count for one, count in zip(cpu, items, strict=True)),
                "wall": median(row.wall / count for row, count in zip(rows, items, strict=True)),
                "cpu_ratio": ratio(cpu, [row.cpu for row in peer]),
                "wall_ratio": ratio([row.wall for row in rows], [row.wall for row in peer]),
            }
            if floor:
                entry["floor_ratio"] = ratio(cpu, [row.cpu for row in floor])
            costs[name][client] = entry
    return costs
