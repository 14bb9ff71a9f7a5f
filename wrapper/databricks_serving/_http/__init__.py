"""The transport: requests out, bytes in, and whatever is raised on the way turned into our errors.

The only place that knows httpx and httpcore2. httpx's transport interface is called directly: no
cookies, no redirects, no netrc, no hooks. The default transport behind it runs on httpcore2's pool,
because that of httpcore loses its places for good when calls are cancelled.
"""

from databricks_serving._http.async_exchange import AsyncExchange
from databricks_serving._http.async_sender import AsyncSender
from databricks_serving._http.connections import Connections, connections_of
from databricks_serving._http.exchange import Exchange
from databricks_serving._http.sender import Sender

__all__ = ["AsyncExchange", "AsyncSender", "Connections", "Exchange", "Sender", "connections_of"]
