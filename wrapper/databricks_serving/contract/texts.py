"""Reading YAML and JSON."""

import json
from typing import Any

from databricks_serving.contract.tools import needed
from databricks_serving.errors import InvalidRequestError


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
        except json.JSONDecodeError:
            pass
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
    except (ruamel.error.YAMLError, ValueError) as error:
        raise InvalidRequestError(f"{source}: {error}") from None
    except RecursionError:
        raise InvalidRequestError(f"{source}: nested too deeply, or an alias of itself") from None
