"""What a client knows, as one value that `with_options` copies with changes."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from databricks_serving._core.config import Credentials, resolve_credentials
from databricks_serving._core.retry import RetryPolicy
from databricks_serving._version import __version__
from databricks_serving.errors import InvalidRequestError
from databricks_serving.options import Timeouts

USER_AGENT = f"databricks-serving/{__version__} python/{sys.version_info[0]}.{sys.version_info[1]}"

# The client or the transport sets these; a second value would contradict the first.
_RESERVED = frozenset({"authorization", "content-length", "host", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Credentials and options of a client."""

    credentials: Credentials
    timeouts: Timeouts
    retry: RetryPolicy
    headers: Mapping[str, str]


def resolve_settings(
    host: str | None,
    token: str | None,
    environment: Mapping[str, str],
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
        credentials=resolve_credentials(host, token, environment),
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
    checked: dict[str, str] = {}
    for key, value in (headers or {}).items():
        if not _is_token(key):
            raise InvalidRequestError(f"{name} has an invalid header name {key!r}")
        if key.lower() in _RESERVED:
            raise InvalidRequestError(f"{name} must not set {key}: the client does")
        if not _is_text(value):
            raise InvalidRequestError(f"{name}[{key!r}] must be a str of printable ASCII")
        checked[key.lower()] = value
    return checked


def _is_token(value: object) -> bool:
    return (
        isinstance(value, str)
        and value.replace("-", "").replace("_", "").isalnum()
        and value.isascii()
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and (value.isprintable() or not value)
