"""Settings in files: YAML or JSON."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from databricks_serving.errors import ConfigError
from databricks_serving.local.checks import wrong

_YAML: Final = frozenset({".yaml", ".yml"})


def read_document(path: Path, place: str) -> Any:
    """Read a file.

    Args:
        path: The file; YAML if its name says so, else JSON.
        place: What names it, for errors.

    Raises:
        ConfigError: It cannot be read or makes no sense, or the library that reads YAML is missing.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise wrong(place, f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise wrong(place, f"{path} is not UTF-8") from None
    if path.suffix.lower() in _YAML:
        return _read_yaml(text, path, place)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise wrong(place, f"{path} is not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise wrong(place, f"{path} is nested too deeply") from None


def _read_yaml(text: str, path: Path, place: str) -> Any:
    try:
        yaml: Any = import_module("ruamel.yaml")
    except ModuleNotFoundError:
        raise ConfigError(
            f"reading {path} needs ruamel.yaml: pip install 'databricks-serving[local]'; "
            "JSON needs nothing"
        ) from None
    try:
        return yaml.YAML(typ="safe", pure=True).load(text)
    except yaml.error.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it makes no sense"
        raise wrong(place, f"{path} is not YAML: {problem}{where}") from None
