import copy
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))  # the scripts are not installed

from codegen.params import emit_params
from codegen.project import ProjectionError, project

PATH = "/endpoints/{name}/invocations"
REF = "#/components/schemas/"


def ref(name):
    return {"$ref": f"{REF}{name}"}


def obj(*required, **properties):
    return {"type": "object", "required": list(required), "properties": properties}


def body(*names, media_type="application/json"):
    return {media_type: {"schema": {"oneOf": [ref(name) for name in names]}}}


@pytest.fixture
def document():
    """A contract with two tasks behind one path."""
    schemas = {
        "Ask": obj("question", question={"type": "string"}, stream={"type": "boolean"}),
        "Answer": obj("text", text={"type": "string"}),
        "Piece": obj(text={"type": "string"}),
        "Count": obj("texts", texts={"type": "array", "items": {"type": "string"}}),
        "Counts": obj("counts", counts={"type": "array", "items": {"type": "integer"}}),
        "Problem": obj(message={"type": "string"}),
        "Anything": {"type": "object", "x-sdk-catch-all": True},
    }
    post = {
        "operationId": "invoke",
        "x-sdk-operations": [
            {
                "operationId": "ask",
                "tag": "words",
                "summary": "Ask.",
                "request": "Ask",
                "params": "AskParams",
                "reserved": ["stream"],
                "response": "Answer",
                "event": "Piece",
            },
            {
                "operationId": "count",
                "tag": "words",
                "summary": "Count.",
                "request": "Count",
                "params": "CountParams",
                "response": "Counts",
            },
        ],
        "requestBody": {"required": True, "content": body("Ask", "Count", "Anything")},
        "responses": {
            "200": {
                "description": "Done.",
                "content": {
                    **body("Answer", "Counts"),
                    **body("Piece", media_type="text/event-stream"),
                },
            },
            "400": {"$ref": "#/components/responses/Refused"},
        },
    }
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Words", "version": "1"},
        "paths": {PATH: {"parameters": [{"$ref": "#/components/parameters/Name"}], "post": post}},
        "components": {
            "parameters": {"Name": name},
            "responses": {"Refused": {"description": "No.", "content": body("Problem")}},
            "schemas": schemas,
        },
    }


def post_of(document):
    return document["paths"][PATH]["post"]


def refused(document):
    with pytest.raises(ProjectionError) as caught:
        project(document)
    return str(caught.value)


def with_property(document, schema):
    """Put a schema under a property of a component."""
    document["components"]["schemas"]["Answer"]["properties"]["extra_key"] = schema
    return document


def test_each_operation_gets_a_fragment_path_of_its_own(document):
    paths = project(document)["paths"]
    assert list(paths) == [f"{PATH}#ask", f"{PATH}#count"]
    ask = paths[f"{PATH}#ask"]["post"]
    assert ask["operationId"] == "ask"
    assert ask["tags"] == ["words"]
    assert ask["requestBody"]["content"]["application/json"]["schema"] == ref("Ask")
    assert ask["responses"]["200"]["content"] == {
        "application/json": {"schema": ref("Answer")},
        "text/event-stream": {"schema": ref("Piece")},
    }
    assert list(paths[f"{PATH}#count"]["post"]["responses"]["200"]["content"]) == [
        "application/json"
    ]


def test_references_to_bodies_parameters_and_responses_are_resolved(document):
    post = post_of(document)
    document["components"]["requestBodies"] = {"Invocation": post["requestBody"]}
    post["requestBody"] = {"$ref": "#/components/requestBodies/Invocation"}
    ask = project(document)["paths"][f"{PATH}#ask"]["post"]
    assert ask["parameters"][0]["name"] == "name"
    assert ask["responses"]["400"]["content"]["application/json"]["schema"] == ref("Problem")


