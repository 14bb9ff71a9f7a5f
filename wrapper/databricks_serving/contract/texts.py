"""Reading YAML and JSON."""

import json
from pathlib import Path
from typing import Any

from databricks_serving.contract.tools import needed
from databricks_serving.errors import InvalidRequestError


def read_text(path: Path) -> str:
    """Read a file of text.

    Raises:
        InvalidRequestError: When it cannot be read, or is no text; the message names it once.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidRequestError(f"{path}: {reason(error)}") from None
    except UnicodeDecodeError:
        raise InvalidRequestError(f"{path}: not a text in UTF-8") from None


def reason(error: OSError) -> str:
    """Return what the system says of a file, without the file's name."""
    return error.strerror or str(error)


def parsed(text: str, source: str) -> object:
    """Read YAML or JSON text; a key that occurs twice is refused.

    Args:
        text: The text.
        source: What it is called in errors.

    Raises:
        ConfigError: When it is YAML, and what reads that is not installed.
        InvalidRequestError: When it is neither.
    """
    if text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        # Every JSON text is YAML as well, but reading it as such takes a library, and longer.
        try:
            return json.loads(text.lstrip("\ufeff"), object_pairs_hook=_once)
        except RecursionError:
            raise InvalidRequestError(f"{source}: nested too deeply") from None
        except json.JSONDecodeError as error:
            if source.endswith(".json"):
                where = f"line {error.lineno}, column {error.colno}"
                raise InvalidRequestError(f"{source}: no JSON: {error.msg} at {where}") from None
        except ValueError as error:
            raise InvalidRequestError(f"{source}: {error}") from None
    return _yaml(text, source)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key} occurs twice")
        found[key] = value
    return found


def _yaml(text: str, source: str) -> object:
    ruamel: Any = needed("ruamel.yaml", "YAML")
    try:
        return ruamel.YAML(typ="safe").load(text)
    except ruamel.error.YAMLError as error:
        raise InvalidRequestError(f"{source}: {_problem(error)}") from None
    except ValueError as error:
        raise InvalidRequestError(f"{source}: {error}") from None
    except RecursionError:
        raise InvalidRequestError(f"{source}: nested too deeply, or an alias of itself") from None


def _problem(error: Any) -> str:
    """Return what is wrong with a text and where; the library's own words go on for eight lines."""
    mark = getattr(error, "problem_mark", None)
    said: str = getattr(error, "problem", None) or str(error).partition("\n")[0]
    # Of a key that is there twice it tells both values, however long they are.
    said = said.partition(" with value ")[0]
    return f"{said} at line {mark.line + 1}, column {mark.column + 1}" if mark else said
