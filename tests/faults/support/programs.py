"""Whole programs: run with every warning an error, and heard."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from .canary import PROMPT, TOKEN, find

ROOT = Path(__file__).parents[3]
_START = """
import asyncio, gc, logging, os, signal, sys, threading, time
# The debug mode of asyncio reports callbacks that are slow, which on a busy machine any is.
logging.getLogger("asyncio").setLevel(logging.ERROR)
# A program that is started in the background finds Ctrl-C switched off.
signal.signal(signal.SIGINT, signal.default_int_handler)
HOST, TOKEN, PROMPT = {host!r}, {token!r}, {prompt!r}
USER = [{{"role": "user", "content": PROMPT}}]
"""
CLIENTS = {
    "sync": """
from databricks_serving import ServingClient as Client
def ask(client, **options):
    return client.chat.completions.create(model="m", messages=USER, **options)
def take(stream):
    return next(stream)
def run(function):
    return function()
""",
    "async": """
from databricks_serving import AsyncServingClient as Client
runner = asyncio.Runner()
async def waited(value):
    return await value
def ask(client, **options):
    call = client.chat.completions.create(model="m", messages=USER, **options)
    return runner.run(waited(call))
def take(stream):
    return runner.run(waited(anext(stream)))
""",
}


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a program: that of the tests, without proxies and credentials."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith("DATABRICKS_")
    }
    paths = [path for path in sys.path if path and "tests" not in Path(path).parts]
    return own | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"} | more


def start(
    kind: str, code: str, host: str = "", *, env: dict[str, str] | None = None, **options: Any
) -> subprocess.Popen[str]:
    """Start a program; it knows `Client`, `ask`, `take`, `HOST`, `TOKEN` and `USER`.

    Args:
        kind: `sync` or `async`; empty for a program that needs no client.
        code: The program.
        host: Where its client goes.
        env: Its environment.
        options: Of `subprocess.Popen`.
    """
    head = _START.format(host=host, token=TOKEN, prompt=PROMPT)
    program = head + CLIENTS.get(kind, "") + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        env=environment() if env is None else env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(program: subprocess.Popen[str], seconds: float = 20) -> tuple[int, str, str]:
    """Wait for the end of a program; return its exit code and what it said."""
    try:
        out, err = program.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        program.kill()
        out, err = program.communicate()
        raise AssertionError(f"the program did not end; it said {out} {err}") from None
    assert find(out + err) == []
    return program.returncode, out, err


def run(kind: str, code: str, host: str = "", **options: Any) -> str:
    """Run a program that must end well and silently; return what it printed."""
    status, out, err = finish(start(kind, code, host, **options))
    assert (status, err) == (0, ""), err
    return out
