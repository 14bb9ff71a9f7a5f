"""Measure figures, print a line for each, and fail if a promise does not hold."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Protocol

from soak_lib import calls, deadlines, fuzz, process, sizes, streams
from soak_lib.measure import FigureError


class Figure(Protocol):
    """Measures, and returns a line to print."""

    def __call__(self, *, long: bool) -> str:
        """Measure in full size, or in a short form."""
        ...


FIGURES: dict[str, Callable[..., str]] = {
    "fuzz": fuzz.figure,
    "deadlines": deadlines.figure,
    "linear": sizes.linear,
    "bomb": sizes.bomb,
    "overhead": calls.overhead,
    "copies": calls.copies,
    "sick": calls.sick,
    "threads": calls.threads,
    "streams": streams.concurrent,
    "aborted": streams.aborted,
    "storm": streams.storm,
    "interrupt": process.interrupt,
    "start": process.start,
}


def main() -> int:
    """Run the figures that were named, or all."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *FIGURES], metavar="FIGURE")
    parser.add_argument("--long", action="store_true", help="take the full sizes")
    parser.add_argument("--list", action="store_true", help="name the figures")
    options = parser.parse_args()
    if options.list:
        print(*(f"{name}: {figure.__doc__}" for name, figure in FIGURES.items()), sep="\n")
        return 0
    failed = 0
    for name in options.names or FIGURES:
        started = time.monotonic()
        try:
            line = FIGURES[name](long=options.long)
        except FigureError as error:
            line, failed = f"FAILED: {error}", failed + 1
        print(f"{name:10} {time.monotonic() - started:5.1f} s  {line}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
