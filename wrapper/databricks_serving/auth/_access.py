"""Where a client calls and as whom, resolved when that is first needed."""

import random
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from databricks_serving._core.config import HOST_VARIABLE, check_token, normalise_host
from databricks_serving._core.fork import fork_lock, track
from databricks_serving._core.places import Place
from databricks_serving._core.secret import Secret
from databricks_serving.auth._chain import SOURCES, Chosen, choose, settles_at_once
from databricks_serving.auth._keeper import Flight, Flights, Keeper
from databricks_serving.auth._notebook import lacks_host, with_notebook_host
from databricks_serving.auth._profile import FILE_VARIABLE, PROFILE_VARIABLE, read_profile
from databricks_serving.auth._route import EndpointToken, Route, find_route
from databricks_serving.auth._source import Site, Source, UnavailableError
from databricks_serving.auth._steps import Fetch, Step
from databricks_serving.auth._values import Value, Values, Variable, from_environment
from databricks_serving.errors import ConfigError, ServingError, TokenError

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
    route: Route | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """What that came to.

    Attributes:
        site: The workspace.
        place: Where requests go.
        source: Where tokens come from.
        report: How that was found, line by line, without a secret.
    """

    site: Site
    place: Place
    source: Source
    report: tuple[str, ...]


class Access:
    """Where a client calls and as whom.

    What arguments and environment settle is settled at once. A profile is read, and a program
    looked for, when it is needed.

    Args:
        given: What the user gave.

    Raises:
        ConfigError: When what was given cannot work.
    """

    __slots__ = ("__weakref__", "_flights", "_lock", "doubted", "given", "keeper", "resolved")

    def __init__(self, given: Given) -> None:
        self.given: Given = given
        self.keeper: Keeper = Keeper(random.random)
        self.resolved: Resolved | None = None
        self.doubted: bool = False
        """Whether the credentials are to be looked up again."""
        self._lock = fork_lock()
        self._flights = Flights()
        values = _values(given)
        if _is_known(given, values):
            self.resolved = _by(given.route, _settled(given, values))
        track(self)

    def after_fork(self) -> None:
        """Forget who settles: that one is not in the child."""
        self._flights = Flights()

    @property
    def host(self) -> str | None:
        """The address of the workspace, once that is known."""
        if self.resolved is not None:
            return self.resolved.site.host
        return None if self.given.host is None else normalise_host(self.given.host)

    def with_source(self, source: Source) -> "Access":
        """Return access to the same workspace with tokens from elsewhere."""
        given = replace(self.given, token=None, auth=source)
        return Access(replace(given, host=self.host or given.host))

    def with_route(self, route: Route) -> "Access":
        """Return access to one endpoint at an address of its own."""
        return Access(replace(self.given, route=route, host=self.host or self.given.host))

    def board(self, now: float) -> tuple[Flight, bool]:
        """Return the flight that settles everything, and whether the caller leads it."""
        with self._lock:
            flight = self._flights.present(now)
            return (self._flights.begin(now), True) if flight is None else (flight, False)

    def resolve(self) -> Generator[Step, Any, Resolved]:
        """Read the profile, ask the notebook for its workspace, and settle the rest.

        The address of a route-optimised endpoint is asked for too.

        Raises:
            ConfigError: When there is no workspace, no credential or no such endpoint.
            TokenError: When the endpoint cannot be asked about.
        """
        settled = yield from self._settle()
        route = self.given.route
        if route is not None:
            route = yield from find_route(route, settled.site, settled.source)
        self.resolved = self.resolved or _by(route, settled)
        return self.resolved

    def doubt(self, error: ServingError) -> None:
        """Look up credentials again after they were refused: somebody may have replaced them."""
        final = isinstance(error, TokenError) and not error.transient
        self.doubted = self.doubted or (final and self.given.auth is None)

    def renew(self) -> Fetch:
        """Fetch a token in the place of the one that is kept.

        Raises:
            TokenError: When there is none.
            ConfigError: When the credentials are now for another workspace.
        """
        present = self.resolved or (yield from self.resolve())
        if self.doubted:
            present = yield from self._look_again(present)
        held = self.keeper.held()
        replacing = None if held is None else Secret(held.value)
        try:
            return (yield from present.source.fetch(replace(present.site, replacing=replacing)))
        except UnavailableError as error:
            raise TokenError(str(error), source=error.source) from None

    def _look_again(self, present: Resolved) -> Generator[Step, Any, Resolved]:
        settled = yield from self._settle()
        if settled.site.host != present.site.host:
            # A client keeps to its workspace, and so do tokens.
            raise ConfigError(
                f"the credentials are now for {settled.site.host}, and this client is for "
                f"{present.site.host}: make another one"
            )
        source = settled.source
        if isinstance(present.source, EndpointToken):
            source = present.source.with_base(source)
        self.resolved, self.doubted = replace(present, source=source), False
        return self.resolved

    def _settle(self) -> Generator[Step, Any, Resolved]:
        values = _values(self.given)
        if _needs_profile(values):
            profile = yield from read_profile(values.profile, values.variable(FILE_VARIABLE))
            values = values.under(profile.values, profile.origin)
        values = yield from with_notebook_host(values)
        return _settled(self.given, values)


