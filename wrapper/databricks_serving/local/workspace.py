"""What a workspace answers: authentication, routes, strict decoding, then the backend."""

import hmac
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from databricks_serving.local.apps import answer_app
from databricks_serving.local.backends import Backend
from databricks_serving.local.backends.deterministic import DeterministicBackend
from databricks_serving.local.config import EndpointPlan
from databricks_serving.local.control import ROOT as CONTROL
from databricks_serving.local.control import ControlRoutes, Controls
from databricks_serving.local.decoding import decode, decode_json
from databricks_serving.local.directory import Directory
from databricks_serving.local.errors import BrokenOffError, RefusedError, bad_request
from databricks_serving.local.faults import strike
from databricks_serving.local.jsontypes import Json
from databricks_serving.local.messages import HttpReply, HttpRequest, event_reply, json_reply
from databricks_serving.local.oauth import TokenService
from databricks_serving.local.profiles import check_family
from databricks_serving.local.routes import Target, endpoint_in, model_in, path_of, target_of
from databricks_serving.local.script import perform
from databricks_serving.local.served import ServedEndpoint
from databricks_serving.local.tasks import Task

# A page in a browser can point a name of its own at 127.0.0.1, but cannot change this header.
_LOOPBACK: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)


class Workspace:
    """Answers HTTP requests; holds no socket.

    Args:
        backend: What answers decoded requests.
        token: What callers must send.
        endpoints: Endpoints beside the built-in ones, and how they are served.
        oauth: What gives other tokens that callers may send.
        controls: What is remembered and told beside the answers.

    Attributes:
        directory: The endpoints.
    """

    def __init__(
        self,
        backend: Backend,
        token: str,
        endpoints: Mapping[str, EndpointPlan],
        oauth: TokenService | None = None,
        controls: Controls | None = None,
    ) -> None:
        self._backend = backend
        # No language model is a custom model.
        self._rule = DeterministicBackend()
        self._token = token
        self._controls = controls or Controls()
        self._pace = self._controls.pace
        self._oauth = TokenService() if oauth is None else oauth
        self.directory: Directory = Directory(endpoints, backend.model, self._pace)
        self._control = ControlRoutes(self._controls, self.directory, self._oauth)

    def answer(self, request: HttpRequest) -> HttpReply:
        """Answer a request, be it with an error.

        Raises:
            BrokenOffError: It is not to be answered.
        """
        status: int | None = None
        try:
            reply = self._answer(request)
            status = reply.status
            return reply
        finally:
            if not path_of(request).startswith(CONTROL):
                self._controls.log.add(request, endpoint_in(request), status)

    def _answer(self, request: HttpRequest) -> HttpReply:
        try:
            _check_host(request)
            given = self._oauth.answer(request)
            if given is not None:
                return given
            self._authorize(request)
            return (
                self._control.answer(request)
                or self.directory.answer(request)
                or answer_app(request)
                or self._call(request)
            )
        except RefusedError as refused:
            return self.refusal(refused)
        except BrokenOffError:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours must not look like a dead server
            kind = type(error).__name__
            return self.refusal(
                RefusedError(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    "INTERNAL_ERROR",
                    f"The local endpoint failed with {kind}.",
                )
            )

    def refusal(self, refused: RefusedError) -> HttpReply:
        """Answer with an error."""
        headers = {"served-model-name": self._backend.model, **refused.headers}
        return json_reply(refused.status, {**refused.body}, headers)

    def _authorize(self, request: HttpRequest) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED,
                HTTPStatus.UNAUTHORIZED.value,
                "Credential was not sent or was of an unsupported type for this API.",
            )
        token = token.strip()
        if hmac.compare_digest(token.encode(), self._token.encode()) or self._oauth.accepts(token):
            return
        # fact: an OAuth token that has expired is refused with 403 and "Invalid Token".
        text = "Invalid Token" if self._oauth.knows(token) else "Invalid access token."
        raise RefusedError(HTTPStatus.FORBIDDEN, HTTPStatus.FORBIDDEN.value, text)

    def _call(self, request: HttpRequest) -> HttpReply:
        target = target_of(request)
        fault = self._controls.faults.take(endpoint_in(request))
        if fault is None:
            return self._invoke(target, request)
        return strike(fault, lambda: self._invoke(target, request), self._pace)

    def _invoke(self, target: Target, request: HttpRequest) -> HttpReply:
        given = decode_json(request.body, request.headers.get("content-type"))
        endpoint = self.directory.find(
            model_in(given) if target.endpoint is None else target.endpoint
        )
        _check_target(target, endpoint)
        wait = self.directory.admit(endpoint.name)
        tokens = endpoint.limiter.charge(endpoint.name, given, self._pace.now())
        if wait:
            self._pace.wait(wait)
        if endpoint.tape is not None:
            return endpoint.tape.answer(given, self._pace)
        content = decode(endpoint.task, given)
        if endpoint.family is not None:
            check_family(endpoint.family, given)

        def answer() -> HttpReply:
            return self._reply(endpoint, content, target.served, tokens)

        if endpoint.script is None:
            return answer()
        scripted = endpoint.script.choose(content)
        return perform(scripted, endpoint.task, content, self._pace, answer)

    def _reply(
        self, endpoint: ServedEndpoint, content: Json, served: str | None, tokens: int
    ) -> HttpReply:
        task = endpoint.task
        backend = self._rule if task.is_own_code else self._backend
        headers = {"served-model-name": served or next(iter(endpoint.served_models), backend.model)}
        if content.get("stream"):
            # fact: what a custom model streams has no end mark, and older agents are such.
            marked = task not in {Task.AGENT, Task.CUSTOM}
            events = endpoint.settled(tokens, backend.events(task, content))
            return event_reply(events, headers, marked=marked)
        reply = backend.reply(task, content)
        endpoint.settle(tokens, reply)
        return json_reply(HTTPStatus.OK, reply, headers)


def _check_target(target: Target, endpoint: ServedEndpoint) -> None:
    if target.task not in {None, endpoint.task}:
        raise bad_request(f"endpoint '{endpoint.name}' does not serve this API")
    known = endpoint.served_models
    if target.served is not None and known and target.served not in known:
        raise RefusedError(
            HTTPStatus.NOT_FOUND,
            "RESOURCE_DOES_NOT_EXIST",
            f"Endpoint '{endpoint.name}' has no served model '{target.served}'.",
        )


def _check_host(request: HttpRequest) -> None:
    if not _LOOPBACK.fullmatch(request.headers.get("host", "")):
        raise RefusedError(
            HTTPStatus.FORBIDDEN,
            "PERMISSION_DENIED",
            "The Host header must name this machine: localhost, 127.0.0.1 or [::1].",
        )
