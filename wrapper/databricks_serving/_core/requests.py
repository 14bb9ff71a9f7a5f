"""Requests built from arguments: everything is checked before a byte is sent."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from databricks_serving._core import json_codec
from databricks_serving._core.arguments import OPTION_NAMES, names_of, refuse_unknown
from databricks_serving._core.operations import Operation
from databricks_serving._core.settings import Settings, check_headers
from databricks_serving.errors import ConfigError, InvalidRequestError
from databricks_serving.options import Timeouts

T = TypeVar("T")

# fact: endpoint names are letters, digits, `-` and `_`; catalogue names have dots as well.
_ENDPOINT_NAME = re.compile(r"(?!\.+$)[A-Za-z0-9_.-]{1,255}")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, ready to be sent as often as needed."""

    endpoint: str
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    timeouts: Timeouts


def build_request(
    operation: Operation[Any],
    settings: Settings,
    endpoint: str,
    arguments: Mapping[str, Any],
    *,
    stream: bool = False,
) -> Request:
    """Build the request of one call.

    Args:
        operation: The task.
        settings: The client's credentials and options.
        endpoint: Name of the endpoint (`model=`).
        arguments: Keyword arguments of the method; None means not given.
        stream: Ask for server-sent events.

    Raises:
        InvalidRequestError: Naming the argument that cannot be sent.
    """
    refuse_unknown(arguments, names_of(operation.arguments))
    given = {name: value for name, value in arguments.items() if value is not None}
    options = {name: given.pop(name) for name in OPTION_NAMES & given.keys()}
    operation.check_request(given)
    extra = _mapping(options, "extra_body")
    if "stream" in extra:
        raise InvalidRequestError("extra_body must not set stream: use create(stream=True)")
    body = {**given, **({"stream": True} if stream else {}), **extra}
    kwargs = _in_json(lambda: operation.get_kwargs(_check_endpoint(endpoint), body=body))
    return Request(
        endpoint=endpoint,
        method=kwargs["method"].upper(),
        url=_url(settings, kwargs["url"], _mapping(options, "extra_query")),
        headers=_headers(settings, options, stream=stream),
        content=_in_json(lambda: json_codec.encode(kwargs["json"])),
        timeouts=_timeouts(options, settings.timeouts),
    )


def _check_endpoint(name: object) -> str:
    if isinstance(name, str) and _ENDPOINT_NAME.fullmatch(name):
        return name
    raise InvalidRequestError(
        "model must be the name of a serving endpoint: letters, digits, '-', '_' and '.', "
        f"at most 255 of them, not {name!r:.80}"
    )


def _mapping(options: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = options.get(name, {})
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"{name} must be a dict, not {type(value).__name__}")
    return value  # pyright: ignore[reportUnknownVariableType] - its keys are checked where used


def _url(settings: Settings, path: str, query: Mapping[str, Any]) -> str:
    for name, value in query.items():
        if not isinstance(value, str):
            raise InvalidRequestError(f"extra_query[{name!r:.80}] must be a str")
    # A lone surrogate has no form in a URL.
    suffix = f"?{urlencode(query, errors='replace')}" if query else ""
    return f"{settings.credentials.host}{path}{suffix}"


def _headers(settings: Settings, options: Mapping[str, Any], *, stream: bool) -> dict[str, str]:
    return {
        "accept": "text/event-stream" if stream else "application/json",
        # A compressed stream would arrive in blocks instead of event by event.
        "accept-encoding": "identity" if stream else "gzip, deflate",
        **settings.headers,
        **check_headers("extra_headers", _mapping(options, "extra_headers")),
        "authorization": f"Bearer {settings.credentials.token.reveal()}",
        "content-type": "application/json",
    }


def _timeouts(options: Mapping[str, Any], default: Timeouts) -> Timeouts:
    try:
        return Timeouts.of(options["timeout"]) if "timeout" in options else default
    except ConfigError as error:
        raise InvalidRequestError(str(error)) from None


def _in_json(write: Callable[[], T]) -> T:
    try:
        return write()
    except TypeError as error:
        # Only the place and the kind of value are named: the value may be the user's text.
        raise InvalidRequestError(f"the request cannot be written as JSON: {error}") from None
    except RecursionError:
        raise InvalidRequestError("the request is nested too deeply, or contains itself") from None
