"""Requests about endpoints, to the control plane of the workspace."""

from collections.abc import Mapping
from typing import Any

from databricks_serving._core.operations import ManagementOperation, Operation
from databricks_serving._core.places import Place
from databricks_serving._core.reading import Reading
from databricks_serving._core.requests import (
    Request,
    build_request,
    call_options,
    check_endpoint,
    in_json,
    json_content,
    mapping_of,
    request_headers,
    split_arguments,
)
from databricks_serving._core.secret import Hidden
from databricks_serving._core.settings import Settings


def request_of(
    operation: Operation[Any],
    settings: Settings,
    place: Place,
    endpoint: str,
    arguments: Mapping[str, Any],
    *,
    call_id: str,
    stream: bool,
) -> Request:
    """Build the request of an operation of either kind; raises InvalidRequestError."""
    if isinstance(operation, ManagementOperation):
        return build_management_request(
            operation, settings, place, endpoint, arguments, call_id=call_id
        )
    return build_request(
        operation, settings, place, endpoint, arguments, call_id=call_id, stream=stream
    )


def build_management_request(
    operation: ManagementOperation[Any],
    settings: Settings,
    place: Place,
    endpoint: str,
    arguments: Mapping[str, Any],
    *,
    call_id: str,
) -> Request:
    """Build a request about endpoints.

    Args:
        operation: What is to be done.
        settings: The client's options.
        place: Where the workspace is.
        endpoint: Name of the endpoint that it is about; empty where it is about all of them.
        arguments: Keyword arguments of the method; None means not given.
        call_id: An id for all tries of the call.

    Raises:
        InvalidRequestError: Naming the argument that cannot be sent.
    """
    body, options = split_arguments(operation, arguments)
    timeouts, _ = call_options(options, settings)
    operation.check_request(body)
    names = (check_endpoint(endpoint, "name"),) if operation.names_endpoint else ()
    bodies = {"body": body} if operation.has_body else {}
    kwargs = in_json(body, lambda: operation.get_kwargs(*names, **bodies))
    limits = settings.limits
    content = json_content(kwargs["json"], limits.request_bytes) if "json" in kwargs else b""
    return Request(
        endpoint=endpoint,
        method=kwargs["method"].upper(),
        url=place.url_on_host(kwargs["url"], mapping_of(options, "extra_query")),
        headers=Hidden(request_headers(settings, place, options, call_id, stream=False)),
        content=Hidden(content),
        timeouts=timeouts,
        limit=limits.response_bytes or operation.max_reply_bytes,
        idempotent=operation.idempotent,
        reading=Reading(),
    )
