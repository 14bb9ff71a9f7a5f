"""Writes the resources of the blocking client from those of the asynchronous one.

They differ in nothing but `async`, `await` and names, so one is written by hand and one by this.
"""

import argparse
import io
import re
import shutil
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

from databricks_serving.contract.trees import differences

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "wrapper" / "databricks_serving"
NAME = "resources"
NOTICE = "# Written by scripts/unasync from _async/{name}: do not edit.\n"
_KEYWORDS = frozenset({"async", "await"})
# What the language, or English, calls differently in blocking code.
_WORDS = {
    "StopAsyncIteration": "StopIteration",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "_async": "_sync",
    "aclose": "close",
    "aiter": "iter",
    "anext": "next",
    "asynchronous": "blocking",
}
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b")
_PREFIX = re.compile(r"\bAsync(?=[A-Z])")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="scripts/unasync", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 on drift")
    options = parser.parse_args(arguments)
    target = PACKAGE / "_sync" / NAME
    with tempfile.TemporaryDirectory() as scratch:
        fresh = build(PACKAGE / "_async" / NAME, Path(scratch) / NAME)
        drift = list(differences(target, fresh))
        if drift and not options.check:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(fresh, target)
    if drift and options.check:
        print("\n".join(drift))
        print(f"\n{target} is not what its twin says: run scripts/unasync", file=sys.stderr)
        return 1
    return 0


def build(source: Path, target: Path) -> Path:
    """Write the blocking twin of a package into a new directory, and return that."""
    target.mkdir()
    for path in sorted(source.glob("*.py")):
        notice = NOTICE.format(name=f"{NAME}/{path.name}")
        text = blocking(path.read_text(encoding="utf-8"))
        (target / path.name).write_text(notice + text, encoding="utf-8")
    config = ("--config", str(ROOT / "pyproject.toml"), str(target))
    for step in (("check", "--select", "I", "--fix", "--quiet"), ("format", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *step, *config], check=True)
    return target


def blocking(source: str) -> str:
    """Return asynchronous code as blocking code, its lines not yet formatted."""
    lines = source.splitlines(keepends=True)
    for row, start, end in reversed(list(_keywords(source))):
        line = lines[row]
        lines[row] = line[:start] + line[end:].lstrip(" ")
    text = _WORD.sub(lambda match: _WORDS[match.group()], "".join(lines))
    return _PREFIX.sub("", text)


def _keywords(source: str) -> Iterator[tuple[int, int, int]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and token.string in _KEYWORDS:
            (row, start), (_, end) = token.start, token.end
            yield row - 1, start, end


if __name__ == "__main__":
    sys.exit(main())
