"""Handles for one endpoint: what `client.endpoint` takes, checked before a handle is made."""

from collections.abc import Callable, Mapping
from inspect import Signature, iscoroutinefunction, signature
from typing import Any, Final, Literal, TypeAlias, TypedDict

from databricks_serving._core.arguments import TextArguments, guess_of, names_of
from databricks_serving._core.bound import (
    INFER,
    KIND_OF_TASK,
    KINDS,
    Binding,
    Kind,
    check_defaults,
    copied,
)
from databricks_serving._core.json_codec import is_mapping, kind_of
from databricks_serving._core.refusing import IN_CALLS
from databricks_serving._core.requests import (
    check_endpoint,
    check_served_model,
    in_json,
    refuse_for_apps,
)
from databricks_serving._core.routes import route_of
from databricks_serving._core.text import RECORDS, proxy_address, text_operation
from databricks_serving.errors import InvalidRequestError
from databricks_serving_api.params import ChatParams, CompletionParams, EmbeddingParams

Task: TypeAlias = Literal[
    "chat", "completions", "embeddings", "responses", "agents", "custom", "text", "infer"
]
TransformInput: TypeAlias = Callable[..., Mapping[str, Any]]

_TASKS: Final = (*KINDS, "text", "infer")
_PROXY_OPTIONS: Final = ("cluster_id", "port", "org_id", "path")
# Names that people look for here and that stand somewhere else.
_ELSEWHERE: Final = {
    "cluster_driver_port": "use port=",
    "endpoint": "the name of the endpoint comes first",
    "endpoint_name": "the name of the endpoint comes first",
    "extra_params": "parameters of every call go into defaults",
    "model": "the name of the endpoint comes first",
    "model_kwargs": "parameters of every call go into defaults",
    **{
        name: "parameters of every call go into defaults"
        for params in (ChatParams, CompletionParams, EmbeddingParams)
        for name in params.__annotations__
    },
}


class HandleOptions(TypedDict, total=False):
    """What the handles of all tasks take."""

    served_model: str | None
    """Name of the one served model of the endpoint to call; its traffic settings are ignored."""
    route: str | None
    """Which way to go to the endpoint: as `route` of the client."""
    transform_input: TransformInput | None
    """Called as `transform_input(**request)` with a copy of the request's parameters before each
    call; returns those to send, also ones that the task does not know."""


class EndpointOptions(HandleOptions, total=False):
    """What `client.endpoint` takes beside the name of an endpoint."""

    task: Task | None
    """What the endpoint does: `chat`, the default; `completions`, `embeddings`, `responses`,
    `agents`; `custom` for custom models; `text` for the legacy completion contract; `infer` asks
    the workspace at the first call."""
    defaults: Mapping[str, Any] | None
    """Parameters and options of every call. Those of a call go before."""
    transform_output: Callable[[Any], Any] | None
    """Called with each whole reply; what it returns is what the call returns. Streams are not
    changed by it."""
    wrap: Literal["dataframe_records"] | None
    """Of task `text`: `dataframe_records`, the default, sends the request as the record of a table,
    and the answer is its prediction; None sends it as it is, and the answer is the whole reply."""
    cluster_id: str | None
    """Id of a cluster, to call an app behind its driver proxy instead of an endpoint."""
    port: int | None
    """Port of the app on the driver node."""
    org_id: str | None
    """Id of the workspace in the address of the proxy; 0, the default, is the host's own."""
    path: str | None
    """Path of the app, such as `/generate`."""


def bind(name: object, options: Mapping[str, Any]) -> Binding[Any]:
    """Return what is bound to a new handle.

    Args:
        name: Name of the endpoint; empty for an app of a cluster.
        options: What was given of `EndpointOptions`.

    Raises:
        InvalidRequestError: Naming the argument that cannot be.
    """
    _refuse_unknown(options)
    # Of these alone None says something.
    wraps = {"wrap": options["wrap"]} if "wrap" in options else {}
    given = {key: value for key, value in options.items() if value is not None} | wraps
    for transform in ("transform_input", "transform_output"):
        _check_function(transform, given.get(transform))
    proxied = [option for option in _PROXY_OPTIONS if option in given]
    return _for_app(name, given) if proxied else _for_endpoint(name, given)


