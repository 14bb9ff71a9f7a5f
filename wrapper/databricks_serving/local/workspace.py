"""What a workspace answers: authentication, routes, strict decoding, then the backend."""

import hmac
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from databricks_serving.local.apps import answer_app
from databricks_serving.local.backends import Backend
from databricks_serving.local.backends.deterministic import DeterministicBackend
from databricks_serving.local.decoding import decode, decode_json
from databricks_serving.local.directory import Directory, model_in
from databricks_serving.local.errors import RefusedError, bad_request
from databricks_serving.local.messages import HttpReply, HttpRequest, event_reply, json_reply
from databricks_serving.local.oauth import TokenService
from databricks_serving.local.routes import target_of
from databricks_serving.local.tasks import Task

# A page in a browser can point a name of its own at 127.0.0.1, but cannot change this header.
_LOOPBACK: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)


class Workspace:
    """Answers HTTP requests; holds no socket.

    Args:
        backend: What answers decoded requests.
        token: What callers must send.
        endpoints: Endpoints beside the built-in ones, and their tasks.
        oauth: What gives other tokens that callers may send.
    """

    def __init__(
        self,
        backend: Backend,
        token: str,
        endpoints: Mapping[str, Task],
        oauth: TokenService | None = None,
    ) -> None:
        self._backend = backend
        # No language model is a custom model.
        self._rule = DeterministicBackend()
        self._token = token
        self._directory = Directory(endpoints, backend.model)
        self._oauth = TokenService() if oauth is None else oauth

    def answer(self, request: HttpRequest) -> HttpReply:
        """Answer a request, be it with an error."""
        try:
            _check_host(request)
            given = self._oauth.answer(request)
            if given is not None:
                return given
            self._authorize(request)
            return self._directory.answer(request) or answer_app(request) or self._invoke(request)
        except RefusedError as refused:
            return self.refusal(refused)
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
        headers = {"served-model-name": self._backend.model}
        if refused.allow is not None:
            headers["allow"] = refused.allow
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

    def _invoke(self, request: HttpRequest) -> HttpReply:
        target = target_of(request)
        given = decode_json(request.body, request.headers.get("content-type"))
        endpoint = model_in(given) if target.endpoint is None else target.endpoint
        task = self._directory.task_of(endpoint)
        if target.task not in {None, task}:
            raise bad_request(f"endpoint '{endpoint}' does not serve this API")
        content = decode(task, given)
        backend = self._rule if task.is_own_code else self._backend
        headers = {"served-model-name": target.served or backend.model}
        if content.get("stream"):
            # fact: what a custom model streams has no end mark, and older agents are such.
            marked = task not in {Task.AGENT, Task.CUSTOM}
            return event_reply(backend.events(task, content), headers, marked=marked)
        return json_reply(HTTPStatus.OK, backend.reply(task, content), headers)


def _check_host(request: HttpRequest) -> None:
    if not _LOOPBACK.fullmatch(request.headers.get("host", "")):
        raise RefusedError(
            HTTPStatus.FORBIDDEN,
            "PERMISSION_DENIED",
            "The Host header must name this machine: localhost, 127.0.0.1 or [::1].",
        )
