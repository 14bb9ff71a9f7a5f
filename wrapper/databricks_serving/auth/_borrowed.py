"""Logins that people already have in hand: of the official SDK, and of httpx."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Final

from databricks_serving.auth._source import Site, Source
from databricks_serving.auth._steps import Fetch, called
from databricks_serving.auth._token import Token, checked
from databricks_serving.errors import ConfigError, TokenError

# fact: the official SDK renews a token 40 s before its end, so what it gives lasts this long.
_GOOD_FOR: Final = 30.0
_BEARER: Final = "bearer "


class SdkConfig(Source):
    """The `Config` of a `WorkspaceClient` of databricks-sdk, with whatever login it has.

    Its `authenticate()` is called at least every half minute of calls, beside an event loop in a
    thread.

    Args:
        config: A `databricks.sdk.core.Config`, or a client that has one as `config`.

    Raises:
        ConfigError: When it is neither.
    """

    auth_type: ClassVar[str] = "databricks-sdk"

    def __init__(self, config: Any) -> None:
        config = getattr(config, "config", config)
        if not is_sdk_config(config):
            raise ConfigError(f"{type(config).__name__} is no Config of databricks-sdk")
        self._authenticate: Callable[[], Mapping[str, str]] = config.authenticate
        self.host: str | None = config.host

    def fetch(self, site: Site) -> Fetch:  # noqa: ARG002 - as every source
        """Ask the SDK for its headers."""
        return (yield from _borrow(self._authenticate, self.auth_type))


class HttpxAuth(Source):
    """An `httpx.Auth` that sets headers; one that sends requests of its own cannot be used.

    Args:
        auth: The object.
    """

    auth_type: ClassVar[str] = "httpx"

    def __init__(self, auth: Any) -> None:
        self._auth = auth

    def fetch(self, site: Site) -> Fetch:
        """Have it sign a request that is not sent, and take the headers."""
        return (yield from _borrow(partial(_sign, self._auth, site.host), self.auth_type))


def is_sdk_config(value: object) -> bool:
    """Tell whether a value is a `Config` of the official SDK."""
    return hasattr(value, "host") and callable(getattr(value, "authenticate", None))


def is_httpx_auth(value: object) -> bool:
    """Tell whether a value is an `Auth` of httpx."""
    return callable(getattr(value, "sync_auth_flow", None))


def _borrow(function: Callable[[], Mapping[str, str]], source: str) -> Fetch:
    text = f"{source}: {{}} while its headers were asked for"
    named: dict[str, str] = yield from called(lambda: _named(function()), text, source)
    value = named.pop("authorization", "")
    if value.lower().startswith(_BEARER):
        return checked(Token(value[len(_BEARER) :], _GOOD_FOR, named), source)
    if not value or not value.isascii() or not value.isprintable():
        raise TokenError(f"{source}: there is no authorization in its headers", source=source)
    return Token("", _GOOD_FOR, {**named, "authorization": value})


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in headers.items()}


def _sign(auth: Any, host: str) -> Mapping[str, str]:
    # Whoever has such an object has imported httpx.
    request: Any = sys.modules["httpx"].Request("POST", host)
    before = dict(request.headers)
    flow = auth.sync_auth_flow(request)
    try:
        if next(flow) is not request:
            text = (
                "httpx: this Auth sends requests of its own: pass a function that returns a token"
            )
            raise TokenError(text, source=HttpxAuth.auth_type)
    finally:
        flow.close()
    return {name: value for name, value in request.headers.items() if before.get(name) != value}
