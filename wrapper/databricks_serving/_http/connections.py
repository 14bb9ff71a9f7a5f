"""How a client connects."""

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from databricks_serving._core.proxies import Proxy, resolve_proxy
from databricks_serving._core.secret import Secret
from databricks_serving.options import Limits

# Any address that is reached by a proxy.
_ANY: Final = "https://any.invalid"


def _directly(_address: str) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What the connections of a client have in common.

    Args:
        limits: How many there may be.
        ssl_context: How TLS is spoken; None for the system's trust store and its variables.
        proxy_for: Returns the proxy to go through to an address; None to go directly.
    """

    limits: Limits = field(default_factory=Limits)
    ssl_context: ssl.SSLContext | None = None
    proxy_for: Callable[[str], Proxy | None] = _directly


def connections_of(
    host: str | None,
    limits: Limits,
    ssl_context: ssl.SSLContext | None,
    proxy: Secret | None,
) -> Connections:
    """Return how a client connects, by its options and the environment.

    Args:
        host: Address of the workspace, if it is known.
        limits: As for the client.
        ssl_context: As for the client.
        proxy: As for the client.

    Raises:
        ConfigError: When a proxy cannot be used.
    """
    proxy_for = partial(resolve_proxy, explicit=proxy, variable=os.getenv)
    proxy_for(host or _ANY)
    return Connections(limits=limits, ssl_context=ssl_context, proxy_for=proxy_for)
