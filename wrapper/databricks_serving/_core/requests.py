"""Requests built from arguments: everything is checked before a byte is sent."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from databricks_serving._core import json_codec
from databricks_serving._core.access import Pass
from databricks_serving._core.adapting import changed_adaptation
from databricks_serving._core.arguments import OPTION_NAMES, names_of, refuse_unknown
from databricks_serving._core.operations import Operation
from databricks_serving._core.places import Place
from databricks_serving._core.reading import Reading
from databricks_serving._core.refusing import IN_CALLS
from databricks_serving._core.routes import Route, route_of
from databricks_serving._core.secret import Hidden
from databricks_serving._core.settings import (
    Settings,
    changed_timeouts,
    check_headers,
    check_idempotent,
)
from databricks_serving._trail import SentRequest
from databricks_serving.errors import InvalidRequestError
from databricks_serving.families import Change
from databricks_serving.options import Timeouts

T = TypeVar("T")

# fact: endpoint names are letters, digits, `-` and `_`; catalogue names have dots as well.
_ENDPOINT_NAME = re.compile(r"(?!\.+$)[A-Za-z0-9_.-]{1,255}")
_WORKSPACE: Final = "x-databricks-workspace-id"
# Headers whose values are no secret; of all others an error shows the name.
_PLAIN_HEADERS: Final = frozenset(
    {"accept", "accept-encoding", "content-type", "idempotency-key", "user-agent"}
)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, ready to be sent as often as needed.

    Attributes:
        endpoint: Name of the endpoint.
        method: The HTTP method.
        url: The whole URL.
        headers: Names in lower case; once it is signed, the token among the values.
        content: The body.
        timeouts: Limits in seconds, that of the whole call among them.
        limit: The largest answer to take in, in bytes.
        idempotent: Whether it may be sent again although the model may have run it.
        reading: How its answer is to be read.
        changes: What was changed to suit the family of the model.
    """

    endpoint: str
    method: str
    url: str = field(repr=False)
    headers: Hidden[Mapping[str, str]]
    content: Hidden[bytes]
    timeouts: Timeouts
    limit: int
    idempotent: bool = True
    reading: Reading = field(default_factory=Reading)
    changes: tuple[Change, ...] = ()

    def trail(self) -> SentRequest:
        """Return what an error may keep of this request."""
        parts = urlsplit(self.url)
        query = [(name, "***") for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
        return SentRequest(
            self.method,
            parts._replace(query=urlencode(query, safe="*")).geturl(),
            {
                name: value if name in _PLAIN_HEADERS else "***"
                for name, value in self.headers.reveal().items()
                if name != "authorization"
            },
            self.size,
        )

    @property
    def size(self) -> int:
        """Length of the body in bytes."""
        return len(self.content.reveal())

    @property
    def call_id(self) -> str | None:
        """The id that all tries of the call carry."""
        return self.headers.reveal().get("idempotency-key")

    def signed(self, by: Pass) -> "Request":
        """Return the request with what authorises it."""
        headers: Hidden[Mapping[str, str]] = Hidden(
            {**self.headers.reveal(), **by.headers.reveal()}
        )
        # Five times cheaper than `replace`, at each try.
        return Request(
            endpoint=self.endpoint,
            method=self.method,
            url=self.url,
            headers=headers,
            content=self.content,
            timeouts=self.timeouts,
            limit=self.limit,
            idempotent=self.idempotent,
            reading=Reading(self.reading.parts, self.reading.event_bytes, by.secrets),
            changes=self.changes,
        )


def build_request(
    operation: Operation[Any],
    settings: Settings,
    place: Place,
    endpoint: str,
    arguments: Mapping[str, Any],
    *,
    call_id: str,
    stream: bool = False,
) -> Request:
    """Build the request of one call.

    Args:
        operation: The task.
        settings: The client's options.
        place: Where requests go.
        endpoint: Name of the endpoint, as the user gave it.
        arguments: Keyword arguments of the method; None means not given.
        call_id: An id for all tries of the call.
        stream: Ask for server-sent events.

    Raises:
        InvalidRequestError: Naming the argument that cannot be sent.
    """
    given, options = split_arguments(operation, arguments)
    timeouts, idempotent = call_options(options, settings)
    operation.check_request(given)
    extra = mapping_of(options, "extra_body")
    if "stream" in extra:
        raise InvalidRequestError(
            "extra_body must not set stream: use create(stream=True), or predict_stream"
        )
    name, route = _called(operation, settings, endpoint, options)
    named = {} if route is None else {"model": name}
    body, changes = _adapted(operation, settings, name, options, {**given, **extra})
    body = {**named, **({"stream": True} if stream else {}), **body}
    kwargs = in_json(body, lambda: operation.get_kwargs(name, body=body))
    return Request(
        endpoint=endpoint,
        method=kwargs["method"].upper(),
        url=_url(operation, place, endpoint, kwargs["url"], route, options),
        headers=Hidden(request_headers(settings, place, options, call_id, stream=stream)),
        content=Hidden(json_content(kwargs["json"], settings.limits.request_bytes)),
        timeouts=timeouts,
        limit=_limit(operation, settings, stream=stream),
        idempotent=idempotent,
        reading=Reading(operation.count_parts(body), settings.limits.event_bytes),
        changes=tuple(changes),
    )


def split_arguments(
    operation: Operation[Any], arguments: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is for the server, and the options of the call; None means not given.

    Raises:
        InvalidRequestError: When the operation does not take an argument.
    """
    known = names_of(operation.arguments)
    refuse_unknown(arguments, known, extra_body="extra_body" in known)
    given = {name: value for name, value in arguments.items() if value is not None}
    return given, {name: given.pop(name) for name in OPTION_NAMES & given.keys()}


def _called(
    operation: Operation[Any], settings: Settings, endpoint: str, options: Mapping[str, Any]
) -> tuple[str, Route | None]:
    """Return the name of what is called, and the way to it; None where it has its own path."""
    if operation.on_host:
        refuse_for_apps(options)
        return endpoint, None
    route = _route(options, settings)
    return check_endpoint(endpoint, operation.endpoint_argument), route


def _adapted(
    operation: Operation[Any],
    settings: Settings,
    endpoint: str,
    options: Mapping[str, Any],
    body: Mapping[str, Any],
) -> tuple[Mapping[str, Any], list[Change]]:
    if not operation.adapts:
        return body, []
    adaptation = settings.adaptation
    if "adapt" in options:
        with IN_CALLS:
            adaptation = changed_adaptation(adaptation, options["adapt"], None)
    return in_json(body, lambda: adaptation.apply(endpoint, body))


def _url(
    operation: Operation[Any],
    place: Place,
    endpoint: str,
    path: str,
    route: Route | None,
    options: Mapping[str, Any],
) -> str:
    served_model = check_served_model(options.get("served_model"))
    query = mapping_of(options, "extra_query")
    if operation.on_host:
        return place.url_on_host(path, query)
    if route is None:
        return place.url(path, endpoint, served_model, query)
    if served_model is not None:
        raise InvalidRequestError(
            f"served_model can be chosen on the endpoint's own path only: route={route.name!r} "
            "has no place for it"
        )
    return place.url_through(route, operation.path, query)


def _route(options: Mapping[str, Any], settings: Settings) -> Route | None:
    with IN_CALLS:
        return route_of(options["route"]) if "route" in options else settings.route


def json_content(body: Any, limit: int) -> bytes:
    """Return a body as JSON; raises InvalidRequestError where it is none, or too large."""
    content = in_json(body, lambda: json_codec.encode(body))
    if len(content) > limit:
        raise InvalidRequestError(
            f"the request has {len(content)} bytes, more than the {limit} of "
            "Limits(request_bytes=...); the platform takes 16 MiB for custom models and 4 MiB "
            "for foundation models"
        )
    return content


def _limit(operation: Operation[Any], settings: Settings, *, stream: bool) -> int:
    limits = settings.limits
    return limits.stream_bytes if stream else limits.response_bytes or operation.max_reply_bytes


def check_endpoint(name: object, argument: str) -> str:
    """Return the name of an endpoint; raises InvalidRequestError for what cannot be one."""
    if isinstance(name, str) and _ENDPOINT_NAME.fullmatch(name):
        return name
    raise InvalidRequestError(
        f"{argument} must be the name of a serving endpoint: letters, digits, '-', '_' and '.', "
        f"at most 255 of them, not {name!r:.80}"
    )


def refuse_for_apps(options: Mapping[str, Any]) -> None:
    """Refuse what an app behind the driver proxy of a cluster has no place for."""
    for option in ("served_model", "route", "wrap"):
        if option in options:
            raise InvalidRequestError(f"{option}= is for endpoints, not for an app on a cluster")


def check_served_model(name: object) -> str | None:
    """Return the name of a served model, or None; raises InvalidRequestError for what is none."""
    if name is None or (isinstance(name, str) and _ENDPOINT_NAME.fullmatch(name)):
        return name
    raise InvalidRequestError(
        "served_model must be the name of a served model: letters, digits, '-', '_' and '.', "
        f"at most 255 of them, not {name!r:.80}"
    )


def mapping_of(options: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an option that is a mapping, empty if it was not given."""
    value = options.get(name, {})
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"{name} must be a dict, not {type(value).__name__}")
    return value  # pyright: ignore[reportUnknownVariableType] - its keys are checked where used


def request_headers(
    settings: Settings, place: Place, options: Mapping[str, Any], call_id: str, *, stream: bool
) -> dict[str, str]:
    """Return the headers of a request, names in lower case; raises InvalidRequestError."""
    # fact: a host that serves several workspaces takes the id of one in this header.
    several = {} if place.workspace_id is None else {_WORKSPACE: place.workspace_id}
    return {
        **several,
        "accept": "text/event-stream" if stream else "application/json",
        # A compressed stream would arrive in blocks instead of event by event.
        "accept-encoding": "identity" if stream else "gzip, deflate",
        "idempotency-key": call_id,
        **settings.headers.reveal(),
        **check_headers("extra_headers", mapping_of(options, "extra_headers")),
        "content-type": "application/json",
    }


def call_options(options: Mapping[str, Any], settings: Settings) -> tuple[Timeouts, bool]:
    """Return the limits of a call, and whether it may be repeated; raises InvalidRequestError."""
    timeout, deadline = options.get("timeout"), options.get("deadline")
    with IN_CALLS:
        timeouts = changed_timeouts(settings.timeouts, timeout, deadline)
        return timeouts, check_idempotent(options.get("idempotent"), settings.idempotent)


def until_of(arguments: Mapping[str, Any], settings: Settings, now: float) -> float | None:
    """Return when a call is over that begins now; None for never.

    Raises:
        InvalidRequestError: When its timeout or deadline cannot work.
    """
    timeouts, _ = call_options(arguments, settings)
    return None if timeouts.total is None else now + timeouts.total


def in_json(value: object, write: Callable[[], T]) -> T:
    """Do what writes a value as JSON; raises InvalidRequestError, naming the place at fault."""
    # Only the place and the kind of value are named: the value may be the user's text.
    try:
        return write()
    except TypeError as error:
        fault: str | None = str(error)
    except RecursionError:
        fault = json_codec.find_fault(value)
    raise InvalidRequestError(f"the request cannot be written as JSON: {fault}")
