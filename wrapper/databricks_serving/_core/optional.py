"""Libraries that only some methods need."""

from importlib import import_module
from typing import Any

from databricks_serving.errors import ConfigError


def optional(library: str, method: str) -> Any:
    """Import a library that is named as the extra that brings it.

    Args:
        library: Its name.
        method: What needs it.

    Raises:
        ConfigError: When it is not installed, with the command that installs it.
    """
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
    raise ConfigError(f"{method} needs {library}: pip install 'databricks-serving[{library}]'")
