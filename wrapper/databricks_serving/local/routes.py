"""Where a request goes: an endpoint named by the path, one named by the body, or the directory."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

from databricks_serving.local.errors import RefusedError
from databricks_serving.local.messages import HttpRequest
from databricks_serving.local.tasks import Task

MANAGEMENT: Final = "/api/2.0/serving-endpoints"
_INVOCATIONS: Final = re.compile(
    r"/serving-endpoints/(?P<endpoint>[^/]+)(/served-models/(?P<served>[^/]+))?/invocations"
)
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
    route = _INVOCATIONS.fullmatch(path)
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
            allow=", ".join(allowed),
        )
