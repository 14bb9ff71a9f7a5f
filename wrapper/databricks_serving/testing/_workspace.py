"""What a workspace answers beside its endpoints: their descriptions, and tokens."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from databricks_serving._core.operations import GET_ENDPOINT, GET_OPENAPI
from databricks_serving._core.script import Head
from databricks_serving.errors import InvalidRequestError, InvalidResponseError
from databricks_serving.testing._faults import Answer
from databricks_serving.testing._options import check_is
from databricks_serving.testing._requests import RecordedRequest
from databricks_serving.testing._said import CREATED
from databricks_serving.testing._scripting import JSON_TYPE, json_answer

Json = dict[str, Any]

_ALL: Final = "/api/2.0/serving-endpoints"
_TENANT: Final = "00000000-0000-4000-8000-000000000001"
_TOKEN: Final = re.compile(r"/token$")
_DISCOVERY: Final = "/.well-known/oauth-authorization-server"
_LIFE: Final = 3600


class Workspace:
    """Descriptions of endpoints, and a service of tokens."""

    def __init__(self) -> None:
        self._states: dict[str, list[Json]] = {}
        self._documents: dict[str, Json] = {}
        self._tokens = 0

    def describe(self, name: str, states: list[Json], document: Json | None) -> None:
        """Add an endpoint, whose descriptions follow each other; the last one stays."""
        self._states[name] = states
        if document is not None:
            self._documents[name] = document

    def answer(self, request: RecordedRequest) -> Answer | None:
        """Answer a request; None where there is nothing to answer with."""
        if request.task == "token":
            return self._log_in(request)
        return self._describe(request) if request.task == "endpoints" else None

    def _log_in(self, request: RecordedRequest) -> Answer | None:
        if request.path.endswith(_DISCOVERY):
            root = request.path.removesuffix(_DISCOVERY)
            return json_answer({"token_endpoint": f"https://{request.host}{root}/v1/token"})
        if _TOKEN.search(request.path):
            self._tokens += 1
            token = {"access_token": f"fake-token-{self._tokens}", "token_type": "Bearer"}
            return json_answer({**token, "expires_in": _LIFE})
        if request.path == "/aad/auth":
            address = f"https://login.microsoftonline.com/{_TENANT}/oauth2/authorize"
            return Answer(Head(HTTPStatus.FOUND, (("location", address),)), ())
        return None

    def _describe(self, request: RecordedRequest) -> Answer | None:
        if request.path == _ALL and request.method == "POST":
            return self._one(str(request.body.get("name")))
        if request.path == _ALL:
            return json_answer({"endpoints": [self._next(name) for name in self._states]})
        name = unquote(request.endpoint or "")
        if not request.path.endswith("/openapi"):
            return self._one(name)
        document = self._documents.get(name)
        return None if document is None else json_answer(document)

    def _one(self, name: str) -> Answer | None:
        if name in self._states:
            return json_answer(self._next(name))
        if not self._states:
            return None
        said = f"Endpoint with name '{name}' does not exist."
        body = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": said}
        return Answer(Head(HTTPStatus.NOT_FOUND, (JSON_TYPE,)), json_answer(body).pieces)

    def _next(self, name: str) -> Json:
        states = self._states[name]
        return states.pop(0) if len(states) > 1 else states[0]


def descriptions(
    name: str, task: str | None, ready: bool | Sequence[bool], more: Mapping[str, Any] | None
) -> list[Json]:
    """Return the descriptions of an endpoint; raises InvalidRequestError."""
    check_is("name", name, str, "a text")
    check_is("description", more, Mapping, "a dict")
    steps: Any = [ready] if isinstance(ready, bool) else ready
    if not steps or isinstance(steps, str) or not all(isinstance(one, bool) for one in steps):
        raise InvalidRequestError("ready must be True, False, or a list of them, in order")
    found = [_description(name, task, step, more or {}) for step in steps]
    try:
        for one in found:
            GET_ENDPOINT.check(one, None)
            GET_ENDPOINT.parse(one)
    except InvalidResponseError as error:
        raise InvalidRequestError(f"description cannot be sent: {error}") from None
    return found


def checked_document(document: Mapping[str, Any] | None) -> Json | None:
    """Return the OpenAPI document of an endpoint; raises InvalidRequestError."""
    check_is("openapi", document, Mapping, "a dict")
    if document is None:
        return None
    found = dict(document)
    try:
        GET_OPENAPI.check(found, None)
    except InvalidResponseError as error:
        raise InvalidRequestError(f"openapi cannot be sent: {error}") from None
    return found


def _description(name: str, task: str | None, ready: bool, more: Mapping[str, Any]) -> Json:
    update = "NOT_UPDATING" if ready else "IN_PROGRESS"
    return {
        "name": name,
        "id": f"id-of-{name}",
        "creator": "someone@example.com",
        "creation_timestamp": CREATED * 1000,
        "state": {"ready": "READY" if ready else "NOT_READY", "config_update": update},
        **({} if task is None else {"task": task}),
        **more,
    }
