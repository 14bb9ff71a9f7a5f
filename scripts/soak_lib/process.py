"""What a program that uses the client costs to start and to stop."""

import signal
import subprocess
import sys
import time

from soak_lib.measure import expect, line_of, server

# A program that is started in the background finds Ctrl-C switched off.
_READER = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from databricks_serving import ServingClient
with ServingClient({host!r}, "dapi-0") as client:
    messages = [{{"role": "user", "content": "x"}}]
    with client.chat.completions.stream(model="endless", messages=messages) as stream:
        for text in stream.text_stream:
            print(text, flush=True)
"""
# What httpx imports if it happens to be there, as it is where tests run.
_IMPORT = """
import sys, time
sys.modules.update(dict.fromkeys(("click", "rich", "trio")))
before = time.perf_counter()
import databricks_serving
databricks_serving.ServingClient("https://w.example.com", "dapi-0")
print(time.perf_counter() - before)
"""
_DISTRIBUTIONS = 13


def interrupt(*, long: bool) -> str:
    """F-16: Ctrl-C ends a program that reads a stream within half a second."""
    rounds = 10 if long else 3
    with server() as host:
        slowest = max(_interrupted(host) for _ in range(rounds))
    expect(slowest <= 0.5, f"it took {slowest:.2f} s")  # noqa: PLR2004 - seconds
    return f"{rounds} programs reading a stream ended at most {slowest * 1000:.0f} ms after Ctrl-C"


def _interrupted(host: str) -> float:
    program = [sys.executable, "-X", "dev", "-c", _READER.format(host=host)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line_of(process)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=10)
    taken = time.monotonic() - started
    expect("KeyboardInterrupt" in complaints, f"it ended otherwise: {complaints[-300:]}")
    expect("Exception ignored" not in complaints, complaints[-300:])
    return taken


def start(*, long: bool) -> str:
    """F-17: import and first client take at most 0.3 s; a plain install has few distributions."""
    rounds = 9 if long else 5
    taken = sorted(
        float(subprocess.check_output([sys.executable, "-c", _IMPORT])) for _ in range(rounds)
    )[rounds // 2]
    expect(taken <= 0.3, f"it took {taken:.2f} s")  # noqa: PLR2004 - seconds
    found = _requirements("databricks-serving")
    expect(len(found) <= _DISTRIBUTIONS, f"{len(found)} distributions: {sorted(found)}")
    return f"import and first client {taken * 1000:.0f} ms; {len(found)} distributions"


def _requirements(name: str, found: frozenset[str] = frozenset()) -> frozenset[str]:
    from importlib.metadata import requires  # noqa: PLC0415 - only here

    from packaging.requirements import Requirement  # noqa: PLC0415 - a tool of the test group

    found |= {name.lower()}
    for line in requires(name) or []:
        requirement = Requirement(line)
        wanted = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in ("", *requirement.extras)
        )
        if wanted and requirement.name.lower() not in found:
            found = _requirements(requirement.name, found)
    return found
