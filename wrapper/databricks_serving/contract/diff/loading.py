"""Reading a document: the one that is installed, a file, or a file at a git revision."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from databricks_serving.contract.texts import parsed, read_text
from databricks_serving.errors import InvalidRequestError

if TYPE_CHECKING:
    from databricks_serving.contract.diff.tree import Json

Source: TypeAlias = str | PathLike[str] | Mapping[str, object]

INSTALLED: Final = "installed"
_REVISION: Final = "git:"
_SCALARS = (bool, int, float, str)


def load_both(old: Source, new: Source) -> tuple[dict[str, Json], dict[str, Json]]:
    """Read two OpenAPI documents; `git:REV` in one refers to the file of the other.

    Raises:
        ConfigError: One is YAML, and what reads it is not installed.
        InvalidRequestError: One cannot be read, or holds no OpenAPI document.
    """
    return load(old, beside=new), load(new, beside=old)


def load(source: Source, *, beside: Source = INSTALLED) -> dict[str, Json]:
    """Read an OpenAPI document; raises as `load_both`.

    Args:
        source: `installed`, a path, `git:REV`, `git:REV:PATH`, or the document.
        beside: The file that `git:REV` refers to.
    """
    if isinstance(source, Mapping):
        return document(source, "the document")
    name = str(source)
    if name == INSTALLED:
        text = installed()
    elif name.startswith(_REVISION):
        text = _at_revision(name, beside)
    else:
        text = read_text(Path(name))
    return parse(text, name)


def parse(text: str, source: str) -> dict[str, Json]:
    """Parse the YAML or JSON text of an OpenAPI document; raises as `load_both`."""
    return document(parsed(text, source), source)


def document(node: object, source: str) -> dict[str, Json]:
    """Return an OpenAPI document as plain JSON.

    Raises:
        InvalidRequestError: It is none.
    """
    try:
        root = _plain(node)
    except ValueError as error:
        raise InvalidRequestError(f"{source}: {error}") from None
    except RecursionError:
        raise InvalidRequestError(f"{source}: nested too deeply, or an alias of itself") from None
    if not isinstance(root, dict) or "openapi" not in root:
        raise InvalidRequestError(f"{source}: not an OpenAPI document")
    return root


def installed() -> str:
    """Return the text of the contract that this package was made from, as JSON.

    Raises:
        InvalidRequestError: This installation does not have it.
    """
    path = files("databricks_serving_api") / "openapi.json"
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidRequestError(
            f"{INSTALLED}: this installation has no contract beside its code ({error}): "
            "name a file instead"
        ) from None


def _at_revision(source: str, beside: Source) -> str:
    revision, _, name = source.removeprefix(_REVISION).partition(":")
    if not name and (
        isinstance(beside, Mapping) or str(beside) == INSTALLED or str(beside).startswith(_REVISION)
    ):
        raise InvalidRequestError(
            f"{source}: there is no file beside it to look up: write {_REVISION}{revision}:PATH"
        )
    file = Path(name or cast("str", beside))
    shown = f"{revision}:./{file.name}"
    command = ["git", "-C", str(file.parent), "show", "--end-of-options", shown]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
        return done.stdout.decode()
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip()
        raise InvalidRequestError(f"{source}: {reason}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"{source}: {error}") from None


def _plain(node: object) -> Json:
    """Return the node as JSON: YAML reads `200:` as a number and `2026-01-01` as a date."""
    if node is None or isinstance(node, _SCALARS):
        return node
    if isinstance(node, list):
        return [_plain(item) for item in cast("list[object]", node)]
    if not isinstance(node, Mapping):
        return str(node)
    plain: dict[str, Json] = {}
    for key, value in cast("Mapping[object, object]", node).items():
        if str(key) in plain:
            raise ValueError(f"the key {key} occurs twice")
        plain[str(key)] = _plain(value)
    return plain
