"""The routes under `/_local`, which tell the local endpoint what to do next."""

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from databricks_serving.errors import ConfigError
from databricks_serving.local.checks import number, record, text, whole
from databricks_serving.local.decoding import decode_json
from databricks_serving.local.directory import Directory
from databricks_serving.local.errors import bad_request
from databricks_serving.local.faults import FaultBox, read_fault
from databricks_serving.local.jsontypes import Json
from databricks_serving.local.log import RequestLog, to_json
from databricks_serving.local.messages import HttpReply, HttpRequest, json_reply
from databricks_serving.local.oauth import TokenService
from databricks_serving.local.pace import Pace
from databricks_serving.local.routes import check_method, no_api, path_of
from databricks_serving.local.states import EndpointState

ROOT: Final = "/_local/"
ROUTES: Final = (
    "POST, DELETE /_local/faults",
    "GET, DELETE /_local/requests",
    "POST /_local/tokens/{expire,rotate,fail}",
    "POST /_local/endpoints/NAME/state",
)
_STATE: Final = re.compile(r"/_local/endpoints/([^/]+)/state")
_NEW_STATE: Final = record(
    {"state": text(*EndpointState), "ready_after": number(0, 86_400), "message": text()}, "state"
)
_FAILURE: Final = record({"times": whole(1, 1_000_000), "status": whole(400, 599)})
_NOTHING: Final = record({})


@dataclass(frozen=True, slots=True)
class Controls:
    """What is remembered and told beside the answers themselves."""

    pace: Pace = field(default_factory=Pace)
    faults: FaultBox = field(default_factory=FaultBox)
    log: RequestLog = field(default_factory=RequestLog)


def read_state(value: Any) -> dict[str, Any]:
    """Read a new state.

    Raises:
        ConfigError: It makes no sense; the message names the place.
    """
    given = _NEW_STATE(value, "")
    state = EndpointState(given["state"])
    if "ready_after" in given and state is not EndpointState.NOT_READY:
        raise ConfigError("ready_after: only an endpoint that is not_ready becomes ready")
    return {
        "state": state,
        "ready_after": given.get("ready_after"),
        "message": given.get("message"),
    }


class ControlRoutes:
    """Answers requests to `/_local`.

    Args:
        controls: What they change.
        directory: The endpoints.
        oauth: What gives tokens.
    """

    def __init__(self, controls: Controls, directory: Directory, oauth: TokenService) -> None:
        self._controls = controls
        self._directory = directory
        self._oauth = oauth

    def answer(self, request: HttpRequest) -> HttpReply | None:
        """Answer a request; None when it is no such one.

        Raises:
            RefusedError: With status 400, 404, 405 or 415.
        """
        path = path_of(request)
        if not path.startswith(ROOT):
            return None
        try:
            return json_reply(HTTPStatus.OK, self._do(path, request), {})
        except ConfigError as error:
            raise bad_request(str(error)) from None

    def _do(self, path: str, request: HttpRequest) -> Json:
        match path.removeprefix(ROOT):
            case "faults":
                check_method(request, "POST", "DELETE")
                return self._faults(request)
            case "requests":
                check_method(request, "GET", "DELETE")
                return self._requests(request)
            case "tokens/expire" | "tokens/rotate" | "tokens/fail" as deed:
                check_method(request, "POST")
                return self._tokens(deed, request)
            case _:
                return self._state(path, request)

    def _state(self, path: str, request: HttpRequest) -> Json:
        state = _STATE.fullmatch(path)
        if state is None:
            raise no_api(request)
        check_method(request, "POST")
        self._directory.set_state(unquote(state[1]), **read_state(_body(request)))
        return {}

    def _faults(self, request: HttpRequest) -> Json:
        if request.method == "DELETE":
            self._controls.faults.clear()
        else:
            fault = read_fault(_body(request), "")
            if fault.endpoint is not None:
                self._directory.check(fault.endpoint)
            self._controls.faults.add(fault)
        return {}

    def _requests(self, request: HttpRequest) -> Json:
        if request.method == "GET":
            return {"requests": [to_json(entry) for entry in self._controls.log]}
        self._controls.log.clear()
        return {}

    def _tokens(self, deed: str, request: HttpRequest) -> Json:
        given = _body(request) if request.body else {}
        if deed == "tokens/fail":
            failure = _FAILURE(given, "")
            self._oauth.fail_next(failure.get("times", 1), failure.get("status", 503))
            return {}
        _NOTHING(given, "")
        if deed == "tokens/expire":
            self._oauth.revoke_all()
            return {}
        secret = self._oauth.rotate_secret()
        return {"client_id": self._oauth.client_id, "client_secret": secret}


def _body(request: HttpRequest) -> Json:
    return decode_json(request.body, request.headers.get("content-type"))
