"""Which source of tokens is taken, where nobody names one.

fact: the order is that of the official SDK; `auth_type` pins one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from databricks_serving.auth._azure_cli import AzureCli
from databricks_serving.auth._azure_client_secret import AzureClientSecret
from databricks_serving.auth._client_credentials import OAuthClientCredentials
from databricks_serving.auth._container import ServingContainer
from databricks_serving.auth._databricks_cli import DatabricksCli
from databricks_serving.auth._federation import (
    AzureDevOpsFederation,
    FileFederation,
    GitHubFederation,
    VariableFederation,
)
from databricks_serving.auth._notebook import Notebook
from databricks_serving.auth._source import Site, Source, UnavailableError
from databricks_serving.auth._static import AccessToken
from databricks_serving.auth._steps import Fetch
from databricks_serving.auth._values import Values
from databricks_serving.errors import ConfigError, TokenError

SOURCES: Final[tuple[type[Source], ...]] = (
    AccessToken,
    OAuthClientCredentials,
    VariableFederation,
    FileFederation,
    GitHubFederation,
    AzureClientSecret,
    AzureCli,
    AzureDevOpsFederation,
    DatabricksCli,
    Notebook,
    ServingContainer,
)
# Kinds that only the official SDK has.
_ELSEWHERE: Final = frozenset(
    {
        "basic",
        "external-browser",
        "github-oidc-azure",
        "google-credentials",
        "google-id",
        "metadata-service",
        "oauth-u2m",
    }
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The source that was taken.

    Attributes:
        source: The source.
        others: The names of those before it, and why they were not taken.
        used: Names of the values that it was made of.
    """

    source: Source
    others: tuple[tuple[str, str], ...]
    used: tuple[str, ...] = ()


def choose(values: Values, sources: Sequence[type[Source]]) -> Chosen:
    """Choose by what was given.

    Raises:
        ConfigError: When nothing can be chosen, or two things contradict each other.
    """
    pinned = values.get("auth_type")
    if pinned is not None:
        return _pinned(pinned, values, sources)
    _check_one_method(values)
    others: list[tuple[str, str]] = []
    maybe: list[Source] = []
    for kind in sources:
        source = kind.configured(values)
        if isinstance(source, str):
            others.append((kind.auth_type, source))
        elif source.certain:
            found = FirstOf([*maybe, source]) if maybe else source
            return Chosen(found, tuple(others), kind.uses)
        else:
            maybe.append(source)
    if not maybe:
        # Half of a pair is more telling than what was not meant at all.
        told = sorted(others, key=lambda one: "but there is no" not in one[1])
        tried = "; ".join(f"{name}: {reason}" for name, reason in told)
        raise ConfigError(
            f"no token: pass token= or set DATABRICKS_TOKEN ({tried}; {values.looked})"
        )
    return Chosen(FirstOf(maybe) if len(maybe) > 1 else maybe[0], tuple(others))


def settles_at_once(values: Values, sources: Sequence[type[Source]]) -> bool:
    """Tell whether the choice takes no look at this machine, as for programs.

    Raises:
        ConfigError: When two things contradict each other.
    """
    pinned = values.get("auth_type")
    if pinned is None:
        _check_one_method(values)
    for kind in sources:
        if pinned not in {None, kind.auth_type}:
            continue
        if not kind.certain:
            return False
        if pinned is not None or not isinstance(kind.configured(values), str):
            return True
    return True


def _pinned(name: str, values: Values, sources: Sequence[type[Source]]) -> Chosen:
    origin = f"auth_type {name!r}, from {values.origin('auth_type')},"
    kind = next((kind for kind in sources if kind.auth_type == name), None)
    if kind is None:
        known = ", ".join(one.auth_type for one in sources)
        elsewhere = "is for databricks-sdk, whose Config auth= takes"
        what = elsewhere if name in _ELSEWHERE else "is unknown"
        raise ConfigError(f"{origin} {what}; known here are {known}")
    source = kind.configured(values)
    if isinstance(source, str):
        raise ConfigError(f"{origin} cannot be used: {source} ({values.looked})")
    return Chosen(source, (), kind.uses)


def _check_one_method(values: Values) -> None:
    methods = values.methods()
    if len(methods) > 1:
        given = ", ".join(
            f"{method} ({name} from {values.origin(name)})" for method, name in methods.items()
        )
        raise ConfigError(
            f"credentials of more than one kind: {given}; drop all but one, or set auth_type"
        )


class FirstOf(Source):
    """The first of several sources that is there at all; from then on it alone."""

    auth_type = "default"

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = list(sources)

    def fetch(self, site: Site) -> Fetch:
        """Try one after the other."""
        reasons: list[str] = []
        for source in self._sources:
            try:
                token = yield from source.fetch(site)
            except UnavailableError as error:
                reasons.append(str(error))
            else:
                self._sources = [source]
                return token
        told = "; ".join(reasons)
        text = f"no token: pass token= or set DATABRICKS_TOKEN ({told})"
        raise TokenError(text, source=self.auth_type)
