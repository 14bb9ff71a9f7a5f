"""The results as a page: tables, charts, and what was asked for."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from serving_bench import chart
from serving_bench.growth import exponent, super_linear
from serving_bench.scenarios import SCENARIOS
from serving_bench.targets import TARGETS, Results, figures

_PACKAGES: Final = (
    "databricks-serving", "openai", "databricks-sdk", "mlflow-skinny", "httpx", "httpx2",
    "httpcore2", "orjson", "numpy", "pybase64", "pyreqwest", "httpx-aiohttp", "aiohttp",
)  # fmt: skip

_HEAD: Final = """\
# Benchmarks

Written by `scripts/bench/run`, which anyone can run: it makes an environment of its own, serves
answers from memory by a process of its own on a core of its own, and has each client, in a process
of its own on another core, do the same in every round. Figures are medians of {rounds} rounds, and
ratios are medians of the ratios within a round. CPU is that of the client's process alone. There is
no TLS, which costs every client the same. Microseconds differ from machine to machine; ratios
hardly do. The network is loopback: what a model takes to answer is not part of any figure.

{machine}

"Floor" is a socket and a decoder of JSON that obey no rule of HTTP in full: what nothing in Python
undercuts by much.

![CPU by client](benchmarks-costs.svg)
"""


def page(results: Results) -> str:
    """Return the page in Markdown."""
    parts = [_HEAD.format(rounds=results["rounds"], machine=_machine(results))]
    parts += ["## What is asked for\n", targets_table(results)]
    for name, clients in results["costs"].items():
        parts += [f"## {_title(name)}\n", _costs_table(SCENARIOS[name].unit, clients)]
    parts += ["## Before the first call\n", _starting_table(results["starting"])]
    if "growth" in results:
        parts += ["## Growth\n", "![Growth](benchmarks-growth.svg)\n", _growth(results["growth"])]
    return "\n".join(parts)


def write(results: Results, docs: Path) -> None:
    """Write the page and its charts."""
    (docs / "benchmarks.md").write_text(page(results))
    shown = ("chat", "chat-async-32", "events", "text", "floats", "packed")
    costs = {
        _title(name): {client: one["cpu"] * 1e6 for client, one in results["costs"][name].items()}
        for name in shown
    }
    (docs / "benchmarks-costs.svg").write_text(chart.bars(costs, "microseconds of CPU"))
    (docs / "benchmarks-growth.svg").write_text(chart.lines(results["growth"], "CPU of all"))


def targets_table(results: Results) -> str:
    """Return what is asked for, what was measured and whether that is good enough."""
    rows = [
        (
            target.title,
            target.limit(),
            f"{figure:.3g}",
            "yes" if target.passes(figure) else "**no**",
        )
        for target, figure in zip(TARGETS.values(), figures(results).values(), strict=True)
    ]
    return _table(("figure", "asked for", "measured", "reached"), rows)


def machine() -> dict[str, Any]:
    """Return what the figures were taken on."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    found = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(found, platform.processor())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except ImportError:
        return None


def _machine(results: Results) -> str:
    about = results["machine"]
    versions = ", ".join(f"{name} {found}" for name, found in about["versions"].items())
    return (
        f"Machine: {about['processor']}, {about['cores']} cores, {about['system']}, "
        f"{about['python']}. Versions: {versions}."
    )


def _title(name: str) -> str:
    return SCENARIOS[name].title + (" (async)" if "async" in name else "")


def _costs_table(unit: str, clients: dict[str, dict[str, float]]) -> str:
    rows = [
        (
            name,
            f"{one['cpu'] * 1e6:,.1f}",
            f"{one['wall'] * 1e6:,.1f}",
            f"{one['cpu_ratio']:.3f}",
            f"{one['floor_ratio']:.1f}" if "floor_ratio" in one else "",
        )
        for name, one in sorted(clients.items(), key=lambda pair: pair[1]["cpu"])
    ]
    head = (
        "client",
        f"CPU us a {unit}",
        f"time us a {unit}",
        "CPU of openai's",
        "CPU of the floor's",
    )
    return _table(head, rows)


def _starting_table(starting: dict[str, dict[str, float]]) -> str:
    rows = [
        (
            name,
            f"{one['import'] * 1e3:.1f}",
            f"{one['imported'] / 2**20:.1f}",
            f"{one['constructed'] * 1e3:.2f}" if "constructed" in one else "",
            f"{one['called'] / 2**20:.1f}" if "called" in one else "",
        )
        for name, one in starting.items()
    ]
    head = (
        "what", "import, ms", "memory after import, MB", "second client, ms",
        "memory after the first call, MB",
    )  # fmt: skip
    return _table(head, rows)


def _growth(growth: dict[str, dict[str, float]]) -> str:
    rows = [
        (
            kind,
            ", ".join(f"{int(size):,}: {cost * 1e6:,.0f}" for size, cost in costs.items()),
            f"{exponent(costs):.2f}",
        )
        for kind, costs in growth.items()
    ]
    faults = super_linear(growth)
    verdict = "; ".join(faults) or "nothing grows faster than what it is of"
    head = ("number of", "microseconds of CPU, by number", "power of the last three")
    return _table(head, rows) + f"\nA power of 1 is in proportion, one of 2 quadratic: {verdict}.\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
