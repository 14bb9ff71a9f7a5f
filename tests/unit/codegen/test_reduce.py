import pytest

from codegen.params import emit_params
from codegen.project import ProjectionError, project

REF = "#/components/schemas/"


def ref(name):
    return {"$ref": f"{REF}{name}"}


def obj(*required, **properties):
    return {"type": "object", "required": list(required), "properties": properties}


def refused(document):
    with pytest.raises(ProjectionError) as caught:
        project(document)
    return str(caught.value)


def with_property(document, schema):
    """Put a schema under a property of a component."""
    document["components"]["schemas"]["Answer"]["properties"]["extra_key"] = schema
    return document


def test_keywords_that_only_check_a_body_are_dropped(document):
    ask = document["components"]["schemas"]["Ask"]
    ask |= {
        "not": {"required": ["texts"]},
        "if": {"required": ["stream"]},
        "then": {"required": ["question"]},
        "else": {},
        "dependentRequired": {"stream": ["question"]},
        "minProperties": 1,
        "examples": [{}],
        "anyOf": [{"required": ["question"]}, {"not": {"required": ["stream"]}}],
    }
    ask["properties"]["question"] |= {"default": "why", "minLength": 1, "description": "It."}
    projected = project(document)["components"]["schemas"]["Ask"]
    assert projected == {
        "type": "object",
        "required": ["question"],
        "properties": {
            "question": {"type": "string", "description": "It."},
            "stream": {"type": "boolean"},
        },
    }


def test_a_property_may_be_named_like_a_keyword(document):
    answer = document["components"]["schemas"]["Answer"]
    answer["properties"] |= {"default": {"type": "string"}, "not": {"type": "string"}}
    projected = project(document)["components"]["schemas"]["Answer"]
    assert set(projected["properties"]) == {"text", "default", "not"}


def test_keys_that_models_show_as_present_become_required_for_the_models_only(document):
    question = document["components"]["schemas"]["Ask"]
    question["properties"]["tone"] = {"type": "string"}
    question["x-sdk-required"] = ["tone"]
    projected = project(document)
    assert projected["components"]["schemas"]["Ask"]["required"] == ["question", "tone"]
    assert "tone: str | None" in emit_params(projected)


def test_a_required_constant_becomes_the_tag_of_its_class(document):
    schemas = document["components"]["schemas"]
    schemas["Text"] = obj("type", "role", type={"const": "text"}, role={"const": "user"})
    schemas["Loose"] = obj(type={"const": "loose"})
    projected = project(document)["components"]["schemas"]
    assert projected["Text"]["x-sdk-tag"] == ["type", "text"]
    assert "x-sdk-tag" not in projected["Loose"]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "string", "enum": ["a"]}, "an enum must be a named component"),
        (obj(a={"type": "string"}), "an object must be a named component"),
        ({"type": ["object", "null"]}, "an object must be a named component"),
        ({"type": "string", "format": "date-time"}, "format date-time is not supported"),
        ({"type": "string", "format": "uuid"}, "format uuid is not supported"),
        ({"type": "string", "format": "binary"}, "format binary is not supported"),
        ({"type": "file"}, "type file is not supported"),
        ({"type": "array"}, "an array needs items"),
        ({"allOf": [{}]}, "allOf is not supported here"),
        ({"$ref": f"{REF}Missing"}, "there is no component Missing"),
        ({"$ref": "other.yaml#/Answer"}, "$ref must point into"),
        ({"anyOf": [ref("Ask"), ref("Count")]}, "nothing tells Ask from Count"),
    ],
)
def test_what_the_templates_cannot_carry_is_refused_with_its_path(document, schema, message):
    text = refused(with_property(document, schema))
    assert message in text
    assert text.startswith(f"{REF}Answer/properties/extra_key")


def test_the_path_leads_through_unions_and_arrays(document):
    inner = {"anyOf": [{"type": "array", "items": {"type": "string", "enum": ["a"]}}]}
    text = refused(with_property(document, inner))
    assert text.startswith(f"{REF}Answer/properties/extra_key/anyOf/0/items:")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("to_dict", "clashes with a member"),
        ("extra", "clashes with a member"),
        ("x-y", "no Python identifier"),
        ("te_xt", "and text become the same Python name"),
    ],
)
def test_property_names_that_cannot_be_attributes_are_refused(document, name, message):
    document["components"]["schemas"]["Answer"]["properties"][name] = {"type": "string"}
    assert message in refused(document)


def test_meta_is_taken_on_replies_only(document):
    answer = document["components"]["schemas"]["Answer"]
    answer["properties"]["meta"] = {"type": "string"}
    project(document)
    answer["x-sdk-reply"] = True
    assert "clashes with a member" in refused(document)


@pytest.mark.parametrize(
    ("name", "schema", "message"),
    [
        ("lower", obj(a={}), "PascalCase"),
        ("ANSWER", obj(a={}), "differs from Answer by case only"),
        ("AskDict", obj(a={}), "clashes with a generated TypedDict"),
        ("Codes", {"type": "integer", "enum": [1, 2]}, "an enum holds strings only"),
        ("Loop", {"anyOf": [ref("Loop"), {"type": "string"}]}, "contains itself"),
        ("Bag", {"type": "object", "additionalProperties": ref("Ask")}, "scalars only"),
        ("Bag", {"type": "object", "x-sdk-mixin": True}, "x-sdk-mixin needs properties"),
        ("Bag", {**obj(a={}), "oneOf": [ref("Ask")]}, "it may only require properties"),
        ("Bag", {**obj(a={}), "additionalProperties": {}}, "must be true or false"),
        ("Bag", {**obj("b", a={})}, "b is not among the properties"),
        ("Bag", {**obj(a={}), "x-sdk-required": ["b"]}, "b is not among the properties"),
        ("Bag", {**obj(a={}), "patternProperties": {}}, "patternProperties is not supported"),
    ],
)
def test_components_that_cannot_become_types_are_refused(document, name, schema, message):
    document["components"]["schemas"][name] = schema
    text = refused(document)
    assert message in text
    assert text.startswith(f"{REF}{name}")


def test_two_variants_with_one_tag_are_refused(document):
    schemas = document["components"]["schemas"]
    schemas["One"] = schemas["Two"] = obj("type", type={"const": "same"})
    with_property(document, {"oneOf": [ref("One"), ref("Two")]})
    assert "two variants carry the same const" in refused(document)
