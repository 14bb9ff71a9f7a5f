"""How a client connects."""

import ssl
from dataclasses import dataclass, field

from databricks_serving._core.proxies import Proxy
from databricks_serving.options import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What the connections of a client have in common.

    Args:
        limits: How many there may be.
        ssl_context: How TLS is spoken; None for the system's trust store and its variables.
        proxy: The proxy to go through, as `resolve_proxy` found it; None to go directly.
    """

    limits: Limits = field(default_factory=Limits)
    ssl_context: ssl.SSLContext | None = None
    proxy: Proxy | None = None
