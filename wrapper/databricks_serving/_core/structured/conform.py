"""Schemas as endpoints take them: self-contained, and without the keywords that they refuse.

What is left out of a schema is said in its description, and checked on the way back by what the
schema was made from.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from databricks_serving._core.json_codec import is_object
from databricks_serving._core.structured.schema_check import resolved
from databricks_serving._core.structured.schema_parts import any_of, not_nullable, nullable, typed
from databricks_serving.errors import InvalidRequestError

Schema = dict[str, Any]

# fact: refused everywhere. `uniqueItems` and `contentEncoding` no strict endpoint takes.
_REFUSED: Final[Mapping[str, str]] = {
    "pattern": "matches {}",
    "uniqueItems": "no two alike",
    "contentEncoding": "{}",
}
# fact: refused in the parameters of tools ("integer types do not support minimum").
_REFUSED_BY_TOOLS: Final[Mapping[str, str]] = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}
_DROPPED: Final = frozenset(
    {"title", "default", "discriminator", "$defs", "definitions", "$schema"}
)
_FORMATS: Final = frozenset(
    {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"}
)


class LooseError(InvalidRequestError):
    """A type that no strict schema can describe."""


def conform(raw: Mapping[str, Any], place: str, *, strict: bool, tool: bool) -> Schema:
    """Return a schema as it is sent.

    Args:
        raw: The schema as its type makes it.
        place: What it is called in errors.
        strict: Make it fit strict mode: every object closed, every key required, those that may be
            absent nullable.
        tool: Make it fit the parameters of a tool, where less is accepted than in an answer.

    Raises:
        LooseError: When `strict` cannot be had, naming the field.
        InvalidRequestError: When the type refers to itself, in a tool.
    """
    return _Conformer(raw, strict=strict, tool=tool).whole(place)


class _Conformer:
    def __init__(self, raw: Mapping[str, Any], *, strict: bool, tool: bool) -> None:
        self._raw = raw
        self._strict = strict
        self._tool = tool
        self._refused = {**_REFUSED, **(_REFUSED_BY_TOOLS if tool else {})}
        self._open: list[str] = []
        self._kept: dict[str, Schema] = {}

    def whole(self, place: str) -> Schema:
        schema = self._of({**self._raw}, place)
        return {**schema, "$defs": self._kept} if self._kept else schema

    def _of(self, node: Any, place: str) -> Schema:
        if not is_object(node) or not node.keys() - _DROPPED - {"description"}:
            self._refuse_in_strict(place, "a value of any type")
            return {**node} if is_object(node) else {}
        if "$ref" in node:
            return self._of_reference(node, place)
        if "allOf" in node:
            return self._of(self._merged(node), place)
        words = list(self._words(node))
        kept = {k: v for k, v in node.items() if k not in _DROPPED | self._refused.keys()}
        if kept.get("format") not in _FORMATS:
            kept.pop("format", None)
        schema = self._step(kept, words)(kept, place)
        if words:
            said = f"({'; '.join(words)})"
            before = schema.get("description")
            schema["description"] = f"{before} {said}" if before else said
        return schema

    def _step(self, node: Schema, words: list[str]) -> Callable[[Schema, str], Schema]:
        if "prefixItems" in node:
            words.append(f"exactly {len(node['prefixItems'])} items")
            return self._of_tuple
        if "anyOf" in node or "oneOf" in node:
            return self._of_variants
        if "properties" in node or node.get("type") == "object":
            return self._of_object
        if "items" in node or node.get("type") == "array":
            return self._of_array
        return lambda scalar, _: typed(scalar)

    def _words(self, node: Schema) -> Iterator[str]:
        """Say what endpoints would not take as a keyword."""
        for key, text in self._refused.items():
            value = node.get(key)
            if value is not None and value is not False and "prefixItems" not in node:
                yield text.format(value)
        if "format" in node and node["format"] not in _FORMATS:
            yield str(node["format"])
        if isinstance(node.get("default"), bool | int | float | str):
            yield f"default: {node['default']}"

    def _of_reference(self, node: Schema, place: str) -> Schema:
        reference: str = node["$ref"]
        beside = {k: v for k, v in node.items() if k not in _DROPPED | {"$ref"}}
        if reference not in self._open:
            self._open.append(reference)
            target = self._of({**resolved(reference, self._raw), **beside}, place)
            self._open.pop()
            return target
        name = reference.rsplit("/", 1)[-1].strip("#") or "whole"
        if self._tool:
            kind = name.rpartition(".")[2]
            raise InvalidRequestError(f"{place}: {kind} refers to itself, which no tool can")
        if name not in self._kept:
            self._kept[name] = {}
            before, self._open = self._open, [reference]
            self._kept[name] = self._of({**resolved(reference, self._raw)}, place)
            self._open = before
        return {"$ref": f"#/$defs/{name}"}

    def _merged(self, node: Schema) -> Schema:
        whole = {k: v for k, v in node.items() if k != "allOf"}
        for part in node["allOf"]:
            one = {**resolved(part["$ref"], self._raw)} if "$ref" in part else part
            properties = {**whole.get("properties", {}), **one.get("properties", {})}
            required = [*whole.get("required", []), *one.get("required", [])]
            whole = {**one, **whole}
            whole |= {"properties": properties} if properties else {}
            whole |= {"required": list(dict.fromkeys(required))} if required else {}
        return whole

    def _of_variants(self, node: Schema, place: str) -> Schema:
        options = [self._of(one, place) for one in node.pop("oneOf", node.pop("anyOf", []))]
        beside = {k: v for k, v in node.items() if k not in {"anyOf", "oneOf"}}
        rest = [one for one in options if one != {"type": "null"}]
        if len(rest) == 1 and len(options) > 1:
            return {**nullable(rest[0]), **beside}
        return {**any_of(options), **beside}

    def _of_object(self, node: Schema, place: str) -> Schema:
        others = node.get("additionalProperties")
        closed = "properties" in node and others is None
        if not closed and others is not False:
            self._refuse_in_strict(place, "an object with keys of any name")
        if is_object(others) and others:
            node["additionalProperties"] = self._of(others, f"{place}[...]")
        if "properties" not in node:
            return node
        required = set(node.get("required", ()))
        node["properties"] = {
            key: self._of_property(value, f"{place}.{key}", needed=key in required)
            for key, value in node["properties"].items()
        }
        node["type"] = "object"
        if self._strict:
            node |= {"required": list(node["properties"]), "additionalProperties": False}
        return node

    def _of_property(self, value: Any, place: str, *, needed: bool) -> Schema:
        schema = self._of(value, place)
        if needed:
            return schema
        if self._strict:
            return nullable(schema)
        absent = is_object(value) and value.get("default", ...) is None
        # What may be left out need not be null as well: the simpler schema is taken more widely.
        return not_nullable(schema) if absent and self._tool else schema

    def _of_array(self, node: Schema, place: str) -> Schema:
        return {**node, "type": "array", "items": self._of(node.get("items", {}), f"{place}[]")}

    def _of_tuple(self, node: Schema, place: str) -> Schema:
        # fact: the documentation lists `prefixItems` as unsupported.
        first = [self._of(one, f"{place}[{n}]") for n, one in enumerate(node.pop("prefixItems"))]
        kinds = [one for n, one in enumerate(first) if one not in first[:n]]
        return {**node, "items": any_of(kinds) if kinds else {"type": "null"}}

    def _refuse_in_strict(self, place: str, what: str) -> None:
        if self._strict:
            raise LooseError(f"{place}: {what} has no strict form; use strict=False")
