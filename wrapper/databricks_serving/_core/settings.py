"""What a client knows, as one value that `with_options` copies with changes."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from databricks_serving._core.config import Credentials, resolve_credentials
from databricks_serving._core.retry import RetryPolicy
from databricks_serving._core.secret import Secret
from databricks_serving._version import __version__
from databricks_serving.errors import InvalidRequestError
from databricks_serving.options import Timeouts

USER_AGENT = f"databricks-serving/{__version__} python/{sys.version_info[0]}.{sys.version_info[1]}"

# The client or the transport sets these; a second value would contradict the first.
_RESERVED = frozenset(
    {"authorization", "content-length", "content-type", "host", "transfer-encoding"}
)
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"([!-~]([ -~]*[!-~])?)?")


@dataclass(frozen=True, slots=True)
class Settings:
    """Credentials and options of a client."""

    credentials: Credentials
    timeouts: Timeouts
    retry: RetryPolicy
    headers: Mapping[str, str] = field(repr=False)


def resolve_settings(
    host: str | None,
    token: Secret | None,
    variable: Callable[[str], str | None],
    timeout: float | Timeouts | None,
    max_retries: int,
    default_headers: Mapping[str, str] | None,
) -> Settings:
    """Resolve a client's arguments.

    Raises:
        ConfigError: When host, token or options cannot work.
        InvalidRequestError: When a header cannot be sent.
    """
    return Settings(
        credentials=resolve_credentials(host, token, variable),
        timeouts=Timeouts() if timeout is None else Timeouts.of(timeout),
        retry=RetryPolicy(max_retries),
        headers={"user-agent": USER_AGENT, **check_headers("default_headers", default_headers)},
    )


def changed_settings(
    settings: Settings,
    timeout: float | Timeouts | None,
    max_retries: int | None,
    default_headers: Mapping[str, str] | None,
) -> Settings:
    """Return settings with other options; None keeps one. Raises as `resolve_settings` does."""
    retry = settings.retry
    return replace(
        settings,
        timeouts=settings.timeouts if timeout is None else Timeouts.of(timeout),
        retry=retry if max_retries is None else replace(retry, max_retries=max_retries),
        headers={**settings.headers, **check_headers("default_headers", default_headers)},
    )


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
            raise InvalidRequestError(f"{name} has an invalid header name {key!r:.80}")
        if key.lower() in _RESERVED:
            raise InvalidRequestError(f"{name} must not set {key}: the client does")
        if not _fits(_VALUE, value):
            raise InvalidRequestError(
                f"{name}[{key!r}] must be a str of printable ASCII without spaces around it"
            )
        checked[key.lower()] = value
    return checked


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