def _values(given: Given) -> Values:
    found = from_environment(given.variable)
    if given.host is not None:
        found["host"] = Value(Secret(normalise_host(given.host)), "the argument host", "argument")
    elif given.auth is not None and given.auth.host is not None:
        found["host"] = Value(Secret(given.auth.host), "the argument auth", "argument")
    _check_one_login(given)
    if given.token is not None:
        found["token"] = Value(check_token(given.token), "the argument token", "argument")
    if given.auth_type is not None:
        found["auth_type"] = Value(Secret(given.auth_type), "the argument auth_type", "argument")
    profile = given.profile or given.variable(PROFILE_VARIABLE)
    return Values(found, given.variable, profile)


def _check_one_login(given: Given) -> None:
    if given.auth is None:
        return
    for name, value in (("token", given.token), ("auth_type", given.auth_type)):
        if value is not None:
            raise ConfigError(f"auth and {name} are both given, and only one can be used")
    if given.host is not None and given.auth.host is not None:
        own = normalise_host(given.auth.host)
        if normalise_host(given.host) != own:
            raise ConfigError(f"host is not {own}, which the login given as auth is for")


def _needs_profile(values: Values) -> bool:
    if values.profile is not None:
        return True
    return not (values.methods() or any(name in values.found for name in _ENOUGH))


def _is_known(given: Given, values: Values) -> bool:
    """Tell whether arguments and environment settle everything."""
    if given.route is not None and given.route.address is None:
        return False
    if _needs_profile(values) or lacks_host(values):
        return False
    return given.auth is not None or settles_at_once(values, SOURCES)


def _settled(given: Given, values: Values) -> Resolved:
    host = values.get("host")
    if host is None:
        raise ConfigError(
            f"no workspace: pass host= or set {HOST_VARIABLE}, or log in with "
            f"`databricks auth login` ({values.looked})"
        )
    chosen = Chosen(given.auth, ()) if given.auth is not None else choose(values, SOURCES)
    site = Site(normalise_host(host), given.variable)
    report = (
        f"host {site.host}, from {values.origin('host')}",
        f"auth {chosen.source.auth_type}, {_origins(given, chosen, values)}",
        *(f"not {name}: {reason}" for name, reason in chosen.others),
    )
    place = Place(site.host, workspace_id=values.get("workspace_id"))
    return Resolved(site, place, chosen.source, report)


def _by(route: Route | None, settled: Resolved) -> Resolved:
    """Return what was settled with a route of its own, if there is one."""
    if route is None:
        return settled
    place = replace(settled.place, endpoint=route.endpoint, address=route.address)
    line = f"endpoint {route.endpoint} at {route.address}, with tokens of its own"
    source = EndpointToken(settled.source, route.details or "")
    return Resolved(settled.site, place, source, (*settled.report, line))


def _origins(given: Given, chosen: Chosen, values: Values) -> str:
    if given.auth is not None:
        return "from the argument auth"
    used = [f"{name} from {values.origin(name)}" for name in chosen.used if name in values.found]
    return ", ".join(used) or "from what was found here"
