"""How to walk the schemas of a document."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

REF = "#/components/schemas/"


class ProjectionError(ValueError):
    """The canonical document holds something that cannot be generated from."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


def is_class(schema: Schema) -> bool:
    """Tell whether a component becomes a class: an object with properties."""
    return bool(schema.get("properties"))


def ref_name(schema: Schema) -> str | None:
    """Return the name of the component that a schema refers to."""
    ref: str | None = schema.get("$ref")
    return None if ref is None else ref.removeprefix(REF)


def members(schema: Schema) -> list[Schema]:
    """Return the variants of a union, or nothing."""
    return [*schema.get("anyOf", ()), *schema.get("oneOf", ())]


def flatten(schema: Schema, schemas: Mapping[str, Schema]) -> Iterator[Schema]:
    """Yield the variants of a schema, through nested unions and references to unions."""
    target = schemas[name] if (name := ref_name(schema)) else schema
    if variants := members(target):
        for variant in variants:
            yield from flatten(variant, schemas)
    else:
        yield schema


def children(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield the schemas directly inside a projected one, with their paths."""
    for key, child in schema.get("properties", {}).items():
        yield f"{path}/properties/{key}", child
    for union in ("anyOf", "oneOf"):
        for index, child in enumerate(schema.get(union, ())):
            yield f"{path}/{union}/{index}", child
    if "items" in schema:
        yield f"{path}/items", schema["items"]


def walk(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield a schema and all those inside it, without following references."""
    yield path, schema
    for where, child in children(schema, path):
        yield from walk(child, where)


def references(schema: Schema) -> Iterator[str]:
    """Yield the names of the components that a schema mentions, at any depth."""
    return (name for _, child in walk(schema) if (name := ref_name(child)))
