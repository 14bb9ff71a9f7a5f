"""Where a client calls and as whom, resolved when that is first needed."""

import random
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from databricks_serving._core.config import HOST_VARIABLE, check_token, normalise_host
from databricks_serving._core.secret import Secret
from databricks_serving.auth._chain import SOURCES, Chosen, choose
from databricks_serving.auth._keeper import Keeper
from databricks_serving.auth._profile import FILE_VARIABLE, PROFILE_VARIABLE, read_profile
from databricks_serving.auth._source import Site, Source
from databricks_serving.auth._steps import Step
from databricks_serving.auth._values import Value, Values, Variable, from_environment
from databricks_serving.errors import ConfigError

# Given any of these, and no profile, the official SDK does not look for one.
_ENOUGH: Final = ("host", "azure_workspace_resource_id")


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gave; None where nothing."""

    host: str | None
    token: Secret | None
    auth: Source | None
    profile: str | None
    auth_type: str | None
    variable: Variable = field(repr=False)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What that came to.

    Attributes:
        site: The workspace.
        source: Where tokens come from.
        report: How that was found, line by line, without a secret.
    """

    site: Site
    source: Source
    report: tuple[str, ...]


class Access:
    """Where a client calls and as whom.

    What arguments and environment settle is settled at once; a profile is read when it is needed.

    Args:
        given: What the user gave.

    Raises:
        ConfigError: When what was given cannot work.
    """

    __slots__ = ("given", "keeper", "resolved")

    def __init__(self, given: Given) -> None:
        self.given: Given = given
        self.keeper: Keeper = Keeper(random.random)
        self.resolved: Resolved | None = None
        values = _values(given)
        if not _needs_profile(values):
            self.resolved = _settled(given, values)

    @property
    def host(self) -> str | None:
        """The address of the workspace, once that is known."""
        return None if self.resolved is None else self.resolved.site.host

    def with_source(self, source: Source) -> "Access":
        """Return access to the same workspace with tokens from elsewhere."""
        given = replace(self.given, token=None, auth=source)
        return Access(replace(given, host=self.host or given.host))

    def resolve(self) -> Generator[Step, Any, Resolved]:
        """Read the profile, and settle the rest.

        Raises:
            ConfigError: When there is no workspace or no credential.
        """
        values = _values(self.given)
        profile = yield from read_profile(values.profile, values.variable(FILE_VARIABLE))
        resolved = _settled(
            self.given, values.under(profile.values, profile.origin), profile.origin
        )
        self.resolved = self.resolved or resolved
        return self.resolved


def _values(given: Given) -> Values:
    found = from_environment(given.variable)
    if given.host is not None:
        found["host"] = Value(Secret(normalise_host(given.host)), "the argument host", "argument")
    if given.token is not None:
        found["token"] = Value(check_token(given.token), "the argument token", "argument")
    if given.auth_type is not None:
        found["auth_type"] = Value(Secret(given.auth_type), "the argument auth_type", "argument")
    profile = given.profile or given.variable(PROFILE_VARIABLE)
    return Values(found, given.variable, profile)


def _needs_profile(values: Values) -> bool:
    if values.profile is not None:
        return True
    return not (values.methods() or any(name in values.found for name in _ENOUGH))


def _settled(given: Given, values: Values, looked: str = "no profile was looked for") -> Resolved:
    chosen = Chosen(given.auth, ()) if given.auth is not None else choose(values, SOURCES)
    host = values.get("host")
    if host is None:
        raise ConfigError(f"no workspace: pass host= or set {HOST_VARIABLE} ({looked})")
    site = Site(normalise_host(host), given.variable)
    report = (
        f"host {site.host}, from {values.origin('host')}",
        f"auth {chosen.source.auth_type}, {_origins(given, chosen, values)}",
        *(f"not {name}: {reason}" for name, reason in chosen.others),
    )
    return Resolved(site, chosen.source, report)


def _origins(given: Given, chosen: Chosen, values: Values) -> str:
    if given.auth is not None:
        return "from the argument auth"
    used = [f"{name} from {values.origin(name)}" for name in chosen.used if name in values.found]
    return ", ".join(used) or "from what was found here"
