import jsonschema
import pytest

from databricks_serving.local.backends.deterministic.example import example
from databricks_serving.local.errors import RefusedError

TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["name", "children"],
        }
    },
    "$ref": "#/$defs/node",
}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": "object", "required": ["a"]},
        {"properties": {"a": {"type": "null"}, "b": {"type": ["integer", "null"]}}},
        {"type": "object", "properties": {"a": True}, "additionalProperties": False},
        {"items": {"type": "boolean"}},
        {"type": "array", "minItems": 3, "items": {"type": "number"}},
        {"type": "array", "maxItems": 0},
        {"type": "array", "prefixItems": [{"type": "string"}, {"const": 5}], "minItems": 2},
        {"type": "string", "minLength": 12},
        {"type": "string", "maxLength": 2},
        {"enum": ["red", "green"]},
        {"const": {"a": [1]}},
        {"type": "integer", "minimum": 7},
        {"type": "integer", "maximum": -3},
        {"type": "integer", "exclusiveMinimum": 2.5, "exclusiveMaximum": 4.5},
        {"type": "integer", "minimum": 10, "maximum": 20, "multipleOf": 7},
        {"type": "integer", "exclusiveMinimum": 0, "multipleOf": 5},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "number", "exclusiveMinimum": 7, "exclusiveMaximum": 7.5},
        {"type": "number", "maximum": -0.5},
        {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        {"oneOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "string"}]},
        {
            "allOf": [
                {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
                {"properties": {"b": {"type": "string"}}, "required": ["b"]},
            ],
            "type": "object",
        },
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/definitions/x~1y"}},
            "definitions": {"x/y": {"type": "integer", "minimum": 3}},
        },
        TREE,
        *({"type": "string", "format": name} for name in ("date", "date-time", "email", "uuid")),
    ],
)
def test_an_example_fits_its_schema(schema):
    value = example(schema)
    jsonschema.validate(value, schema, format_checker=jsonschema.FormatChecker())
    assert example(schema) == value


def test_texts_are_named_after_their_key():
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "tags": {"items": {}}}}
    assert example(schema) == {"city": "city", "tags": ["tags"]}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "string", "pattern": "a+"}, 'the "pattern" keyword is not supported'),
        ({"$ref": "#"}, "refers to itself"),
        ({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}, "refers to itself"),
        ({"required": ["a"], "properties": {"a": {"$ref": "#"}}}, "refers to itself"),
        ({"type": "array", "minItems": 10**9}, "too large"),
        ({"type": "string", "minLength": 10**9}, "too large"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "no number fits"),
        ({"type": "integer", "minimum": 0.2, "maximum": 0.8}, "no number fits"),
        ({"$ref": "#/nowhere"}, "makes no sense"),
        ({"enum": []}, "makes no sense"),
        ({"type": "integer", "minimum": "one"}, "makes no sense"),
        ({"type": "integer", "multipleOf": 0, "minimum": 5}, "makes no sense"),
        ({"properties": []}, "makes no sense"),
        ({"anyOf": [False]}, "makes no sense"),
        ({"properties": {"a": False}}, "makes no sense"),
    ],
)
def test_a_schema_that_cannot_be_met_is_refused_with_the_reason(schema, reason):
    with pytest.raises(RefusedError, match="Invalid JSON schema") as caught:
        example(schema)
    assert caught.value.status == 400
    assert reason in caught.value.message
