"""Optional libraries, imported when they are first needed."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from databricks_serving.errors import ConfigError

_STRUCTURED: Final = "pip install 'databricks-serving[structured]'"


def need(module: str) -> Any:
    """Import a module of the extra `structured`.

    Raises:
        ConfigError: When it is not installed, naming the extra.
    """
    try:
        return import_module(module)
    except ImportError:
        name = module.partition(".")[0]
    raise ConfigError(f"Python types as tools or answers need {name}: {_STRUCTURED}")


def has(module: str) -> bool:
    """Tell whether a module is installed."""
    return find_spec(module) is not None
