"""Reduces component schemas to what the generator and our templates can carry.

What only checks a body is dropped; what a class could not express is refused.
"""

import re
from collections.abc import Mapping

from codegen.schemas import (
    REF,
    ProjectionError,
    Schema,
    flatten,
    is_class,
    members,
    ref_name,
    walk,
)

_SCALARS = frozenset({"string", "integer", "number", "boolean", "null"})
_KEPT = frozenset({"$ref", "type", "const", "enum", "format", "description", "required"})
# They check a body, they do not shape a type. A `default` would be sent, a `title` renames classes.
_DROPPED = frozenset(
    """
    $comment contentEncoding contentMediaType default dependentRequired deprecated discriminator
    else example examples exclusiveMaximum exclusiveMinimum externalDocs if maxItems maxLength
    maxProperties maximum minItems minLength minProperties minimum multipleOf not pattern
    propertyNames readOnly then title uniqueItems writeOnly
    """.split()  # noqa: SIM905 - thirty quoted lines would say no more
)
_CATCH_ALL = "x-sdk-catch-all"
_EXTENSIONS = frozenset({_CATCH_ALL, "x-sdk-mixin", "x-sdk-reply", "x-sdk-required"})
_IN_OBJECT = _EXTENSIONS | {"additionalProperties", "anyOf", "oneOf", "properties"}
_IN_VALUE = frozenset({"anyOf", "items", "oneOf"})
_UNSUPPORTED_FORMATS = frozenset({"binary", "date", "date-time", "uuid"})
# Names that a generated class body or its base already uses.
_TAKEN = frozenset({"extra", "from_dict", "to_dict", "define", "dump", "field", "same_extra"})


