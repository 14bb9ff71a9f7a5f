"""What a client knows, as one value that `with_options` copies with changes."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from databricks_serving._core.adapting import Adaptation, changed_adaptation
from databricks_serving._core.arguments import guess_of
from databricks_serving._core.routes import Route, route_of
from databricks_serving._core.secret import Hidden, Secret
from databricks_serving._version import __version__
from databricks_serving.errors import ConfigError, InvalidRequestError
from databricks_serving.options import (
    ClientOptions,
    Limits,
    RetryPolicy,
    Timeouts,
    check_seconds,
    laid_over,
)
from databricks_serving.usage import UsageMeter

USER_AGENT = f"databricks-serving/{__version__} python/{sys.version_info[0]}.{sys.version_info[1]}"

# The client or the transport sets these; a second value would contradict the first.
_RESERVED = frozenset(
    {
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"([!-~]([ -~]*[!-~])?)?")


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of a client."""

    timeouts: Timeouts
    retry: RetryPolicy
    limits: Limits
    headers: Hidden[Mapping[str, str]]
    idempotent: bool = True
    route: Route | None = None
    """The way to the endpoints; None for their own paths."""
    meter: UsageMeter | None = None
    """What counts tokens; None where nobody wants to know."""
    adaptation: Adaptation = field(default_factory=Adaptation)
    log_bodies: bool = False


def resolve_settings(
    options: ClientOptions, limits: Limits | None, *, log_bodies: bool
) -> Settings:
    """Resolve a client's arguments.

    Raises:
        ConfigError: When an option cannot work.
        InvalidRequestError: When a header cannot be sent.
    """
    if limits is not None and not isinstance(limits, Limits):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
        raise ConfigError(f"limits must be Limits(...), not {type(limits).__name__}")
    defaults = Settings(
        timeouts=Timeouts(),
        retry=RetryPolicy(),
        limits=limits or Limits(),
        headers=Hidden({"user-agent": USER_AGENT}),
        log_bodies=bool(log_bodies),
    )
    return changed_settings(defaults, options)


def changed_settings(settings: Settings, options: ClientOptions) -> Settings:
    """Return settings with other options. Raises as `resolve_settings` does."""
    _refuse_unknown(options)
    timeout, deadline = options.get("timeout"), options.get("deadline")
    route, families = options.get("route"), options.get("families")
    headers = check_headers("default_headers", options.get("default_headers"))
    return replace(
        settings,
        timeouts=changed_timeouts(settings.timeouts, timeout, deadline),
        retry=_changed_retry(settings.retry, options),
        idempotent=check_idempotent(options.get("idempotent"), settings.idempotent),
        route=settings.route if route is None else route_of(route),
        meter=_changed_meter(settings.meter, options.get("track_usage")),
        adaptation=changed_adaptation(settings.adaptation, options.get("adapt"), families),
        headers=Hidden({**settings.headers.reveal(), **headers}),
    )


def _refuse_unknown(options: ClientOptions) -> None:
    known = list(ClientOptions.__annotations__)
    for name in options:
        if name not in known:
            raise ConfigError(f"a client has no option {name!r:.80}{guess_of(name, known)}")


def check_network(transport: object, ssl_context: object, proxy: Secret | None) -> None:
    """Refuse options of the default transport beside another transport.

    Raises:
        ConfigError: Naming the option.
    """
    for name, value in (("ssl_context", ssl_context), ("proxy", proxy)):
        if transport is not None and value is not None:
            raise ConfigError(f"{name} is for the default transport: give it to yours instead")


def changed_timeouts(
    timeouts: Timeouts, timeout: float | Timeouts | None, deadline: float | None
) -> Timeouts:
    """Return timeouts with what was given of others.

    Raises:
        ConfigError: When a limit cannot work.
    """
    if timeout is not None:
        timeouts = laid_over(timeouts, Timeouts.of(timeout))
    check_seconds("deadline", deadline)
    return timeouts if deadline is None else replace(timeouts, total=deadline)


def check_idempotent(value: bool | None, default: bool) -> bool:
    """Return whether a call may be repeated that may have run.

    Raises:
        ConfigError: When it is neither True nor False.
    """
    if value is None:
        return default
    if not isinstance(value, bool):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
        raise ConfigError(f"idempotent must be a bool, not {type(value).__name__}")
    return value


def _changed_meter(meter: UsageMeter | None, track: bool | None) -> UsageMeter | None:
    if track is None:
        return meter
    if not isinstance(track, bool):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
        raise ConfigError(f"track_usage must be a bool, not {type(track).__name__}")
    return UsageMeter() if track else None


def _changed_retry(policy: RetryPolicy, options: ClientOptions) -> RetryPolicy:
    given, max_retries = options.get("retry"), options.get("max_retries")
    if given is not None:
        if not isinstance(given, RetryPolicy):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
            raise ConfigError(f"retry must be RetryPolicy(...), not {type(given).__name__}")
        policy = laid_over(policy, given)
    return policy if max_retries is None else replace(policy, max_retries=max_retries)


def check_headers(name: str, headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return headers with their names in lower case.

    Raises:
        InvalidRequestError: When one cannot be sent; values are not shown.
    """
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
        raise InvalidRequestError(f"{name} must be a dict, not {type(headers).__name__}")
    checked: dict[str, str] = {}
    for key, value in headers.items():
        if not _fits(_NAME, key):
            raise InvalidRequestError(f"{name} has an invalid header name, {_shown(key)}")
        if key.lower() in _RESERVED:
            raise InvalidRequestError(f"{name} must not set {key}: the client does")
        if not _fits(_VALUE, value):
            raise InvalidRequestError(
                f"{name}[{key!r}] must be a str of printable ASCII without spaces around it"
            )
        checked[key.lower()] = value
    return checked


def _shown(key: object) -> str:
    # What follows the name may be the value: some write a whole line as the name.
    if not isinstance(key, str):
        return f"of type {type(key).__name__}"
    start = _NAME.match(key)
    return f"beginning with {start[0][:80]!r}" if start else "without a beginning"


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
