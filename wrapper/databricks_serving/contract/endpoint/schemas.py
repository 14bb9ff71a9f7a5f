"""JSON Schema, as the OpenAPI document of an endpoint has it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from databricks_serving.contract.endpoint.nodes import deeper, mapping, part, sequence, text
from databricks_serving.contract.endpoint.types import (
    Anything,
    Field,
    Kind,
    List,
    Map,
    Record,
    Scalar,
    Type,
)
from databricks_serving.errors import InvalidRequestError

_KINDS: Final[Mapping[str, Kind]] = {
    "boolean": "boolean",
    "integer": "integer",
    "number": "number",
    "string": "string",
}
_FORMATS: Final[Mapping[object, Kind]] = {
    "date-time": "datetime",
    "byte": "binary",
    "binary": "binary",
}
_REF: Final = "#/"


class Schemas:
    """The schemas of one document."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def resolve(self, node: object, place: str) -> Mapping[str, Any]:
        """Follow references.

        Raises:
            InvalidRequestError: When one leads nowhere, or in a circle.
        """
        schema, depth = mapping(node, place), 0
        while "$ref" in schema:
            depth = deeper(depth, place)
            schema = mapping(self._target(text(schema["$ref"], place), place), place)
        return schema

    def _target(self, ref: str, place: str) -> object:
        steps = [
            step.replace("~1", "/").replace("~0", "~") for step in ref.removeprefix(_REF).split("/")
        ]
        node = part(self._root, *steps) if ref.startswith(_REF) else None
        if node is None:
            raise InvalidRequestError(f"{place} refers to {ref}, which is not there")
        return node

    def variants(self, node: object, place: str) -> list[Mapping[str, Any]]:
        """Return the variants of a union, through nested ones; a schema that is none by itself."""
        schema = self.resolve(node, place)
        members = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
        if not members:
            return [schema]
        return [each for member in members for each in self.variants(member, place)]

    def fields(self, schema: Mapping[str, Any], place: str, depth: int = 0) -> tuple[Field, ...]:
        """Return the keys of an object, in the order of the document.

        Raises:
            InvalidRequestError: Naming the place of what cannot be used.
        """
        required = sequence(schema.get("required", []), f"{place}: required")
        properties = mapping(schema.get("properties", {}), f"{place}: properties")
        return tuple(
            self._field(key, node, f"{place}.{key}", depth, required=key in required)
            for key, node in properties.items()
        )

    def _field(self, key: str, node: object, place: str, depth: int, *, required: bool) -> Field:
        schema = self.resolve(node, place)
        kind, nullable = self.type(schema, place, depth)
        description = schema.get("description")
        said = description if isinstance(description, str) else None
        return Field(key, kind, required, nullable or not required, said)

    def type(self, node: object, place: str, depth: int = 0) -> tuple[Type, bool]:
        """Return a type, and whether null is in it; raises as `fields`."""
        depth = deeper(depth, place)
        schema = self.resolve(node, place)
        members = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
        if members:
            return self._union(members, place, depth)
        names: object = schema.get("type")
        kinds = sequence(schema["type"], place) if isinstance(names, list) else [names]
        plain = [kind for kind in kinds if kind != "null"]
        nullable = len(plain) < len(kinds) or schema.get("nullable") is True
        if len(plain) != 1 or plain[0] is None:
            kind: Type = self._untyped(schema, place, depth) if len(plain) == 1 else Anything()
            return kind, nullable
        return self._plain(plain[0], schema, place, depth), nullable

    def _union(self, members: Sequence[object], place: str, depth: int) -> tuple[Type, bool]:
        found = [self.type(member, place, depth) for member in members if not _is_null(member)]
        nullable = len(found) < len(members) or any(null for _, null in found)
        kinds = {kind for kind, _ in found}
        return (kinds.pop() if len(kinds) == 1 else Anything()), nullable

    def _untyped(self, schema: Mapping[str, Any], place: str, depth: int) -> Type:
        if "properties" in schema:
            return self._plain("object", schema, place, depth)
        return self._plain("array", schema, place, depth) if "items" in schema else Anything()

    def _plain(self, kind: object, schema: Mapping[str, Any], place: str, depth: int) -> Type:
        if kind == "string":
            return Scalar(_FORMATS.get(schema.get("format"), "string"))
        if isinstance(kind, str) and kind in _KINDS:
            return Scalar(_KINDS[kind])
        if kind == "array":
            return List(self.items(schema, place, depth))
        if kind == "object":
            fields = self.fields(schema, place, depth)
            return Record(fields) if fields else Map(self._values(schema, place, depth))
        raise InvalidRequestError(f"{place} has the type {kind!r}, which JSON Schema does not know")

    def items(self, schema: Mapping[str, Any], place: str, depth: int = 0) -> Type:
        """Return the type of the items of an array; raises as `fields`."""
        items: object = schema.get("items")
        if not isinstance(items, Mapping):
            return Anything()
        kind, nullable = self.type(schema["items"], f"{place}[]", depth)
        return Anything() if nullable else kind

    def _values(self, schema: Mapping[str, Any], place: str, depth: int) -> Type:
        values: object = schema.get("additionalProperties")
        if not isinstance(values, Mapping):
            return Anything()
        kind, nullable = self.type(schema["additionalProperties"], f"{place}{{}}", depth)
        return Anything() if nullable else kind


def _is_null(node: object) -> bool:
    return bool(part(node, "type") == "null")
