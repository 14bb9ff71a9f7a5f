"""What usually helps, in one line, where a cause is well known."""

import re
from collections.abc import Callable
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from databricks_serving._core.json_codec import is_object
from databricks_serving._core.requests import Request
from databricks_serving._core.retry import is_lasting
from databricks_serving._core.units import size_text
from databricks_serving.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    EndpointNotReadyError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    ServingError,
)

# fact: route-optimised endpoints live on hosts of their own and take no personal access token.
_ROUTE_OPTIMISED: Final = (".serving.cloud.databricks.com", ".serving.azuredatabricks.net")
_PERSONAL: Final = "dapi"
_DRIVER_PROXY: Final = "/driver-proxy-api/"
# What MLflow says of a table whose columns are not those of the model's signature.
_MISSING_COLUMNS: Final = re.compile(r"Model is missing inputs \[(?P<names>[^\]]+)\]")
_EXTRA_COLUMNS: Final = re.compile(r"extra inputs: \[(?P<names>[^\]]+)\]")
# What an endpoint says that is called by the request of another task.
_OTHER_TASK: Final = re.compile(r'unknown field "(?:input|messages|prompt)"')
_SHOWN_NAMES: Final = 200
_ADDRESS_REFUSED: Final = re.compile(
    r"\bip\b.*\b(?:acl|access|address|allow|block|den|not|range|restrict|white)"
    r"|\b(?:block|den|not allowed|restrict).*\bip\b|network polic|public (?:network|access)"
)


def hint_for(error: ServingError, request: Request) -> str | None:
    """Return a hint for an error of a call, or None."""
    if not isinstance(error, APIStatusError):
        return None
    if error.status_code in {401, 403} and _needs_oauth(request):
        return (
            "a route-optimised endpoint takes no personal access token: log in to the workspace by "
            "OAuth and use client.route_optimized(name)"
        )
    hints = _OF_APPS if urlsplit(request.url).path.startswith(_DRIVER_PROXY) else _HINTS
    for kind, hint in hints:
        if isinstance(error, kind):
            return hint(error, request)
    return None


def _needs_oauth(request: Request) -> bool:
    host = urlsplit(request.url).hostname or ""
    personal = request.headers.reveal().get("authorization", "").startswith(f"Bearer {_PERSONAL}")
    return personal and host.endswith(_ROUTE_OPTIMISED)


def _of_permission(error: APIStatusError, request: Request) -> str | None:
    text = error.message.lower()
    host = urlsplit(request.url).netloc
    if "rate limit of 0" in text:
        return "this endpoint is switched off for the workspace; waiting does not help"
    if _ADDRESS_REFUSED.search(text):
        return f"{host} refuses the network that this machine calls from (IP access list?)"
    if str(error.body).lstrip().startswith("<"):
        return f"this is no answer of a workspace: a gateway before {host} may have refused"
    if "scope" in text:
        return "the OAuth token needs the scope that the message names, or all-apis"
    if "token" in text:
        return f"the token is wrong, has expired or belongs to another workspace than {host}"
    return f"the owner of the token needs the permission CAN QUERY on {request.endpoint!r}"


def _of_credential(_error: APIStatusError, request: Request) -> str | None:
    host = urlsplit(request.url).netloc
    return f"{host} takes no token of this kind; is it a workspace's, and whole?"


def _of_missing(error: APIStatusError, request: Request) -> str | None:
    host = urlsplit(request.url).netloc
    if not isinstance(error.body, dict):
        return f"is {host} the address of a workspace?"
    return f"check the name of the endpoint, and that {host} is its workspace"


def _of_cluster(_error: APIStatusError, _request: Request) -> str | None:
    return "the owner of the token must be allowed to attach to the cluster"


def _of_missing_app(_error: APIStatusError, _request: Request) -> str | None:
    return "check cluster_id, port and path, and that the app runs on the driver node"


def _of_size(_error: APIStatusError, request: Request) -> str | None:
    return (
        f"the request has {size_text(request.size)}; the platform takes 16 MiB for custom models "
        "and 4 MiB for foundation models"
    )


def _of_limit(error: APIStatusError, _request: Request) -> str | None:
    return "this limit takes hours to clear" if is_lasting(error) else None


def _of_cold_start(error: APIStatusError, _request: Request) -> str | None:
    if error.retry_stopped_by in {"cold_start", "deadline"}:
        return "waiting longer takes a longer cold_start_timeout and deadline"
    return "retry=RetryPolicy(cold_start_timeout=300) waits until the endpoint is up"


def _of_bad_request(error: APIStatusError, _request: Request) -> str | None:
    if is_object(error.body) and error.body.get("stack_trace"):
        return "the model's own code failed; error.body['stack_trace'] shows where"
    if _OTHER_TASK.search(error.message):
        return "the endpoint may be for another task: client.endpoints.get(name).task tells"
    message = error.body.get("message") if is_object(error.body) else error.message
    missing = _MISSING_COLUMNS.search(str(message))
    if missing is None:
        return None
    extra = _EXTRA_COLUMNS.search(str(message))
    beside = f", and does not know {_columns(extra)}" if extra else ""
    return f"the model needs {_columns(missing)} as well{beside}"


def _columns(found: re.Match[str]) -> str:
    names = found["names"][:_SHOWN_NAMES]
    return f"the column{'s' if ', ' in names else ''} {names}"


_Hint: TypeAlias = Callable[[APIStatusError, Request], str | None]
# An app on a cluster is no endpoint.
_OF_APPS: Final[tuple[tuple[type[APIStatusError], _Hint], ...]] = (
    (AuthenticationError, _of_credential),
    (PermissionDeniedError, _of_cluster),
    (NotFoundError, _of_missing_app),
)
_HINTS: Final[tuple[tuple[type[APIStatusError], _Hint], ...]] = (
    (AuthenticationError, _of_credential),
    (PermissionDeniedError, _of_permission),
    (NotFoundError, _of_missing),
    (PayloadTooLargeError, _of_size),
    (RateLimitError, _of_limit),
    (EndpointNotReadyError, _of_cold_start),
    (BadRequestError, _of_bad_request),
)
