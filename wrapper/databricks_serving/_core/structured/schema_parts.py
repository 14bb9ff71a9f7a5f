"""Small changes of schemas, in the plainest form that says the same."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from databricks_serving._core.json_codec import is_list, is_object

Schema = dict[str, Any]

_KIND_OF: Final[Mapping[type, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def any_of(options: list[Schema]) -> Schema:
    """Return a schema for one of several, without `anyOf` where plain types will do."""
    if len(options) == 1:
        return options[0]
    if all(one.keys() == {"type"} and isinstance(one["type"], str) for one in options):
        return {"type": list(dict.fromkeys(one["type"] for one in options))}
    return {"anyOf": options}


def nullable(schema: Schema) -> Schema:
    """Return a schema that takes null as well."""
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "anyOf" in schema:
        options = schema["anyOf"]
        known = {"type": "null"} in options
        return schema if known else {**schema, "anyOf": [*options, {"type": "null"}]}
    if not kinds:
        return {"anyOf": [schema, {"type": "null"}]}
    if "null" in kinds:
        return schema
    listed = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [*kinds, "null"], **listed}


def not_nullable(schema: Schema) -> Schema:
    """Return a schema that does not take null."""
    kinds = schema.get("type")
    if "anyOf" in schema:
        options = [one for one in schema["anyOf"] if one != {"type": "null"}]
        rest = {k: v for k, v in schema.items() if k != "anyOf"}
        return {**options[0], **rest} if len(options) == 1 else {**schema, "anyOf": options}
    if not is_list(kinds) or "null" not in kinds or len(kinds) == 1:
        return schema
    left = [kind for kind in kinds if kind != "null"]
    listed = {"enum": [e for e in schema["enum"] if e is not None]} if "enum" in schema else {}
    return {**schema, "type": left[0] if len(left) == 1 else left, **listed}


def moved(node: Any, move: Callable[[str], str]) -> Any:
    """Return a schema whose references point elsewhere.

    Args:
        node: The schema.
        move: Returns where a reference points then.
    """
    if is_object(node):
        return {
            key: move(value) if key == "$ref" and isinstance(value, str) else moved(value, move)
            for key, value in node.items()
        }
    return [moved(one, move) for one in node] if is_list(node) else node


def _kind(value: object) -> str | None:
    return _KIND_OF.get(type(value))


def typed(scalar: Schema) -> Schema:
    """Write a fixed value as a list of one, and name the type of what is listed."""
    if "const" in scalar:
        scalar = {**scalar, "enum": [scalar["const"]]}
        del scalar["const"]
    if "enum" in scalar and "type" not in scalar:
        kinds = list(dict.fromkeys(map(_kind, scalar["enum"])))
        if None not in kinds:
            scalar["type"] = kinds[0] if len(kinds) == 1 else kinds
    return scalar
