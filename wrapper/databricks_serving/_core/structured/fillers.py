"""The nulls that strict mode makes models write for what they would leave out."""

from collections.abc import Mapping
from typing import Any

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving._core.structured.schema_check import plain

Schema = Mapping[str, Any]


def without_fillers(value: Any, schema: Any, root: Schema) -> Any:
    """Return a decoded value without nulls under keys that may be absent but not null.

    Args:
        value: What the model wrote.
        schema: The schema as its type makes it, before it was made strict.
        root: The schema that its references point into.
    """
    schema = plain(schema, root)
    if "anyOf" in schema or "oneOf" in schema:
        options = [plain(one, root) for one in schema.get("anyOf") or schema["oneOf"]]
        found = next((one for one in options if _may_be(value, one)), None)
        return value if found is None else without_fillers(value, found, root)
    if is_list(value):
        first = schema.get("prefixItems", [])
        rest = schema.get("items", {})
        return [
            without_fillers(item, first[n] if n < len(first) else rest, root)
            for n, item in enumerate(value)
        ]
    if not is_object(value):
        return value
    properties: Schema = schema.get("properties", {})
    others = schema.get("additionalProperties", {})
    optional = properties.keys() - schema.get("required", ())
    return {
        key: without_fillers(item, properties.get(key, others), root)
        for key, item in value.items()
        if item is not None or key not in optional or _takes_null(properties[key], root)
    }


def _may_be(value: Any, schema: Schema) -> bool:
    """Tell whether a value looks like one variant of several."""
    if not is_object(value):
        return is_list(value) and ("items" in schema or "prefixItems" in schema)
    properties: Schema = schema.get("properties", {})
    if not properties:
        return schema.get("type") == "object"
    tags = ((value.get(key), one) for key, one in properties.items() if is_object(one))
    apart = all("const" not in one or one["const"] == found for found, one in tags)
    return apart and properties.keys() >= value.keys()


def _takes_null(schema: Any, root: Schema) -> bool:
    schema = plain(schema, root)
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return any(_takes_null(one, root) for one in options)
    kinds = schema.get("type")
    listed = schema.get("enum", ())
    free = kinds is None and "enum" not in schema and "const" not in schema
    return free or kinds == "null" or (is_list(kinds) and "null" in kinds) or None in listed
