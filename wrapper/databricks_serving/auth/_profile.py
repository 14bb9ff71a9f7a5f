"""Profiles: sections of `~/.databrickscfg`, one for each workspace.

fact: keys are named as the attributes of the official SDK; a named profile is one that must exist;
without a name `[__settings__] default_profile` counts, then `DEFAULT`. Other sections take nothing
from `DEFAULT`.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from databricks_serving._core.logs import logger
from databricks_serving.auth._steps import Content, Read, Step
from databricks_serving.errors import ConfigError

if TYPE_CHECKING:
    from configparser import ConfigParser, Error

FILE_VARIABLE: Final = "DATABRICKS_CONFIG_FILE"
PROFILE_VARIABLE: Final = "DATABRICKS_CONFIG_PROFILE"
_USUAL_FILE: Final = "~/.databrickscfg"
_USUAL_PROFILE: Final = "DEFAULT"
# A section that no file has, so that DEFAULT is a section like any other.
_NO_DEFAULT: Final = "\0none"


@dataclass(frozen=True, slots=True)
class Profile:
    """A section of a file.

    Attributes:
        origin: Where it stands, in words.
        values: What it sets; empty values are left out.
    """

    origin: str
    values: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


def read_profile(name: str | None, file: str | None) -> Generator[Step, Content, Profile]:
    """Read a profile.

    Args:
        name: Its name; None for the default one, which need not exist.
        file: Path of the file; None for the usual one.

    Raises:
        ConfigError: When a named profile is not there, or the file cannot be read.
    """
    shown = file or _USUAL_FILE
    try:
        content = yield Read(str(Path(shown).expanduser()))
    except FileNotFoundError:
        if name is None:
            return Profile(f"no file {shown}")
        raise ConfigError(f"profile {name!r} cannot be read: there is no file {shown}") from None
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"the profiles in {shown} cannot be read: {_why(error)}") from None
    if content.shared:
        logger.warning("others on this machine can read %s: chmod 600 it", shown)
    return _section(_parsed(content.data.reveal(), shown), name, shown)


def _section(parser: "ConfigParser", name: str | None, shown: str) -> Profile:
    chosen = name or parser.get("__settings__", "default_profile", fallback="").strip()
    chosen = chosen or _USUAL_PROFILE
    if not parser.has_section(chosen):
        if name is None and chosen == _USUAL_PROFILE:
            return Profile(f"no profile {chosen} in {shown}")
        known = [one for one in parser.sections() if one != "__settings__"]
        listed = f"it has {', '.join(known)}" if known else "it has none"
        raise ConfigError(f"there is no profile {chosen!r} in {shown}; {listed}")
    values = {key: value.strip() for key, value in parser.items(chosen) if value.strip()}
    return Profile(f"profile {chosen} in {shown}", values)


def _parsed(data: bytes, shown: str) -> "ConfigParser":
    from configparser import ConfigParser, Error  # noqa: PLC0415 - few programs log in this way

    parser = ConfigParser(default_section=_NO_DEFAULT, interpolation=None, strict=False)
    try:
        parser.read_string(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        fault = "it is not text in UTF-8"
    except Error as error:
        # Its own words quote the line, which may be a token.
        fault = f"line {getattr(error, 'lineno', None) or _line_of(error)} is no 'key = value'"
    else:
        return parser
    raise ConfigError(f"the profiles in {shown} cannot be read: {fault}")


def _line_of(error: "Error") -> object:
    faults: list[tuple[int, str]] = getattr(error, "errors", [])
    return faults[0][0] if faults else "unknown"


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
