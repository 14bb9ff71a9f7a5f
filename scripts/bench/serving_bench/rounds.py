"""Rounds in which each client in turn does the same, in processes of their own."""

import json
import subprocess
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Final

from serving_bench.worker import Cost, Order

ROUNDS: Final = 5


class BenchmarkError(Exception):
    """A part of the benchmark ended or did less than it was told."""


class Process:
    """A part of the benchmark that runs by itself."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"serving_bench.{module}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._name = " ".join((module, *arguments))

    def line(self) -> str:
        """Return the next line that it says."""
        assert self._process.stdout  # noqa: S101 - asked for above
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError(f"{self._name} ended")
        return line

    def tell(self, order: Order) -> None:
        """Give it an order."""
        assert self._process.stdin  # noqa: S101 - asked for above
        print(json.dumps(order), file=self._process.stdin, flush=True)

    def close(self) -> None:
        """Have it end."""
        with self._process:
            self._process.kill()


@contextmanager
def server() -> Generator[str]:
    """Run the server; give its address."""
    process = Process("server")
    try:
        yield f"http://127.0.0.1:{process.line().strip()}"
    finally:
        process.close()


@contextmanager
def workers(names: Iterable[str], host: str) -> Generator[dict[str, Process]]:
    """Run a process for each client."""
    with ExitStack() as stack:
        made: dict[str, Process] = {}
        for name in names:
            made[name] = Process("worker", name, host)
            stack.callback(made[name].close)
            made[name].line()
        yield made


def measured(
    processes: Mapping[str, Process], orders: Mapping[str, Order], rounds: int = ROUNDS
) -> dict[str, list[Cost]]:
    """Have each client obey its order in every round, after one that does not count.

    The order of clients is turned round from one to the next, so that none always follows another.
    """
    names = list(orders)
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name in names if number % 2 else reversed(names):
            processes[name].tell(orders[name])
            cost = Cost(*json.loads(processes[name].line()))
            if cost.items < orders[name].times:
                raise BenchmarkError(f"{name} gave {cost.items} for {orders[name]}")
            if number:
                costs[name].append(cost)
    return costs


def ratio(costs: Iterable[float], others: Iterable[float]) -> float:
    """Return the median of the ratios of rounds."""
    return median(one / other for one, other in zip(costs, others, strict=True))
