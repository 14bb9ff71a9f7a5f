"""Where the requests of a client go: the one place that makes their addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from databricks_serving._core.routes import Route
from databricks_serving.errors import InvalidRequestError

_SUFFIX: Final = "/invocations"


@dataclass(frozen=True, slots=True)
class Place:
    """Where requests go.

    Attributes:
        host: Address of the workspace.
        endpoint: The only endpoint that can be called, where it has an address of its own.
        address: That address, without `/invocations`.
        workspace_id: Id of the workspace, where the host serves several.
    """

    host: str
    endpoint: str | None = None
    address: str | None = None
    workspace_id: str | None = None

    def url(
        self, path: str, endpoint: str, served_model: str | None, query: Mapping[str, Any]
    ) -> str:
        """Return the address of a request.

        Args:
            path: The path of the operation, ending in `/invocations`.
            endpoint: Name of the endpoint.
            served_model: The one served model of it to call; None lets its traffic settings choose.
            query: Query parameters.

        Raises:
            InvalidRequestError: When another endpoint is asked for than can be called.
        """
        served = "" if served_model is None else f"/served-models/{served_model}"
        return f"{self._base(path, endpoint)}{served}{_SUFFIX}{_query(query)}"

    def url_through(self, route: Route, path: str | None, query: Mapping[str, Any]) -> str:
        """Return the address of a request by a route on which the body names the endpoint.

        Args:
            route: The route.
            path: The task's name on such routes; None where it has none.
            query: Query parameters.

        Raises:
            InvalidRequestError: When the route does not serve the task, or this client one endpoint
                only.
        """
        if self.address is not None:
            raise InvalidRequestError(
                f"route={route.name!r} cannot be combined with route_optimized(): endpoint "
                f"{self.endpoint!r} has an address of its own"
            )
        return f"{route.base_on(self.host)}/{route.path_of(path)}{_query(query)}"

    def url_on_host(self, path: str, query: Mapping[str, Any]) -> str:
        """Return the address of a request to the workspace itself.

        Raises:
            InvalidRequestError: When this client has tokens for one endpoint only.
        """
        if self.address is not None:
            raise InvalidRequestError(
                f"this client has tokens for endpoint {self.endpoint!r} alone: ask the workspace "
                "by the client that it was made from"
            )
        return f"{self.host}{path}{_query(query)}"

    def _base(self, path: str, endpoint: str) -> str:
        if self.address is None:
            return f"{self.host}{path.removesuffix(_SUFFIX)}"
        if endpoint != self.endpoint:
            raise InvalidRequestError(
                f"this client calls endpoint {self.endpoint!r} at an address of its own; for "
                f"{endpoint!r:.80} use the client that it was made from"
            )
        return self.address


def _query(query: Mapping[str, Any]) -> str:
    for name, value in query.items():
        if not isinstance(value, str):
            raise InvalidRequestError(f"extra_query[{name!r:.80}] must be a str")
    # A lone surrogate has no form in a URL.
    return f"?{urlencode(query, errors='replace')}" if query else ""
