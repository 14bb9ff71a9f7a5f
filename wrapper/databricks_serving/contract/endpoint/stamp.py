"""What a package remembers of how it was made, so that it is made the same way again."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from databricks_serving.contract.endpoint.nodes import part
from databricks_serving.contract.trees import files
from databricks_serving.errors import InvalidRequestError

NAME: Final = "contract.json"
_MAKER: Final = "databricks-serving contract endpoint"


@dataclass(frozen=True, slots=True)
class Stamp:
    """How a package was made, and what it was when it was made.

    Attributes:
        options: The options that were given, by their names.
        digests: Digests of the files, by their names.
    """

    options: Mapping[str, str] = field(default_factory=dict[str, str])
    digests: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def read(cls, package: Path) -> "Stamp":
        """Read the stamp of a package; an empty one where there is none.

        Raises:
            InvalidRequestError: When it cannot be read.
        """
        file = package / NAME
        try:
            made: Any = json.loads(file.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except (OSError, ValueError, RecursionError):
            made = None
        options, digests = part(made, "options"), part(made, "files")
        if part(made, "made_by") != _MAKER or not (_is_texts(options) and _is_texts(digests)):
            raise InvalidRequestError(
                f"{file} is not as `{_MAKER}` writes it: restore it, or move {package} away"
            )
        return cls(options, digests)

    def edited(self, package: Path, fresh: Path) -> Iterator[str]:
        """Yield the files that are not as they were made, and would not be what they are now."""
        now = {name: _digest(content) for name, content in files(fresh).items()}
        for name, content in files(package).items():
            if name != NAME and _digest(content) not in {self.digests.get(name), now.get(name)}:
                yield name


def write_stamp(package: Path, options: Mapping[str, str]) -> None:
    """Write the stamp of a package whose files are complete."""
    made = {
        "made_by": _MAKER,
        "options": options,
        "files": {name: _digest(content) for name, content in files(package).items()},
    }
    (package / NAME).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


def _digest(content: bytes) -> str:
    # A checkout may have other ends of lines.
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def _is_texts(node: object) -> bool:
    if not isinstance(node, Mapping):
        return False
    return all(isinstance(value, str) for value in cast("Mapping[str, object]", node).values())
