"""Where a request goes: an endpoint named by the path, one named by the body, or the directory."""

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from databricks_serving.local.errors import RefusedError, bad_request
from databricks_serving.local.jsontypes import is_object
from databricks_serving.local.messages import HttpRequest
from databricks_serving.local.tasks import Task

MANAGEMENT: Final = "/api/2.0/serving-endpoints"
INVOCATIONS: Final = re.compile(
    r"/serving-endpoints/(?P<endpoint>[^/]+)(/served-models/(?P<served>[^/]+))?/invocations"
)
_MANAGED: Final = re.compile(rf"{MANAGEMENT}/(?P<endpoint>[^/]+)(/openapi)?")
_BY_MODEL: Final = {
    "/serving-endpoints/chat/completions": Task.CHAT,
    "/serving-endpoints/completions": Task.COMPLETION,
    "/serving-endpoints/embeddings": Task.EMBEDDING,
    "/serving-endpoints/responses": Task.RESPONSES,
    "/serving-endpoints/open-responses": Task.RESPONSES,
    "/ai-gateway/mlflow/v1/chat/completions": Task.CHAT,
    "/ai-gateway/mlflow/v1/embeddings": Task.EMBEDDING,
    "/ai-gateway/mlflow/v1/responses": Task.RESPONSES,
}
_SERVED: Final = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Target:
    """What a request wants to call.

    Attributes:
        endpoint: The endpoint that the path names; None where the body does.
        served: The served model that the path names, if it does.
        task: What the path asks for; None where that is for the endpoint to say.
    """

    endpoint: str | None
    served: str | None = None
    task: Task | None = None


def target_of(request: HttpRequest) -> Target:
    """Return what a request wants to call.

    Raises:
        RefusedError: With status 404 for a path that is none, 405 for another method than POST.
    """
    path = path_of(request)
    task = _BY_MODEL.get(path)
    route = INVOCATIONS.fullmatch(path)
    if task is None and route is None:
        raise no_api(request)
    check_method(request, "POST")
    if route is None:
        return Target(None, task=task)
    served = unquote(route["served"]) if route["served"] else None
    if served is not None and not _SERVED.fullmatch(served):
        raise RefusedError(
            HTTPStatus.NOT_FOUND,
            "RESOURCE_DOES_NOT_EXIST",
            "A served model's name has only letters, digits, dots, dashes and underscores.",
        )
    return Target(unquote(route["endpoint"]), served)


def endpoint_in(request: HttpRequest) -> str | None:
    """Return the endpoint that a request is about, as far as its path or body tells."""
    path = path_of(request)
    route = INVOCATIONS.fullmatch(path) or _MANAGED.fullmatch(path)
    if route is not None:
        return unquote(route["endpoint"])
    if path not in _BY_MODEL:
        return None
    try:
        return model_in(json.loads(request.body))
    except (ValueError, RecursionError, RefusedError):
        return None


def model_in(body: Any) -> str:
    """Return the endpoint that a body names.

    Raises:
        RefusedError: With status 400 when it names none.
    """
    name = body.get("model") if is_object(body) else None
    if not isinstance(name, str) or not name:
        raise bad_request('"model" is a required property')
    # Names of the catalogue are taken for those of the workspace.
    return name.removeprefix("system.ai.")


def path_of(request: HttpRequest) -> str:
    """Return the path of a request, without its query."""
    return request.target.partition("?")[0]


def no_api(request: HttpRequest) -> RefusedError:
    """Return the refusal of a path that is none."""
    return RefusedError(
        HTTPStatus.NOT_FOUND,
        "ENDPOINT_NOT_FOUND",
        f"No API found for '{request.method} {path_of(request)}'",
    )


def check_method(request: HttpRequest, *allowed: str) -> None:
    """Refuse other methods than these, with status 405."""
    if request.method not in allowed:
        names = " or ".join(allowed)
        raise RefusedError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            f"{request.method} is not allowed here; use {names}.",
            headers={"allow": ", ".join(allowed)},
        )
