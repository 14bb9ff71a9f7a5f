"""The projection: from the canonical contract to the document that the generator reads.

The contract has one path whose body is one of several shapes; the generator wants one path for
each shape. A fragment (`/invocations#create_chat_completion`) tells them apart and is never sent.
Pure: a dict in, a new dict out.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from codegen.reduce import reduce_schemas
from codegen.schemas import REF, ProjectionError, Schema, is_class

__all__ = ["ProjectionError", "project"]

Document: TypeAlias = dict[str, Any]
Node: TypeAlias = Mapping[str, Any]

OPERATIONS = "x-sdk-operations"
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_NEEDED = frozenset({"operationId", "tag", "summary", "response"})
# An operation that sends a body names its schema and that of the keyword parameters.
_WITH_BODY = frozenset({"request", "params"})
_OPTIONAL = frozenset({"description", "reserved", "parts", "event"})
_JSON = "application/json"
_EVENTS = "text/event-stream"


def project(document: Node) -> Document:
    """Split every operation by `x-sdk-operations` and reduce the schemas.

    Raises:
        ProjectionError: If the document is inconsistent or holds what cannot be generated.
    """
    schemas = reduce_schemas(document["components"]["schemas"])
    paths: Document = {}
    params: dict[str, Node] = {}
    for path, item in document["paths"].items():
        for method in sorted(_METHODS & item.keys()):
            here = f"#/paths/{path}/{method}"
            for name, operation in _operations(document, item, item[method], schemas, here):
                if any(name == known.rsplit("#", 1)[-1] for known in paths):
                    raise ProjectionError(here, f"operation {name} is there twice")
                if "x-sdk-params" in operation:
                    _refuse_other_params(operation["x-sdk-params"], params, here)
                paths[f"{path}#{name}"] = {method: operation}
    return {
        "openapi": document["openapi"],
        "info": document["info"],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operations(
    document: Node, item: Node, operation: Node, schemas: Mapping[str, Schema], path: str
) -> Iterator[tuple[str, Document]]:
    if OPERATIONS not in operation:
        raise ProjectionError(path, f"{OPERATIONS} is missing")
    parameters = _parameters(document, item, path) + _parameters(document, operation, path)
    body = _resolve(document, operation.get("requestBody", {}))
    responses = {str(k): _resolve(document, v) for k, v in operation["responses"].items()}
    if "200" not in responses:
        raise ProjectionError(path, "response 200 is missing")
    success = responses.pop("200")
    errors = {status: _error(node, schemas, path, status) for status, node in responses.items()}
    entries = operation[OPERATIONS]
    for index, entry in enumerate(entries):
        needed = _NEEDED | _WITH_BODY if body else _NEEDED
        _refuse_entry(entry, needed, schemas, f"{path}/{OPERATIONS}/{index}")
    for role, content, media_type in (
        ("request", body.get("content", {}), _JSON),
        ("response", success["content"], _JSON),
        ("event", success["content"], _EVENTS),
    ):
        listed = _one_of(content, media_type, path)
        _refuse_disagreement(role, [e[role] for e in entries if role in e], listed, schemas, path)
    for entry in entries:
        responses = {"200": _success(entry, success), **errors}
        yield entry["operationId"], _operation(entry, parameters, responses)


def _resolve(document: Node, node: Node) -> Node:
    if "$ref" not in node:
        return node
    target: Any = document
    for key in node["$ref"].removeprefix("#/").split("/"):
        if key not in target:
            raise ProjectionError(node["$ref"], "$ref to nothing")
        target = target[key]
    return _resolve(document, target)


def _parameters(document: Node, holder: Node, path: str) -> list[Document]:
    parameters = [_resolve(document, node) for node in holder.get("parameters", ())]
    for parameter in parameters:
        if parameter["in"] != "path" or parameter["schema"].get("type") != "string":
            raise ProjectionError(path, f"parameter {parameter['name']} is no text in the path")
    kept = ("name", "in", "required", "description")
    return [
        {key: parameter[key] for key in kept if key in parameter} | {"schema": {"type": "string"}}
        for parameter in parameters
    ]


def _error(response: Node, schemas: Mapping[str, Schema], path: str, status: str) -> Document:
    path = f"{path}/responses/{status}"
    if not status.isdecimal() and status != "default":
        raise ProjectionError(path, "a status must be a number or default")
    names = _one_of(response.get("content", {}), _JSON, path)
    if len(names) != 1 or not is_class(schemas.get(names[0], {})):
        raise ProjectionError(path, f"{_JSON} needs one object component")
    return {"description": response["description"], "content": _content(names[0])}


def _one_of(content: Node, media_type: str, path: str) -> list[str]:
    if media_type not in content:
        return []
    schema = content[media_type]["schema"]
    # What a route asks for beyond a component stands beside it in an allOf.
    variants = [variant.get("allOf", [variant])[0] for variant in schema.get("oneOf", [schema])]
    if not all("$ref" in variant for variant in variants):
        raise ProjectionError(path, f"the variants of {media_type} must be named components")
    return [variant["$ref"].removeprefix(REF) for variant in variants]


def _refuse_entry(
    entry: Node, needed: frozenset[str], schemas: Mapping[str, Schema], path: str
) -> None:
    if missing := needed - entry.keys():
        raise ProjectionError(path, f"{min(missing)} is missing")
    if unknown := entry.keys() - needed - _OPTIONAL:
        raise ProjectionError(path, f"{min(unknown)} is not known here")
    for role in ("request", "response", "event"):
        if role in entry and not is_class(schemas.get(entry[role], {})):
            raise ProjectionError(f"{path}/{role}", f"{entry[role]} is no object with properties")
    _refuse_keys(entry, schemas, path)


def _refuse_keys(entry: Node, schemas: Mapping[str, Schema], path: str) -> None:
    for key in entry.get("reserved", ()):
        if key not in _properties(entry, schemas):
            raise ProjectionError(f"{path}/reserved", f"{entry.get('request')} has no {key}")
    for part in entry.get("parts", ()):
        if part.keys() != {"name", "without"}:
            raise ProjectionError(f"{path}/parts", "a part has a name, and what it is without")
        for key in part["without"]:
            if key not in _properties(entry, schemas):
                raise ProjectionError(f"{path}/parts", f"{entry.get('request')} has no {key}")


def _properties(entry: Node, schemas: Mapping[str, Schema]) -> Node:
    properties: Node = schemas.get(entry.get("request", ""), {}).get("properties", {})
    return properties


def _refuse_disagreement(
    role: str, named: list[str], listed: list[str], schemas: Mapping[str, Schema], path: str
) -> None:
    if missing := set(named) - set(listed):
        raise ProjectionError(path, f"{role} {min(missing)} is not in the oneOf")
    unclaimed = [name for name in listed if name not in named]
    for name in unclaimed:
        if "x-sdk-catch-all" not in schemas.get(name, {}):
            raise ProjectionError(path, f"no operation has the {role} {name}")
    if unclaimed != listed[len(listed) - len(unclaimed) :]:
        raise ProjectionError(path, f"the catch-all {unclaimed[0]} must come last")


def _refuse_other_params(params: Node, seen: dict[str, Node], path: str) -> None:
    name = params["name"]
    if seen.setdefault(name, params) != params:
        raise ProjectionError(path, f"params {name} has another request or other reserved keys")
    if any(p["request"] == params["request"] and p["name"] != name for p in seen.values()):
        raise ProjectionError(path, f"{params['request']} has two names for its params")


def _success(entry: Node, response: Node) -> Document:
    content = _content(entry["response"])
    if "event" in entry:
        content |= _content(entry["event"], _EVENTS)
    return {"description": response["description"], "content": content}


def _content(name: str, media_type: str = _JSON) -> Document:
    return {media_type: {"schema": {"$ref": f"{REF}{name}"}}}


def _operation(entry: Node, parameters: list[Document], responses: Document) -> Document:
    operation = {
        "operationId": entry["operationId"],
        "tags": [entry["tag"]],
        "summary": entry["summary"],
        "description": entry.get("description", ""),
        "parameters": parameters,
        "responses": responses,
    }
    if "request" not in entry:
        return operation
    return operation | {
        "requestBody": {"required": True, "content": _content(entry["request"])},
        "x-sdk-params": {
            "name": entry["params"],
            "request": entry["request"],
            "reserved": list(entry.get("reserved", ())),
            "parts": list(entry.get("parts", ())),
        },
    }
