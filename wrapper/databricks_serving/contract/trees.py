"""Compares two directories, both ways."""

import difflib
from collections.abc import Collection, Iterator
from pathlib import Path


def files(root: Path) -> dict[str, bytes]:
    """Map the relative names of all files below a directory to their contents."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def differences(old: Path, new: Path, *, but: Collection[str] = ()) -> Iterator[str]:
    """Yield a unified diff that turns `old` into `new`; nothing if they hold the same files.

    Args:
        old: A directory.
        new: Another one.
        but: Names of files that may differ.
    """
    before, after = files(old), files(new)
    for name in sorted((before.keys() | after.keys()).difference(but)):
        if before.get(name) != after.get(name):
            yield from difflib.unified_diff(
                _lines(before.get(name)),
                _lines(after.get(name)),
                f"{old.name}/{name}" if name in before else "/dev/null",
                f"{old.name}/{name}" if name in after else "/dev/null",
                lineterm="",
            )


def _lines(content: bytes | None) -> list[str]:
    # An empty file must still differ from a missing one.
    return [] if content is None else [*content.decode(errors="replace").splitlines(), ""]
