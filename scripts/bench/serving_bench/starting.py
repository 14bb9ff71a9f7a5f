"""What clients cost before the first call: imports, construction, memory. Each in a new process."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from statistics import median
from typing import Final

ROUNDS: Final = 7

_PROBE: Final = """
import json, os, resource, sys, time
def rss():
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
bare, began = rss(), time.perf_counter()
{imports}
took, after = time.perf_counter() - began, rss()
{more}
print(json.dumps([took, after - bare, *more()]))
"""
_NOTHING_MORE: Final = "def more(): return []"
# Constructs two clients and times the second; calls with the first, and looks at the memory.
_CLIENT: Final = """
def more():
    first = {make}
    began = time.perf_counter()
    second = {make}
    constructed = time.perf_counter() - began
    {call}
    return [constructed, rss() - bare]
"""
_MESSAGES: Final = '[{"role": "user", "content": "Hi"}]'
_CREATE: Final = f'first.chat.completions.create(model="bench-chat", messages={_MESSAGES})'

PROGRAMS: Final[Mapping[str, tuple[str, str, str]]] = {
    "ours": (
        "import databricks_serving",
        'databricks_serving.ServingClient("{host}", "dapi-0")',
        _CREATE,
    ),
    "openai": (
        "import openai",
        'openai.OpenAI(base_url="{host}/serving-endpoints", api_key="dapi-0")',
        _CREATE,
    ),
    "httpx": ("import httpx", "httpx.Client()", 'first.post("{host}/bench-chat", json={{}})'),
    "databricks-sdk": ("import databricks.sdk", "", ""),
    "mlflow": ("import mlflow.deployments", "", ""),
}
"""What is imported, what makes a client, and what calls with it."""


def measured(names: tuple[str, ...], host: str) -> dict[str, dict[str, float]]:
    """Return what each client costs: seconds and bytes over those of a bare interpreter."""
    found: dict[str, list[list[float]]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name in names:
            found[name].append(_run(*PROGRAMS[name], host))
    keys = ("import", "imported", "constructed", "called")
    return {
        name: dict(zip(keys, map(median, zip(*rows, strict=True)), strict=False))
        for name, rows in found.items()
    }


def _run(imports: str, make: str, call: str, host: str) -> list[float]:
    more = _CLIENT.format(make=make, call=call).replace("{host}", host) if make else _NOTHING_MORE
    program = _PROBE.format(imports=imports, more=more.replace("{{}}", "{}"))
    # Compiled beforehand, as programs are that were ever run before.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "OPENAI_LOG": ""}
    output = subprocess.check_output([sys.executable, "-c", program], env=environment)
    return json.loads(output.splitlines()[-1])
