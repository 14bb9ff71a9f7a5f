"""Makes a package from what somebody asks for, and from what was asked for before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from databricks_serving.contract.endpoint.names import check_package
from databricks_serving.contract.endpoint.package import update
from databricks_serving.contract.endpoint.sources import read_document
from databricks_serving.contract.endpoint.stamp import Stamp
from databricks_serving.errors import InvalidRequestError

_ENDPOINT: Final = re.compile(r"[^\s/?#\x00-\x1f]+")


@dataclass(frozen=True, slots=True)
class Made:
    """What has become of a package.

    Attributes:
        target: Where it is.
        origin: Where its contract is from, for people.
        drift: What it differed in, as the lines of a diff.
        kept: Options that were not given now but before, as words of a command line.
    """

    target: Path
    origin: str
    drift: Sequence[str]
    kept: Sequence[str]


def make(
    given: str,
    out: Path,
    package: str | None,
    options: Mapping[str, str | None],
    *,
    check: bool,
    force: bool,
) -> Made:
    """Make a package, or check that it is up to date.

    Args:
        given: An endpoint or a file.
        out: The directory that the package is in.
        package: Its name; None for the usual one.
        options: `endpoint` and `served-model`; None for what was said before, empty for none.
        check: Whether to change nothing.
        force: Whether files that were edited may be overwritten.

    Raises:
        ConfigError: When there is no login, or a tool is not installed, has another version or
            fails.
        InvalidRequestError: When there is no contract, it cannot be written as Python, something
            else is at the place, or files were edited.
        ServingError: When the workspace could not be asked.
    """
    if not _ENDPOINT.fullmatch(options.get("endpoint") or "-"):
        raise InvalidRequestError("--endpoint is no name of an endpoint: it has a space or a slash")
    if out.exists() and not out.is_dir():
        raise InvalidRequestError(f"{out} is no directory: name another one with --out")
    document = read_document(given)
    target = out / check_package(document.package_in(out) if package is None else package)
    before = Stamp.read(target).options
    said = {name: value for name, value in options.items() if value is not None}
    now = {name: value for name, value in {**before, **said}.items() if value}
    kept = [f"--{name} {value}" for name, value in now.items() if name not in said]
    try:
        source = document.source(now.get("served-model"), now.get("endpoint"))
    except InvalidRequestError as error:
        if "served-model" not in now or "served-model" in said:
            raise
        hint = "--served-model is as it was before; give another, or '' for none"
        raise InvalidRequestError(f"{error} ({hint})") from None
    drift = update(source, target, now, check=check, force=force)
    return Made(target, source.origin, drift, kept)
