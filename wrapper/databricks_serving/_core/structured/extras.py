"""The libraries of the extra `structured`, imported when they are first needed."""

from typing import Any

from databricks_serving._core.optional import optional


def need(module: str) -> Any:
    """Import a module of the extra `structured`.

    Raises:
        ConfigError: When it is not installed, naming the extra.
    """
    return optional(module, "a Python type as a tool or an answer", "structured")
