"""The legacy completion contract: a prompt and stop texts go out, a bare JSON text comes back.

fact: models that were logged with the signature `prompt: string, stop: list[string]` take the
request as a record of a table, and apps behind the driver proxy of a cluster take it as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from databricks_serving._core.argument_types import check_types
from databricks_serving._core.arguments import TextFields
from databricks_serving._core.checks import misfit
from databricks_serving._core.json_codec import is_list, is_object, kind_of
from databricks_serving._core.operations import PREDICTION, Operation
from databricks_serving.errors import InvalidRequestError
from databricks_serving_api.params import CompletionParams
from databricks_serving_api.types import ReplyMeta, dump

RECORDS: Final = "dataframe_records"
_PROXY: Final = "/driver-proxy-api/o"
_CLUSTER: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ORGANISATION: Final = re.compile(r"[0-9]{1,20}")
_PATH: Final = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~:@-]+)*/?")
_PORTS: Final = range(1, 2**16)


@dataclass(slots=True)
class TextReply:
    """What a text endpoint answered: any JSON."""

    value: Any
    meta: ReplyMeta | None = None


def text_operation(
    wrap: str | None, address: str | None = None, *, any_json: bool = False
) -> Operation[TextReply]:
    """Return the operation of a text endpoint.

    Args:
        wrap: `dataframe_records` where the request is the record of a table, and the answer that of
            a custom model.
        address: Path of the workspace to call; None calls a serving endpoint.
        any_json: Whether the answer may be something else than a text.
    """

    def get_kwargs(name: str, *, body: Mapping[str, Any]) -> dict[str, Any]:
        sent: Any = {RECORDS: [body]} if wrap else body
        if address is None:
            return PREDICTION.get_kwargs(name, body=sent)
        return {"method": "post", "url": address, "json": dump(sent)}

    def check(data: dict[str, Any], _parts: int | None) -> None:
        if wrap:
            data["value"] = _first(data["value"])
        if not any_json and not isinstance(data["value"], str):
            kind = type(data["value"]).__name__
            raise misfit(f"the answer is no text but JSON of type {kind}: give transform_output=")

    return Operation(
        arguments=TextFields,
        # Whether there is a prompt after a transform_input is for that to say.
        check_request=lambda given: check_types(CompletionParams, given),
        get_kwargs=get_kwargs,
        check=check,
        parse=lambda data: TextReply(data["value"]),
        endpoint_argument="name",
        on_host=address is not None,
        any_json=True,
    )


def checked_prompt(prompt: object) -> str:
    """Return a prompt; raises InvalidRequestError for what is none."""
    if not isinstance(prompt, str):
        raise InvalidRequestError(f"prompt must be a str, not {kind_of(prompt)}")
    return prompt


def as_stops(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters whose stop texts are a list, as models with that signature want them."""
    stop = given.get("stop")
    return {**given, "stop": [stop]} if isinstance(stop, str) else dict(given)


def proxy_address(cluster_id: object, port: object, org_id: object, path: object) -> str:
    """Return the path of an app on the driver node of a cluster.

    Raises:
        InvalidRequestError: Naming the argument that cannot be part of an address.
    """
    _check("cluster_id", cluster_id, _CLUSTER, "the id of a cluster: letters, digits, '-' and '_'")
    if type(port) is not int or port not in _PORTS:
        raise InvalidRequestError("port must be a whole number from 1 to 65535")
    _check("org_id", org_id, _ORGANISATION, "a text of digits")
    whole = path if not isinstance(path, str) or not path or path[0] == "/" else f"/{path}"
    _check("path", whole, _PATH, "a plain path such as '/generate', without '..', '?' and '%'")
    return f"{_PROXY}/{org_id}/{cluster_id}/{port}{whole}"


def _check(name: str, value: object, pattern: re.Pattern[str], expected: str) -> None:
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name} must be {expected}, not {kind_of(value)}")
    if not pattern.fullmatch(value):
        raise InvalidRequestError(f"{name} must be {expected}, not {value!r:.80}")


def _first(reply: Any) -> Any:
    """Return what a custom model answered for the one record of a request."""
    if not is_object(reply) or "predictions" not in reply:
        raise misfit("there are no predictions; wrap=None takes the whole reply")
    predictions = reply["predictions"]
    if not is_list(predictions):
        return predictions
    if not predictions:
        raise misfit("predictions is an empty list")
    return predictions[0]
