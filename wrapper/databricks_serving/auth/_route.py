"""Route-optimised endpoints: an address and tokens of their own.

fact: such an endpoint takes no personal access token, but an OAuth token made for it. The token
address of the workspace gives one for `authorization_details`, to a service principal, or in
exchange for a token for the workspace. Where the endpoint is and what its details are stands in its
description.
"""

from collections.abc import Generator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlsplit

from databricks_serving._core import json_codec
from databricks_serving._core.json_codec import is_object
from databricks_serving._core.replies import Response
from databricks_serving.auth._client_credentials import OAuthClientCredentials
from databricks_serving.auth._json import object_in
from databricks_serving.auth._oauth import find_token_address, origin_of, request_token, unreachable
from databricks_serving.auth._source import Site, Source
from databricks_serving.auth._steps import Ask, Fetch, Step
from databricks_serving.errors import ConfigError, ServingError, TokenError

_BY_TOKEN: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # noqa: S105 - the name of a grant
_PERSONAL: Final = "dapi"
_SOURCE: Final = "route-optimised"


@dataclass(frozen=True, slots=True)
class Route:
    """A route-optimised endpoint.

    Attributes:
        endpoint: Its name.
        address: Where it is, without `/invocations`; None where that is to be asked.
        details: What tokens for it are asked for with; None as above.
    """

    endpoint: str
    address: str | None = None
    details: str | None = None


def route_of(endpoint: str, url: str | None, endpoint_id: str | None) -> Route:
    """Return a route that a user gave.

    Raises:
        ConfigError: When only half of it was given, or it is not safe.
    """
    if (url is None) != (endpoint_id is None):
        raise ConfigError("route_optimized takes url and endpoint_id together, or neither")
    if url is None or endpoint_id is None:
        return Route(endpoint)
    return Route(endpoint, _checked(url, endpoint), _details_of(endpoint_id))


def find_route(route: Route, site: Site, source: Source) -> Generator[Step, Any, Route]:
    """Return a route with what the description of its endpoint says.

    Raises:
        TokenError: When the description cannot be had.
        ConfigError: When the endpoint is none that is route-optimised.
    """
    if route.address is not None:
        return route
    token = yield from source.fetch(site)
    url = f"{site.host}/api/2.0/serving-endpoints/{quote(route.endpoint, safe='')}"
    headers = {"accept": "application/json", "authorization": f"Bearer {token.value}"}
    try:
        response: Response = yield Ask(url=url, headers={**token.headers, **headers})
    except ServingError as error:
        raise unreachable(_SOURCE, url, error) from None
    described = _description(response, route.endpoint)
    info = described.get("data_plane_info")
    query = info.get("query_info") if is_object(info) else None
    query = query if is_object(query) else {}
    address = query.get("endpoint_url") or described.get("endpoint_url")
    details = query.get("authorization_details")
    if not isinstance(address, str):
        raise ConfigError(f"endpoint {route.endpoint!r} is not route-optimised: call it as it is")
    if not isinstance(details, str):
        details = _details_of(str(described.get("id")))
    return Route(route.endpoint, _checked(address, route.endpoint), details)


class EndpointToken(Source):
    """Tokens for one route-optimised endpoint.

    Args:
        base: Where tokens for the workspace come from.
        details: What tokens for the endpoint are asked for with.
    """

    auth_type: ClassVar[str] = _SOURCE

    def __init__(self, base: Source, details: str) -> None:
        self._base = base
        self._details = details

    def with_base(self, base: Source) -> "EndpointToken":
        """Return the source for the same endpoint over another login."""
        return EndpointToken(base, self._details)

    def fetch(self, site: Site) -> Fetch:
        """Ask the workspace for a token for the endpoint."""
        if isinstance(self._base, OAuthClientCredentials):
            return (yield from self._base.fetch_for(site, self._details))
        token = yield from self._base.fetch(site)
        if token.value.startswith(_PERSONAL) or not token.value:
            raise TokenError(
                "a route-optimised endpoint takes no personal access token: log in by OAuth, "
                "such as auth=OAuthClientCredentials(...)",
                source=_SOURCE,
            )
        address = yield from find_token_address(site, _SOURCE, None)
        form = {
            "grant_type": _BY_TOKEN,
            "assertion": token.value,
            "authorization_details": self._details,
        }
        return (yield from request_token(address, _SOURCE, form))


def _description(response: Response, endpoint: str) -> dict[str, Any]:
    status = response.meta.status_code
    described = object_in(response.body)
    if status == HTTPStatus.OK and described:
        return described
    if status == HTTPStatus.NOT_FOUND:
        raise TokenError(f"there is no endpoint {endpoint!r}", source=_SOURCE, status_code=status)
    raise TokenError(
        f"{_SOURCE}: the description of endpoint {endpoint!r} cannot be read (status {status}); it "
        "takes the permission to view it, or url= and endpoint_id= instead",
        source=_SOURCE,
        status_code=status,
    )


def _checked(url: str, endpoint: str) -> str:
    if not origin_of(url):
        raise ConfigError(f"the address of endpoint {endpoint!r} is not safe: it must be https")
    parts = urlsplit(url)
    address = parts._replace(query="", fragment="").geturl().rstrip("/")
    return address.removesuffix("/invocations")


def _details_of(endpoint_id: str) -> str:
    return json_codec.to_text(
        [
            {
                "type": "workspace_permission",
                "object_type": "serving-endpoints",
                "object_path": f"/serving-endpoints/{endpoint_id}",
                "actions": ["query_inference_endpoint"],
            }
        ]
    )