def reduce_schemas(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return reduced copies of component schemas; each tagged class gets an `x-sdk-tag`.

    Raises:
        ProjectionError: If a schema uses something that the templates do not support.
    """
    _refuse_clashes(schemas)
    reduced = {name: _component(schema, f"{REF}{name}") for name, schema in schemas.items()}
    for name, schema in reduced.items():
        for path, inner in walk(schema, f"{REF}{name}"):
            if (ref := ref_name(inner)) and ref not in reduced:
                raise ProjectionError(path, f"there is no component {ref}")
    for name, schema in reduced.items():
        _refuse_cycle(name, reduced)
        for path, inner in walk(schema, f"{REF}{name}"):
            if members(inner):
                _refuse_ambiguous(inner, path, reduced)
    return reduced


def _refuse_clashes(schemas: Mapping[str, Schema]) -> None:
    seen: dict[str, str] = {}
    for name in schemas:
        path = f"{REF}{name}"
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
            raise ProjectionError(path, "the name must be written in PascalCase")
        if name.endswith("Dict") and name.removesuffix("Dict") in schemas:
            raise ProjectionError(path, "the name clashes with a generated TypedDict")
        if other := seen.get(name.lower()):
            raise ProjectionError(path, f"the name differs from {other} by case only")
        seen[name.lower()] = name


def _component(schema: Schema, path: str) -> Schema:
    if "enum" in schema:
        return _enum(schema, path)
    if schema.get("type") == "object":
        return _object(schema, path)
    marks = schema.keys() & {_CATCH_ALL}
    value = {key: schema[key] for key in schema.keys() - marks}
    return _value(value, path) | {key: schema[key] for key in marks}


def _enum(schema: Schema, path: str) -> Schema:
    if schema.get("type") != "string" or not all(isinstance(v, str) for v in schema["enum"]):
        raise ProjectionError(path, "an enum holds strings only; null is written beside its $ref")
    return _kept(schema, path)


def _object(schema: Schema, path: str) -> Schema:
    reduced = _kept(schema, path, allowed=_IN_OBJECT)
    reduced |= {key: schema[key] for key in _EXTENSIONS & schema.keys()}
    for index, member in enumerate(members(schema)):
        if not member.keys() <= {"description", "not", "properties", "required"}:
            raise ProjectionError(f"{path}, union member {index}", "it may only require properties")
    extra = schema.get("additionalProperties", True)
    if not schema.get("properties"):
        if flags := schema.keys() & _EXTENSIONS - {_CATCH_ALL}:
            raise ProjectionError(path, f"{min(flags)} needs properties")
        return reduced | {"additionalProperties": _map_values(extra, path)}
    if not isinstance(extra, bool):
        raise ProjectionError(path, "beside properties, additionalProperties must be true or false")
    _refuse_names(schema, path)
    reduced["properties"] = {
        key: _value(value, f"{path}/properties/{key}")
        for key, value in schema["properties"].items()
    }
    reduced["required"] = [*schema.get("required", ()), *schema.get("x-sdk-required", ())]
    if tag := _tag(reduced):
        reduced["x-sdk-tag"] = tag
    return reduced


def _map_values(extra: bool | Schema, path: str) -> bool | Schema:
    if isinstance(extra, bool):
        return True
    path = f"{path}/additionalProperties"
    if not _SCALARS.issuperset(_types(extra)) or "$ref" in extra or members(extra):
        raise ProjectionError(path, "a map may hold scalars only")
    return _value(extra, path)


def _refuse_names(schema: Schema, path: str) -> None:
    seen: dict[str, str] = {}
    taken = _TAKEN | {"meta"} if "x-sdk-reply" in schema else _TAKEN
    for key in schema["properties"]:
        here = f"{path}/properties/{key}"
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", key):
            raise ProjectionError(here, "the name is no Python identifier")
        if key in taken:
            raise ProjectionError(here, "the name clashes with a member of the generated class")
        plain = key.replace("_", "").lower()
        if other := seen.get(plain):
            raise ProjectionError(here, f"the name and {other} become the same Python name")
        seen[plain] = key
    for keyword in ("required", "x-sdk-required"):
        for key in schema.get(keyword, ()):
            if key not in schema["properties"]:
                raise ProjectionError(f"{path}/{keyword}", f"{key} is not among the properties")


def _value(schema: Schema, path: str) -> Schema:
    """Reduce a schema that describes a value: no new class or enum may be born here."""
    if "enum" in schema:
        raise ProjectionError(path, "an enum must be a named component")
    if "object" in _types(schema) or "properties" in schema:
        raise ProjectionError(path, "an object must be a named component")
    if schema.get("format") in _UNSUPPORTED_FORMATS:
        raise ProjectionError(path, f"format {schema['format']} is not supported")
    if not (_SCALARS | {"array"}).issuperset(_types(schema)):
        raise ProjectionError(path, f"type {schema['type']} is not supported")
    if not schema.get("$ref", REF).startswith(REF):
        raise ProjectionError(path, f"$ref must point into {REF}")
    if ("array" in _types(schema)) != ("items" in schema):
        raise ProjectionError(path, "an array needs items, and items need an array")
    reduced = _kept(schema, path, allowed=_IN_VALUE)
    if "items" in schema:
        reduced["items"] = _value(schema["items"], f"{path}/items")
    for union in ("anyOf", "oneOf"):
        if union in schema:
            variants = enumerate(schema[union])
            reduced[union] = [_value(v, f"{path}/{union}/{index}") for index, v in variants]
    return reduced


def _kept(schema: Schema, path: str, *, allowed: frozenset[str] = frozenset()) -> Schema:
    if unknown := schema.keys() - _KEPT - _DROPPED - allowed:
        raise ProjectionError(path, f"{min(unknown)} is not supported here")
    return {key: value for key, value in schema.items() if key in _KEPT}


def _types(schema: Schema) -> list[str]:
    types: str | list[str] = schema.get("type", [])
    return [types] if isinstance(types, str) else types


def _tag(schema: Schema) -> list[str] | None:
    """Find the constant that tells a class from its siblings in a union: [key, value]."""
    tags = {
        key: value["const"]
        for key, value in schema["properties"].items()
        if key in schema["required"] and isinstance(value.get("const"), str)
    }
    key = next((key for key in ("type", "role", *tags) if key in tags), None)
    return None if key is None else [key, tags[key]]


def _refuse_cycle(name: str, schemas: Mapping[str, Schema]) -> None:
    """Refuse an alias that contains itself; through a class it may."""
    waiting, seen = [name], set[str]()
    while waiting:
        schema = schemas[waiting.pop()]
        if is_class(schema):
            continue
        nested = {ref for _, inner in walk(schema) if (ref := ref_name(inner))}
        if name in nested:
            raise ProjectionError(f"{REF}{name}", "the union or array contains itself")
        waiting.extend(nested - seen)
        seen |= nested


def _refuse_ambiguous(union: Schema, path: str, schemas: Mapping[str, Schema]) -> None:
    names = dict.fromkeys(name for v in flatten(union, schemas) if (name := ref_name(v)))
    classes = [name for name in names if is_class(schemas[name])]
    untagged = [name for name in classes if "x-sdk-tag" not in schemas[name]]
    if len(untagged) > 1:
        raise ProjectionError(path, f"nothing tells {' from '.join(untagged)}: give each a const")
    tags = [tuple(schemas[name]["x-sdk-tag"]) for name in classes if name not in untagged]
    if len(set(tags)) < len(tags):
        raise ProjectionError(path, "two variants carry the same const")
