"""The clients that are compared: each a factory that is given the address of a server."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

HOMES: Final = {
    "ours": "ours:Blocking",
    "ours, no pybase64": "ours:WithoutPybase64",
    "ours over httpx": "ours:OverHttpx",
    "ours over pyreqwest": "ours:OverPyreqwest",
    "openai": "openai_client:Blocking",
    "databricks-sdk": "others:Databricks",
    "mlflow": "others:Mlflow",
    "httpx+orjson": "raw:Httpx",
    "httpcore2+orjson": "raw:Httpcore",
    "floor": "floor:Blocking",
    "ours-async": "ours:Async",
    "ours-async over aiohttp": "ours:AsyncOverAiohttp",
    "ours-async over pyreqwest": "ours:AsyncOverPyreqwest",
    "openai-async": "openai_client:Async",
    "httpx-async+orjson": "raw:AsyncHttpx",
    "httpcore2-async+orjson": "raw:AsyncHttpcore",
    "floor-async": "floor:Async",
}
"""Where each client stands, by its name in the tables."""


def factory(name: str) -> Callable[[str], Any]:
    """Return what makes a client; importing it brings the library that it stands for."""
    module, _, member = HOMES[name].partition(":")
    return getattr(import_module(f"serving_bench.clients.{module}"), member)


def is_async(name: str) -> bool:
    """Tell whether a client's methods are awaited."""
    return "-async" in name
