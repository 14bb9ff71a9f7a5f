"""The transport: requests out, bytes in, and whatever is raised on the way turned into our errors.

The only place that knows httpx. Any transport of httpx's kind can be used, and is called directly:
no cookies, no redirects, no netrc, no hooks. The default is a pool of our own, which speaks by
`_core/http1.py`; ARCHITECTURE.md says why.
"""

from databricks_serving._http.async_exchange import AsyncExchange
from databricks_serving._http.async_sender import AsyncSender
from databricks_serving._http.connections import Connections, connections_of
from databricks_serving._http.exchange import Exchange
from databricks_serving._http.sender import Sender

__all__ = ["AsyncExchange", "AsyncSender", "Connections", "Exchange", "Sender", "connections_of"]
