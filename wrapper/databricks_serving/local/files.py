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
        # Some editors put a mark before the text.
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise wrong(place, f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise wrong(place, f"{path} is not UTF-8") from None
    if path.suffix.lower() in _YAML:
        return _read_yaml(text, path, place)
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise wrong(place, f"{path} is not JSON: {error.msg} at {where}") from None
    except _RepeatedError as error:
        raise wrong(place, f"{path} has the key {error} twice") from None
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
        problem: str = getattr(error, "problem", None) or str(error).partition("\n")[0]
        # Of a key that is there twice it tells the values, which may be a secret.
        problem = problem.partition(" with value ")[0]
        raise wrong(place, f"{path} is not YAML: {problem}{where}") from None


class _RepeatedError(Exception):
    """A key is there twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _RepeatedError(next(repr(key) for key in keys if keys.count(key) > 1))
    return found