def _refuse_unknown(options: Mapping[str, Any]) -> None:
    known = names_of(EndpointOptions)
    for option in options:
        if option not in known:
            where = _ELSEWHERE.get(option)
            hint = guess_of(option, known) if where is None else f": {where}"
            raise InvalidRequestError(f"unknown parameter {option!r}{hint}")


def _for_endpoint(name: object, given: Mapping[str, Any]) -> Binding[Any]:
    if name == "":
        raise InvalidRequestError("give the name of an endpoint, or cluster_id= and port=")
    checked = check_endpoint(name, "name")
    task = given.get("task", "chat")
    if task not in _TASKS:
        ours = KIND_OF_TASK.get(task) if isinstance(task, str) else None
        hint = "" if ours is None else f"; of an endpoint with this task it is {ours!r}"
        raise InvalidRequestError(
            f"task must be one of {', '.join(_TASKS)}, not {task!r:.80}{hint}"
        )
    if task == "text":
        return _binding(checked, task, _text(given.get("wrap", RECORDS), None, given), given)
    if "wrap" in given:
        raise InvalidRequestError("wrap= is for task='text'")
    return _binding(checked, task, INFER if task == "infer" else KINDS[task], given)


def _for_app(name: object, given: Mapping[str, Any]) -> Binding[Any]:
    if name != "":
        raise InvalidRequestError(
            "give the name of an endpoint, or cluster_id= and port= of an app, not both"
        )
    for option in ("cluster_id", "port"):
        if option not in given:
            raise InvalidRequestError(f"an app on a cluster needs {option}=")
    if given.get("task", "text") != "text":
        raise InvalidRequestError("an app on a cluster has task='text', which is the default there")
    refuse_for_apps(given)
    cluster, port = given["cluster_id"], given["port"]
    address = proxy_address(cluster, port, given.get("org_id", "0"), given.get("path", ""))
    return _binding(f"{cluster}:{port}", "text", _text(None, address, given), given)


def _text(wrap: object, address: str | None, given: Mapping[str, Any]) -> Kind:
    if wrap is not None and wrap != RECORDS:
        raise InvalidRequestError(f"wrap must be {RECORDS!r} or None, not {wrap!r:.80}")
    any_json = "transform_output" in given
    operation = text_operation(RECORDS if wrap else None, address, any_json=any_json)
    return Kind(operation, TextArguments)


def _binding(name: str, task: str, kind: Kind, given: Mapping[str, Any]) -> Binding[Any]:
    defaults = given.get("defaults", {})
    if not is_mapping(defaults):
        raise InvalidRequestError(f"defaults must be a dict, not {kind_of(defaults)}")
    kept = {key: value for key, value in defaults.items() if value is not None}
    for option in ("served_model", "route"):
        if option in given and option in kept:
            raise InvalidRequestError(f"{option} is given twice: by itself, and in defaults")
    if kind is not INFER:
        check_defaults(kept, kind)
    kept |= {option: given[option] for option in ("served_model", "route") if option in given}
    check_served_model(kept.get("served_model"))
    with IN_CALLS:
        route_of(kept.get("route", "invocations"))
    bound = in_json(kept, lambda: copied(kept))
    return Binding(
        name, task, kind, bound, given.get("transform_input"), given.get("transform_output")
    )


def _check_function(name: str, function: Any) -> None:
    if function is None:
        return
    if not callable(function):
        raise InvalidRequestError(f"{name} must be a function, not {kind_of(function)}")
    if iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004 - its kind is asked for
        raise InvalidRequestError(f"{name} must be a plain function, not an async one")
    try:
        taken = signature(function)
    except ValueError:
        # A function in C that does not say.
        return
    if not _FITS[name](taken):
        raise InvalidRequestError(f"{name} must be written as {_FORMS[name]}")


def _takes_any_keyword(taken: Signature) -> bool:
    return any(one.kind is one.VAR_KEYWORD for one in taken.parameters.values())


def _takes_one(taken: Signature) -> bool:
    try:
        taken.bind(None)
    except TypeError:
        return False
    return True


_FITS: Final = {"transform_input": _takes_any_keyword, "transform_output": _takes_one}
_FORMS: Final = {
    "transform_input": "def transform(**request): the parameters of a call differ",
    "transform_output": "def transform(reply)",
}
