"""Servers, processes and what they use."""

import gc
import json
import resource
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOKEN = "dapi-canary-0123456789"  # noqa: S105 - made up
USER: list[Any] = [{"role": "user", "content": "Name a river."}]


class FigureError(AssertionError):
    """A promise that does not hold."""


def expect(holds: bool, what: str) -> None:
    """Fail unless a promise holds."""
    if not holds:
        raise FigureError(what)


@contextmanager
def server() -> Generator[str]:
    """Run the server in a process of its own; give its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "soak_lib.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield f"http://127.0.0.1:{int(line_of(process))}"
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    """Return the next line that a process prints."""
    return process.stdout.readline() if process.stdout else ""


def ask(host: str, path: str) -> Any:
    """Ask the server itself."""
    with urllib.request.urlopen(host + path) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def rss() -> float:
    """Return the resident memory of this process now, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def peak() -> float:
    """Return the highest resident memory of this program so far, in MB.

    Not `ru_maxrss`: a process begins with that of its parent.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def cpu() -> float:
    """Return the CPU seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@dataclass(frozen=True)
class Held:
    """What a process holds on to."""

    files: int
    threads: int

    @classmethod
    def now(cls) -> "Held":
        """Count, after what is dropped is gone."""
        gc.collect()
        return cls(len(list(Path("/proc/self/fd").iterdir())), threading.active_count())
