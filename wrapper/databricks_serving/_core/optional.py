"""Libraries that only some methods need."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from databricks_serving.errors import ConfigError

# Those that are not installed by the name of their package.
_INSTALLED_AS: Final = {"ruamel": "ruamel.yaml"}


def optional(library: str, user: str, extra: str | None = None) -> Any:
    """Import a library that an extra brings.

    Args:
        library: Its name, or that of one of its modules.
        user: What needs it.
        extra: The extra, if it is not named as the library.

    Raises:
        ConfigError: When it is not installed, with the command that installs it.
    """
    name = library.partition(".")[0]
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        if error.name not in {library, name}:
            raise
    shown = _INSTALLED_AS.get(name, name)
    raise ConfigError(f"{user} needs {shown}: pip install 'databricks-serving[{extra or name}]'")


def has(library: str) -> bool:
    """Tell whether a library is installed."""
    try:
        return find_spec(library) is not None
    except ImportError:
        return False
