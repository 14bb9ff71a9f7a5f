"""The endpoints of the local workspace as things: listed, described and created."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from threading import Lock
from typing import Final
from urllib.parse import unquote

from databricks_serving.local.config import EndpointPlan
from databricks_serving.local.decoding import decode_json
from databricks_serving.local.errors import RefusedError
from databricks_serving.local.jsontypes import Json
from databricks_serving.local.messages import HttpReply, HttpRequest, json_reply
from databricks_serving.local.pace import Pace
from databricks_serving.local.routes import MANAGEMENT, check_method, no_api, path_of
from databricks_serving.local.rows import FORMS
from databricks_serving.local.served import ServedEndpoint
from databricks_serving.local.shapes import any_object, boolean, list_of, map_of, object_of, string
from databricks_serving.local.states import EndpointState
from databricks_serving.local.tasks import BUILT_IN, Task, check_name, task_of

_ONE: Final = re.compile(rf"{MANAGEMENT}/(?P<name>[^/]+)(?P<openapi>/openapi)?")
_NAME: Final = "[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_TASKS: Final = [task.value for task in Task if not task.is_own_code]
_EXTERNAL: Final = object_of(
    {
        "name": string(),
        "provider": string(),
        "task": string(*_TASKS),
        "openai_config": any_object,
        "anthropic_config": any_object,
        "cohere_config": any_object,
        "ai21labs_config": any_object,
        "palm_config": any_object,
        "amazon_bedrock_config": any_object,
        "google_cloud_vertex_ai_config": any_object,
        "databricks_model_serving_config": any_object,
        "custom_provider_config": any_object,
    },
    "name",
    "provider",
    "task",
)
_ENTITY: Final = object_of({"name": string(), "external_model": _EXTERNAL}, "external_model")
_NEW: Final = object_of(
    {
        "name": string(pattern=_NAME),
        "config": object_of(
            {
                "served_entities": list_of(_ENTITY, low=1, high=1),
                "traffic_config": any_object,
            },
            "served_entities",
        ),
        "tags": list_of(map_of(string())),
        "ai_gateway": any_object,
        "description": string(),
        "route_optimized": boolean,
        "budget_policy_id": string(),
    },
    "name",
    "config",
)


class Directory:
    """What endpoints there are.

    One that was created is not ready when it is first asked for, and ready from then on.

    Args:
        endpoints: Endpoints beside the built-in ones, and how they are served.
        model: Name of what answers.
        pace: The clock.
    """

    def __init__(self, endpoints: Mapping[str, EndpointPlan], model: str, pace: Pace) -> None:
        self._lock = Lock()
        self._model = model
        self._pace = pace
        plans = {name: EndpointPlan(task=task) for name, task in BUILT_IN.items()} | {**endpoints}
        self._served = {
            name: ServedEndpoint(name, plan, pace.now()) for name, plan in plans.items()
        }
        self._created: dict[str, Json] = {}
        self._unseen: set[str] = set()

    def find(self, name: str) -> ServedEndpoint:
        """Return an endpoint.

        Raises:
            RefusedError: With status 404 when there is none of this name.
        """
        with self._lock:
            return self._find(name)

    def check(self, name: str) -> None:
        """Refuse a name that no endpoint has.

        Raises:
            RefusedError: With status 404; the message has the names that there are.
        """
        with self._lock:
            check_name(name, self._served)

    def admit(self, name: str) -> float:
        """Let a call of an endpoint in, and return the seconds to wait before its answer.

        Raises:
            RefusedError: The endpoint takes no calls now, or there is none of this name.
        """
        with self._lock:
            try:
                return self._find(name).lifecycle.admit(name, self._pace.now())
            finally:
                self._see(name)

    def set_state(
        self, name: str, state: EndpointState, *, ready_after: float | None, message: str | None
    ) -> None:
        """Have an endpoint be in another state.

        Raises:
            RefusedError: With status 404 when there is none of this name; the message has those
                that there are.
        """
        with self._lock:
            check_name(name, self._served)
            endpoint = self._served.setdefault(name, self._find(name))
            self._unseen.discard(name)
            endpoint.lifecycle.enter(
                state, self._pace.now(), ready_after=ready_after, message=message
            )

    def _find(self, name: str) -> ServedEndpoint:
        if name in self._served:
            return self._served[name]
        return ServedEndpoint(name, EndpointPlan(task=task_of(name, {})), self._pace.now())

    def _see(self, name: str) -> None:
        if name in self._unseen:
            self._unseen.discard(name)
            self._served[name].lifecycle.enter(EndpointState.READY, self._pace.now())

    def answer(self, request: HttpRequest) -> HttpReply | None:
        """Answer a request about endpoints; None for any other request."""
        path = path_of(request)
        if not path.startswith(MANAGEMENT):
            return None
        if path == MANAGEMENT:
            check_method(request, "GET", "POST")
            body = self._list() if request.method == "GET" else self._create(request)
            return json_reply(HTTPStatus.OK, body, {})
        one = _ONE.fullmatch(path)
        if one is None:
            raise no_api(request)
        check_method(request, "GET")
        name = unquote(one["name"])
        body = self._openapi(name) if one["openapi"] else self._describe(name)
        return json_reply(HTTPStatus.OK, body, {})

    def _list(self) -> Json:
        with self._lock:
            return {"endpoints": [self._description(name) for name in self._served]}

    def _describe(self, name: str) -> Json:
        with self._lock:
            described = self._description(name)
            self._see(name)
        return described

    def _create(self, request: HttpRequest) -> Json:
        body = decode_json(request.body, request.headers.get("content-type"))
        _NEW(body, "")
        name, entity = body["name"], body["config"]["served_entities"][0]
        with self._lock:
            if name in self._served:
                raise RefusedError(
                    HTTPStatus.CONFLICT,
                    "RESOURCE_ALREADY_EXISTS",
                    f"Endpoint with name '{name}' already exists.",
                )
            plan = EndpointPlan(
                task=Task(entity["external_model"]["task"]), state=EndpointState.NOT_READY
            )
            self._served[name] = ServedEndpoint(name, plan, self._pace.now())
            self._created[name] = entity
            self._unseen.add(name)
            return self._description(name)

    def _description(self, name: str) -> Json:
        endpoint = self._find(name)
        state, deployment = endpoint.lifecycle.description(self._pace.now())
        entity = _without_secrets(self._created.get(name, {"entity_name": self._model}))
        names = endpoint.served_models or (self._model,)
        return {
            "name": name,
            "id": f"local-{name}",
            "creator": "local",
            "state": state,
            "config": {
                "served_entities": [{"name": one, **entity, "state": deployment} for one in names]
            },
            "task": None if endpoint.task is Task.CUSTOM else endpoint.task.value,
            "endpoint_type": "EXTERNAL_MODEL" if name in self._created else "LOCAL",
            "permission_level": "CAN_QUERY",
        }

    def _openapi(self, name: str) -> Json:
        task = self.find(name).task
        required = {
            Task.CHAT: ["messages"],
            Task.COMPLETION: ["prompt"],
            Task.EMBEDDING: ["input"],
            Task.RESPONSES: ["input"],
            Task.AGENT: ["messages"],
        }
        forms = [{"required": [form]} for form in FORMS]
        schema = {"oneOf": forms} if task is Task.CUSTOM else {"required": required[task]}
        content = {"application/json": {"schema": {"type": "object", **schema}}}
        operation = {
            "requestBody": {"content": content},
            "responses": {"200": {"description": "The answer."}},
        }
        return {
            "openapi": "3.1.0",
            "info": {"title": name, "version": "1"},
            "paths": {f"/serving-endpoints/{name}/invocations": {"post": operation}},
        }


def _without_secrets(entity: Json) -> Json:
    """Return an entity without what its provider is called with."""
    external = entity.get("external_model")
    if external is None:
        return entity
    kept = {key: external[key] for key in ("name", "provider", "task")}
    return {**entity, "external_model": kept}
