"""Measure, print what was asked for and what was reached, and fail where it was not."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from serving_bench import report, starting
from serving_bench.growth import super_linear
from serving_bench.rounds import ROUNDS, Process, measured, server, workers
from serving_bench.scenarios import QUICK, SCENARIOS, Scenario
from serving_bench.targets import TARGETS, Results, costs_of, figures
from serving_bench.worker import Order

DOCS: Final = Path(__file__).resolve().parents[3] / "docs"
COMMITTED: Final = DOCS / "benchmarks.json"
Figures = dict[str, float]
# A ratio may be this much worse than the committed one before that is a regression.
SLACK: Final = 1.3


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench/run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer clients and calls")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.*")
    parser.add_argument(
        "--regressions",
        action="store_true",
        help="fail where a ratio is 30 %% worse than the committed one, instead of by the targets",
    )
    options = parser.parse_args()
    with server() as host:
        results = _measure(host, quick=options.quick)
        print(report.targets_table(results))
        if options.write:
            COMMITTED.write_text(json.dumps(results, indent=1) + "\n")
            report.write(results, DOCS)
        faults = _judge(results, host, options)
    print(*faults, sep="\n")
    return 1 if faults else 0


def _judge(results: Results, host: str, options: argparse.Namespace) -> list[str]:
    if not options.regressions:
        return missed(results)
    before, now = figures(json.loads(COMMITTED.read_text())), figures(results)
    faults = regressions(now, before)
    if not faults:
        return []
    _say("\n".join(("worse than before; once more, since others may have been at work:", *faults)))
    return regressions(better(now, figures(_measure(host, quick=options.quick))), before)


def better(one: Figures, other: Figures) -> Figures:
    """Return the better of two measurements of each figure."""
    return {
        name: (max if TARGETS[name].least else min)(figure, other[name])
        for name, figure in one.items()
    }


def missed(results: Results) -> list[str]:
    """Return the targets that were not reached, and what grows too fast."""
    faults = [
        f"{TARGETS[name].title}: {figure:.3g}, not {TARGETS[name].limit()}"
        for name, figure in figures(results).items()
        if not TARGETS[name].passes(figure)
    ]
    return faults + super_linear(results.get("growth", {}))


def regressions(now: Figures, before: Figures) -> list[str]:
    """Return where ratios are worse than those of another run; absolute figures do not count."""
    return [
        f"{TARGETS[name].title}: {figure:.3g}, and {before[name]:.3g} before"
        for name, figure in now.items()
        if TARGETS[name].ratio and TARGETS[name].worse(figure, before[name]) > SLACK
    ]


def _measure(host: str, *, quick: bool) -> Results:
    costs: dict[str, Any] = {}
    orders = {name: _order(scenario, quick=quick) for name, scenario in SCENARIOS.items()}
    names = {name for scenario in SCENARIOS.values() for name in _clients(scenario, quick=quick)}
    with workers(sorted(names), host) as processes:
        for name, scenario in SCENARIOS.items():
            clients = _clients(scenario, quick=quick)
            _say(f"{name}: {', '.join(clients)}")
            costs[name] = measured(processes, dict.fromkeys(clients, orders[name]))
    begun = ("ours", "openai", "httpx") if quick else tuple(starting.PROGRAMS)
    _say("imports and first calls")
    results: Results = {
        "rounds": ROUNDS,
        "machine": report.machine(),
        "costs": costs_of(costs, orders),
        "starting": starting.measured(begun, host),
    }
    if not quick:
        _say("growth")
        growth = Process("growth", host)
        results["growth"] = json.loads(growth.line())
        growth.close()
    return results


def _order(scenario: Scenario, *, quick: bool) -> Order:
    return scenario.order._replace(times=scenario.quick) if quick else scenario.order


def _clients(scenario: Scenario, *, quick: bool) -> tuple[str, ...]:
    if not quick:
        return scenario.clients
    return tuple(name for name in scenario.clients if name in QUICK)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
