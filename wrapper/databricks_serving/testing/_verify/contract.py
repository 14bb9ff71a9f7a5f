"""A contract as something that recordings can be held against."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, unquote

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving._core.optional import optional
from databricks_serving.contract.diff.loading import INSTALLED, load
from databricks_serving.errors import InvalidRequestError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_URN: Final = "urn:contract"
_USER: Final = "verify_contract"
_VERSION: Final = "3.1."
_JSON: Final = "application/json"
_EVENTS: Final = "text/event-stream"


class Operation(NamedTuple):
    """One of the tasks that share a route; names of schemas, None for what it has not."""

    task: str
    request: str | None
    response: str | None
    event: str | None


@dataclass(frozen=True)
class Route:
    """One method of one path."""

    template: str
    method: str
    pointer: str
    content: Mapping[str, Any]

    @cached_property
    def operations(self) -> list[Operation]:
        """The tasks that share the route; none where the contract names none."""
        return [
            Operation(one["tag"], one.get("request"), one.get("response"), one.get("event"))
            for one in self.content.get("x-sdk-operations", ())
        ]


class Contract:
    """An OpenAPI 3.1 document.

    Args:
        document: The document.
        name: What errors call it.
        own: Whether it is the contract that the typed models are made from.

    Raises:
        InvalidRequestError: When it is no such document, or refers to what it does not hold.
    """

    def __init__(self, document: Mapping[str, Any], name: str, *, own: bool = False) -> None:
        self.own: bool = own
        self._document = document
        self._name = name
        self._validators: dict[str, Draft202012Validator] = {}
        self.routes: list[Route] = list(self._routes())
        self._check()

    @classmethod
    def load(cls, spec: "str | Path | Mapping[str, Any] | None") -> "Contract":
        """Read a contract: that of this package, a file in JSON or YAML, or a document.

        Raises:
            InvalidRequestError: When it cannot be read or used.
        """
        if spec is None:
            return _own()
        return cls(load(spec), "the contract" if isinstance(spec, Mapping) else str(spec))

    def route(self, method: str, path: str) -> Route | None:
        """Return the route that a request took; the one with the fewest placeholders."""
        fits = [
            one
            for one in self.routes
            if one.method == method.lower() and _pattern(one.template).fullmatch(path)
        ]
        return min(fits, key=lambda one: one.template.count("{"), default=None)

    def request(self, route: Route) -> str | None:
        """Return where the schema of a route's requests is; None without one."""
        body, pointer = self._resolved(
            route.content.get("requestBody"), f"{route.pointer}/requestBody"
        )
        return _schema_at(body, pointer, _JSON)

    def response(self, route: Route, status: int, *, stream: bool) -> str | None:
        """Return where the schema of an answer is; None where the contract says nothing of it."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in route.content["responses"]:
                return self._answer(route, key, _EVENTS if stream else _JSON)
        return None

    def _answer(self, route: Route, key: str, kind: str) -> str | None:
        """Return where the schema of one kind of an answer is."""
        place = f"{route.pointer}/responses/{escaped(key)}"
        answer, pointer = self._resolved(route.content["responses"][key], place)
        return _schema_at(answer, pointer, kind)

    def has(self, schema: str) -> bool:
        """Tell whether there is a schema of a name."""
        return self.at(f"/components/schemas/{schema}") is not None

    def errors(self, pointer: str, value: Any) -> "list[ValidationError]":
        """Return how a value breaks the schema at a place of the contract."""
        validator: Any = self._validator(pointer)
        return [*validator.iter_errors(value)]

    def _validator(self, pointer: str) -> "Draft202012Validator":
        validator = self._validators.get(pointer)
        if validator is None:
            jsonschema = optional("jsonschema", _USER, "testing")
            schema = {"$ref": f"{_URN}#{pointer}"}
            validator = jsonschema.Draft202012Validator(schema, registry=self._registry)
            self._validators[pointer] = validator
        return validator

    @cached_property
    def _registry(self) -> Any:
        referencing = optional("referencing", _USER, "testing")
        draft = optional("referencing.jsonschema", _USER, "testing").DRAFT202012
        resource = referencing.Resource.from_contents(self._document, default_specification=draft)
        return referencing.Registry().with_resource(_URN, resource)

    def _routes(self) -> Iterator[Route]:
        version, paths = self._document.get("openapi"), self._document.get("paths")
        if not isinstance(version, str) or not version.startswith(_VERSION):
            raise InvalidRequestError(f"{self._name}: no OpenAPI 3.1 document")
        if not is_object(paths):
            raise InvalidRequestError(f"{self._name}: it has no paths")
        for template, item in paths.items():
            for method, content in item.items() if is_object(item) else ():
                if is_object(content) and "responses" in content:
                    pointer = f"/paths/{escaped(template)}/{method}"
                    yield Route(template, method, pointer, self._usable(content, pointer))

    def _check(self) -> None:
        """Refuse references that lead nowhere, and schemas that are none."""
        jsonschema = optional("jsonschema", _USER, "testing")
        for place, ref in _references(self._document, "#"):
            if not ref.startswith("#/") or self.at(ref[1:]) is None:
                raise InvalidRequestError(
                    f"{self._name}: {place} refers to {ref!r}, which is not there"
                )
        for pointer in self._schemas():
            try:
                jsonschema.Draft202012Validator.check_schema(self.at(pointer))
            except jsonschema.SchemaError as error:
                place = ".".join(unquote(pointer).split("/")[1:]).replace("~1", "/")
                raise InvalidRequestError(
                    f"{self._name}: {place} is no JSON Schema: {error.message}"
                ) from None

    def _schemas(self) -> Iterator[str]:
        """Yield where there are schemas."""
        schemas = self.at("/components/schemas")
        if schemas is not None and not is_object(schemas):
            raise InvalidRequestError(f"{self._name}: components.schemas must be an object")
        yield from (f"/components/schemas/{escaped(name)}" for name in schemas or ())
        for route in self.routes:
            yield from filter(None, [self.request(route)])
            for key in route.content["responses"]:
                yield from filter(None, (self._answer(route, key, one) for one in (_JSON, _EVENTS)))

    def _usable(self, content: Mapping[str, Any], pointer: str) -> Mapping[str, Any]:
        """Return an operation if what is read of it has the form that it needs."""
        tasks = content.get("x-sdk-operations", [])
        are_tasks = is_list(tasks) and all(is_object(one) and "tag" in one for one in tasks)
        if not is_object(content["responses"]) or not are_tasks:
            raise InvalidRequestError(
                f"{self._name}: {unquote(pointer)} is no operation: its responses must be an "
                "object, and its x-sdk-operations, if any, a list of objects with a tag"
            )
        return content

    def _resolved(self, node: Any, pointer: str) -> tuple[Any, str]:
        if is_object(node) and isinstance(node.get("$ref"), str):
            pointer = node["$ref"].removeprefix("#")
            return self.at(pointer), pointer
        return node, pointer

    def at(self, pointer: str) -> Any:
        """Return what is at a place of the contract; None where there is nothing."""
        node: Any = self._document
        for part in pointer.split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if is_list(node) and key.isdecimal() and int(key) < len(node):
                node = node[int(key)]
            else:
                node = node.get(key) if is_object(node) else None
        return node


@cache
def _own() -> Contract:
    """Return the contract of this package; to check it takes longer than to use it."""
    return Contract(load(INSTALLED), INSTALLED, own=True)


def _schema_at(holder: Any, pointer: str, kind: str) -> str | None:
    content = holder.get("content") if is_object(holder) else None
    media = content.get(kind) if is_object(content) else None
    if not is_object(media) or "schema" not in media:
        return None
    return f"{pointer}/content/{escaped(kind)}/schema"


def escaped(key: str) -> str:
    """Return a key as a part of a pointer in a URI."""
    return quote(key.replace("~", "~0").replace("/", "~1"), safe="~")


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", template)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def _references(node: Any, place: str) -> Iterator[tuple[str, str]]:
    if is_object(node):
        ref = node.get("$ref")
        if isinstance(ref, str):
            yield place, ref
        for key, value in node.items():
            if key not in {"example", "examples", "default", "const", "enum"}:
                yield from _references(value, f"{place}/{key}")
    elif is_list(node):
        for index, value in enumerate(node):
            yield from _references(value, f"{place}/{index}")
