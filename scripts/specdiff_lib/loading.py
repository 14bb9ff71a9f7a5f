"""Reading a document from a file or from a git revision."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

if TYPE_CHECKING:
    from specdiff_lib.tree import Json

_REVISION = "git:"
_SCALARS = (bool, int, float, str)


class UnreadableError(Exception):
    """A document cannot be read, or is not an OpenAPI document."""


def load(source: str, beside: Path) -> dict[str, Json]:
    """Read an OpenAPI document.

    Args:
        source: A path, or `git:REV` for the file `beside` as it was at a revision.
        beside: The file that `git:REV` refers to.

    Raises:
        UnreadableError: The source cannot be read or holds no OpenAPI document.
    """
    if source.startswith(_REVISION):
        text = _at_revision(source.removeprefix(_REVISION), beside)
    else:
        text = _file(Path(source))
    return parse(text, source)


def parse(text: str, source: str) -> dict[str, Json]:
    """Parse the YAML or JSON text of an OpenAPI document.

    Raises:
        UnreadableError: The text is no YAML, or no OpenAPI document.
    """
    try:
        root = _plain(_parsed(text))
    except (YAMLError, ValueError) as error:
        raise UnreadableError(f"{source}: {error}") from error
    except RecursionError as error:
        raise UnreadableError(f"{source}: nested too deeply, or an alias of itself") from error
    if not isinstance(root, dict) or "openapi" not in root:
        raise UnreadableError(f"{source}: not an OpenAPI document")
    return root


def _parsed(text: str) -> object:
    yaml: Any = YAML(typ="safe")  # its methods have no annotations
    return yaml.load(text)


def _file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{path}: {error}") from error


def _at_revision(revision: str, file: Path) -> str:
    shown = f"{revision}:./{file.name}"
    command = ["git", "-C", str(file.parent), "show", "--end-of-options", shown]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
        return done.stdout.decode()
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip()
        raise UnreadableError(f"git:{revision}: {reason}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(f"git:{revision}: {error}") from error


def _plain(node: object) -> Json:
    """Return the node as JSON: YAML reads `200:` as a number and `2026-01-01` as a date."""
    if node is None or isinstance(node, _SCALARS):
        return node
    if isinstance(node, list):
        return [_plain(item) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return str(node)
    plain: dict[str, Json] = {}
    for key, value in cast("dict[object, object]", node).items():
        if str(key) in plain:
            raise ValueError(f"the key {key} occurs twice")
        plain[str(key)] = _plain(value)
    return plain
