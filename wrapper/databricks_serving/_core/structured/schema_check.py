"""JSON checked against a JSON Schema: the keywords that schemas for models use."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving._core.structured.misfit import MisfitError
from databricks_serving.errors import InvalidRequestError
from databricks_serving_api.types import dump

Schema = Mapping[str, Any]

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


class SchemaConverter:
    """Reads JSON as it is, checked against a schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema: dict[str, Any] = dump(schema)

    def read(self, value: Any) -> Any:
        """Return the value; raises MisfitError where it does not fit."""
        try:
            fault = next(_Checker(self.schema).faults(value, self.schema, "$"), None)
        except RecursionError:
            fault = "$", "Expected less, or the schema refers to itself without end"
        if fault is not None:
            raise MisfitError(*fault)
        return value


class _Checker:
    def __init__(self, root: Schema) -> None:
        self._root = root

    def faults(self, value: Any, schema: Any, path: str) -> Iterator[tuple[str, str]]:
        """Yield where a value does not fit, and what was expected."""
        if schema is False:
            yield path, "Expected nothing here"
        if not is_object(schema):
            return
        yield from self._combined(value, schema, path)
        yield from _of_kind(value, schema, path)
        if is_object(value):
            yield from self._in_object(value, schema, path)
        elif is_list(value):
            yield from self._in_array(value, schema, path)

    def _combined(self, value: Any, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
        if "$ref" in schema:
            yield from self.faults(value, resolved(schema["$ref"], self._root), path)
        for part in schema.get("allOf", ()):
            yield from self.faults(value, part, path)
        for word in ("anyOf", "oneOf"):
            if word not in schema:
                continue
            options = [next(self.faults(value, one, path), None) for one in schema[word]]
            fitting = options.count(None)
            if not fitting and len(options) == 1:
                yield from self.faults(value, schema[word][0], path)
            elif not fitting or (word == "oneOf" and fitting > 1):
                yield path, f"Expected one of the {len(options)} variants"

    def _in_object(
        self, value: dict[str, Any], schema: Schema, path: str
    ) -> Iterator[tuple[str, str]]:
        properties: Schema = schema.get("properties", {})
        for key in schema.get("required", ()):
            if key not in value:
                yield path, f"Object missing required field `{key}`"
        others = schema.get("additionalProperties", True)
        for key, item in value.items():
            if key in properties:
                yield from self.faults(item, properties[key], f"{path}.{key}")
            elif others is False:
                yield path, f"Object contains unknown field `{key}`"
            else:
                yield from self.faults(item, others, f"{path}[...]")

    def _in_array(self, value: list[Any], schema: Schema, path: str) -> Iterator[tuple[str, str]]:
        first = schema.get("prefixItems", [])
        rest = schema.get("items", True)
        for position, item in enumerate(value):
            here = first[position] if position < len(first) else rest
            yield from self.faults(item, here, f"{path}[{position}]")
        if schema.get("uniqueItems") and len({json.dumps(one) for one in value}) < len(value):
            yield path, "Expected no two items alike"


def resolved(reference: str, root: Schema) -> Any:
    """Return what a reference into a schema points at.

    Raises:
        InvalidRequestError: When there is no such thing.
    """
    target: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if not is_object(target) or key not in target:
            raise InvalidRequestError(f"the schema has no {reference!r:.80}, which it refers to")
        target = target[key]
    return target


def plain(schema: Any, root: Schema) -> Schema:
    """Return a schema with its reference followed; an empty one for `true` and `false`.

    Raises:
        InvalidRequestError: When there is nothing at its end.
    """
    seen: list[str] = []
    while is_object(schema) and "$ref" in schema:
        reference = schema["$ref"]
        if reference in seen:
            raise InvalidRequestError(f"the schema refers to itself at {reference!r:.80}")
        seen.append(reference)
        schema = resolved(reference, root)
    return schema if is_object(schema) else {}


def _of_kind(value: Any, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is_of(value, kind) for kind in kinds):
        yield path, f"Expected {' or '.join(kinds)}"
    elif "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        yield path, "Expected one of the listed values"
    elif "const" in schema and not _same(value, schema["const"]):
        yield path, "Expected the fixed value"
    else:
        yield from ((path, f"Expected {words}") for words in _beyond_limits(value, schema))


def _is_of(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))


def _same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _beyond_limits(value: Any, schema: Schema) -> Iterator[str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from _beyond_numbers(value, schema)
    for kind, unit in ((str, "Length"), (list, "Items"), (dict, "Properties")):
        if isinstance(value, kind):
            size = len(cast("str | list[Any] | dict[str, Any]", value))
            if size < schema.get(f"min{unit}", size):
                yield f"at least {schema[f'min{unit}']} of length"
            if size > schema.get(f"max{unit}", size):
                yield f"at most {schema[f'max{unit}']} of length"
    if isinstance(value, str) and not _matches(schema.get("pattern"), value):
        yield f"a text that matches {schema['pattern']}"


def _matches(pattern: str | None, text: str) -> bool:
    try:
        return pattern is None or re.search(pattern, text) is not None
    except re.error:  # written for another language
        return True


def _beyond_numbers(value: float, schema: Schema) -> Iterator[str]:
    if value < schema.get("minimum", value):
        yield f"at least {schema['minimum']}"
    if value > schema.get("maximum", value):
        yield f"at most {schema['maximum']}"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield f"more than {schema['exclusiveMinimum']}"
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        yield f"less than {schema['exclusiveMaximum']}"
    step = schema.get("multipleOf")
    if step and not math.isclose(value / step, round(value / step), abs_tol=1e-9):
        yield f"a multiple of {step}"