def test_the_document_is_left_alone(document):
    before = copy.deepcopy(document)
    project(document)
    assert document == before


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
    ("change", "message"),
    [
        (lambda entries: entries.pop(), "no operation has the request Count"),
        (lambda entries: entries[1].update(request="Problem"), "request Problem is not in"),
        (lambda entries: entries[0].update(response="Problem"), "response Problem is not in"),
        (lambda entries: entries[0].update(event="Problem"), "event Problem is not in"),
        (lambda entries: entries[0].pop("event"), "no operation has the event Piece"),
        (lambda entries: entries[0].pop("params"), "params is missing"),
        (lambda entries: entries[0].update(parms="X"), "parms is not known here"),
        (lambda entries: entries[0].update(reserved=["model"]), "Ask has no model"),
        (lambda entries: entries[0].update(request="Anything"), "no object with properties"),
        (lambda entries: entries[1].update(operationId="ask"), "operation ask is there twice"),
        (lambda entries: entries[1].update(params="AskParams"), "another request"),
    ],
)
def test_operations_and_one_of_lists_must_agree(document, change, message):
    change(post_of(document)["x-sdk-operations"])
    assert message in refused(document)
    assert refused(document).startswith(f"#/paths/{PATH}/post")


def test_one_request_has_one_name_for_its_parameters(document):
    post = copy.deepcopy(post_of(document))
    for entry in post["x-sdk-operations"]:
        entry["operationId"] += "_elsewhere"
    document["paths"]["/other/{name}"] = {**document["paths"][PATH], "post": post}
    assert len(project(document)["paths"]) == 4
    post["x-sdk-operations"][0]["params"] = "OtherParams"
    assert "Ask has two names for its params" in refused(document)


def test_only_a_catch_all_may_lack_an_operation_and_it_comes_last(document):
    schema = post_of(document)["requestBody"]["content"]["application/json"]["schema"]
    schema["oneOf"].reverse()
    assert "the catch-all Anything must come last" in refused(document)


def test_an_operation_without_a_list_is_refused(document):
    del post_of(document)["x-sdk-operations"]
    assert refused(document) == f"#/paths/{PATH}/post: x-sdk-operations is missing"


@pytest.mark.parametrize(
    ("status", "response", "message"),
    [
        ("5XX", {"description": "", "content": body("Problem")}, "a status must be a number"),
        ("500", {"description": ""}, "application/json needs one object component"),
        ("500", {"$ref": "#/components/responses/Gone"}, "$ref to nothing"),
    ],
)
def test_an_error_response_needs_a_status_and_one_body(document, status, response, message):
    post_of(document)["responses"][status] = response
    assert message in refused(document)


def test_a_parameter_outside_the_path_is_refused(document):
    query = {"name": "verbose", "in": "query", "schema": {"type": "boolean"}}
    post_of(document)["parameters"] = [query]
    assert "parameter verbose is no text in the path" in refused(document)


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


def test_an_array_of_texts_does_not_take_a_lone_text_by_accident(document):
    schemas = document["components"]["schemas"]
    texts = {"type": "array", "items": {"type": "string"}}
    schemas["Count"]["properties"] |= {"stop": {"anyOf": [{"type": "string"}, texts]}}
    source = emit_params(project(document))
    assert "texts: Required[list[str] | tuple[str, ...]]" in source
    assert "stop: str | Sequence[str] | None" in source


def test_reserved_keys_are_left_out_of_the_keywords_and_kept_in_the_request(document):
    source = emit_params(project(document))
    keywords, request = source.split("class AskRequest", 1)[0], source
    assert "class AskParams(TypedDict, total=False):\n    question: Required[str]\n\n" in keywords
    assert "class AskDict(AskParams, total=False):\n    stream: bool\n" in request


def test_a_catch_all_object_has_no_typed_dict(document):
    schemas = document["components"]["schemas"]
    schemas["Known"] = obj("type", type={"const": "known"})
    schemas["Unknown"] = {**obj("type", type={"type": "string"}), "x-sdk-catch-all": True}
    schemas["Item"] = {"oneOf": [ref("Known"), ref("Unknown")]}
    schemas["Ask"]["properties"]["items"] = {"type": "array", "items": ref("Item")}
    source = emit_params(project(document))
    assert "items: Sequence[ItemDict] | None" in source
    assert "ItemDict: TypeAlias = Known | KnownDict | Unknown\n" in source
    assert "UnknownDict" not in source
