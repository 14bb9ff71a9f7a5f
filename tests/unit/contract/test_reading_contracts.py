"""What is understood of signatures and of documents, and what is refused, by its place."""

import copy

import pytest
import signatures

from databricks_serving import errors
from databricks_serving.contract.endpoint.names import class_names, package_name, python_names
from databricks_serving.contract.endpoint.openapi import contract_of_openapi
from databricks_serving.contract.endpoint.signature import contract_of_signature
from databricks_serving.contract.endpoint.types import (
    Anything,
    Conversation,
    Field,
    List,
    Map,
    Outputs,
    Record,
    Rows,
    Scalar,
    Tensor,
    Tensors,
    Values,
)

NUMBER, WHOLE, TEXT = Scalar("number"), Scalar("integer"), Scalar("string")


def signature(*inputs, outputs=(), params=()):
    return {"inputs": list(inputs), "outputs": list(outputs), "params": list(params)}


def tensor(dtype="float32", shape=(-1,), **name):
    spec = {"dtype": dtype, "shape": list(shape)}
    return {"type": "tensor", "tensor-spec": spec, **name}


def obj(**properties):
    return {"type": "object", "properties": properties}


def array(items):
    return {"type": "array", "items": items}


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ({"type": "long"}, WHOLE),
        ({"type": "float"}, NUMBER),
        ({"type": "binary"}, Scalar("binary")),
        ({"type": "any"}, Anything()),
        (
            {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
            List(List(TEXT)),
        ),
        ({"type": "map", "values": {"type": "long"}}, Map(WHOLE)),
        (
            {"type": "object", "properties": {"a": {"type": "long", "required": False}}},
            Record((Field("a", WHOLE, required=False, nullable=True),)),
        ),
    ],
)
def test_types_of_mlflow(type_, expected):
    inputs = contract_of_signature(signature({"name": "a", **type_})).inputs
    assert inputs == Rows(Record((Field("a", expected),)))
    assert contract_of_signature(signature(type_)).inputs == Values(expected)


def test_optional_is_the_older_word_for_not_required():
    column = {"name": "a", "type": "long", "optional": True}
    inputs = contract_of_signature(signature(column)).inputs
    assert inputs == Rows(Record((Field("a", WHOLE, required=False, nullable=True),)))


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        ("uint8", "integer"),
        ("int64", "integer"),
        ("float16", "number"),
        ("bfloat16", "number"),
        ("bool", "boolean"),
        ("object", "string"),
        ("<U12", "string"),
        ("str", "string"),
        ("|S4", "binary"),
        ("datetime64[ns]", "datetime"),
    ],
)
def test_types_of_tensors(dtype, kind):
    inputs = contract_of_signature(signature(tensor(dtype, (-1, 3)))).inputs
    assert inputs == Tensors((Tensor(kind, (-1, 3)),))


def test_outputs_are_items_or_one_thing():
    def outputs(*columns):
        return contract_of_signature(signature({"type": "long"}, outputs=columns)).outputs

    assert outputs() is None
    assert outputs({"type": "double"}) == Outputs(NUMBER, each=True)
    assert outputs({"type": "double"}, {"type": "long"}) == Outputs(Anything(), each=True)
    named = Record((Field("a", NUMBER),))
    assert outputs({"type": "double", "name": "a"}) == Outputs(named, each=True)
    assert outputs(tensor()) == Outputs(List(NUMBER), each=False)
    lists = Record((Field("a", List(NUMBER)),))
    assert outputs(tensor(name="a")) == Outputs(lists, each=False)


@pytest.mark.parametrize(
    ("inputs", "outputs", "task"),
    [
        (signatures.AGENT["inputs"], "choices", "chat"),
        (signatures.AGENT["inputs"], "messages", "agents"),
        ([{"name": "input", "type": "array", "items": {"type": "any"}}], "output", "responses"),
    ],
)
def test_chat_models_and_agents_are_told_by_what_they_take_and_give(inputs, outputs, task):
    replies = [{"name": outputs, "type": "array", "items": {"type": "any"}}]
    found = contract_of_signature(signature(*inputs, outputs=replies)).inputs
    assert isinstance(found, Conversation)
    assert (found.task, [each.name for each in found.keywords]) == (
        task,
        [each["name"] for each in inputs[1:]],
    )


def test_messages_alone_make_no_chat_model():
    replies = [{"type": "string"}]
    found = contract_of_signature(signature(*signatures.AGENT["inputs"], outputs=replies))
    assert isinstance(found.inputs, Rows)


COLUMN = {"name": "a", "type": "long"}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (
            signature({"name": "a", "type": "decimal"}),
            r"inputs\[0\] \('a'\) has the type 'decimal'",
        ),
        (signature({"name": "a"}), r"inputs\[0\] \('a'\): type must be a text, not nothing"),
        (signature("a"), r"inputs\[0\] must be an object, not str"),
        (signature({**COLUMN, "required": "x"}), r"\('a'\): required must be true or false"),
        (signature({"name": "a", "type": "array"}), r"\('a'\): items must be an object"),
        (signature({"name": "a", "type": "map"}), r"\('a'\): values must be an object"),
        (signature({"name": "a", "type": "object"}), r"\('a'\): properties must be an object"),
        (signature(COLUMN, {"type": "long"}), "inputs: some columns have names and some have none"),
        (signature({"type": "long"}, {"type": "long"}), "several columns without names"),
        (signature(tensor(), COLUMN), "tensors and columns cannot stand beside each other"),
        (signature(tensor(), tensor()), "several tensors, and some have no names"),
        (signature(tensor("complex64")), r"has the dtype 'complex64', which JSON cannot hold"),
        (signature(tensor(shape=["x"])), "shape must be a list of whole numbers"),
        (signature({"type": "tensor"}), "tensor-spec must be an object"),
        (signature(COLUMN, params=[{"type": "long"}]), r"params\[0\].name must be a text"),
        (
            signature(COLUMN, params=[{"name": "p", "dtype": "x"}]),
            r"params\[0\] \('p'\) has the ty",
        ),
    ],
)
def test_a_signature_that_cannot_be_used_is_refused_by_its_place(given, fault):
    with pytest.raises(errors.InvalidRequestError, match=fault):
        contract_of_signature(given)


def test_endless_nesting_is_refused():
    nested = {"type": "long"}
    for _ in range(60):
        nested = {"type": "array", "items": nested}
    with pytest.raises(errors.InvalidRequestError, match="nested too deep, or contains itself"):
        contract_of_signature(signature(nested))


def document(request, reply=None, **components):
    post = {"requestBody": {"content": {"application/json": {"schema": request}}}}
    post["responses"] = {"200": {"content": {"application/json": {"schema": reply or {}}}}}
    return {
        "openapi": "3.1.0",
        "paths": {"/x": {"post": post}},
        "components": {"schemas": components},
    }


RECORDS = obj(dataframe_records=array(obj(a={"type": "integer"})))


@pytest.mark.parametrize(
    ("schema", "expected", "nullable"),
    [
        ({"type": "integer"}, WHOLE, False),
        ({"type": ["number", "null"]}, NUMBER, True),
        ({"type": "number", "nullable": True}, NUMBER, True),
        ({"type": "string", "format": "date-time"}, Scalar("datetime"), False),
        ({"type": "string", "format": "byte"}, Scalar("binary"), False),
        ({"type": "string", "format": "uri"}, TEXT, False),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, TEXT, True),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, Anything(), False),
        ({"type": ["string", "integer"]}, Anything(), False),
        ({}, Anything(), False),
        ({"items": {"type": "string"}}, List(TEXT), False),
        ({"type": "array"}, List(Anything()), False),
        ({"type": "array", "items": {"type": ["string", "null"]}}, List(Anything()), False),
        ({"type": "object"}, Map(Anything()), False),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, Map(WHOLE), False),
        (
            {"properties": {"b": {"type": "string"}}, "required": ["b"]},
            Record((Field("b", TEXT),)),
            False,
        ),
    ],
)
def test_types_of_json_schema(schema, expected, nullable):
    row = {**obj(a=schema), "required": ["a"]}
    inputs = contract_of_openapi(document(obj(dataframe_records=array(row)))).inputs
    field = Field("a", expected, required=True, nullable=nullable)
    assert inputs == Rows(Record((field,)), "dataframe_records")


def test_a_split_form_alone_lists_columns_and_cells():
    split = obj(
        columns=array({"type": "string", "enum": ["a", "b"]}),
        data=array(
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": ["number", "null"]}]}
        ),
    )
    inputs = contract_of_openapi(document(obj(dataframe_split=split))).inputs
    second = Field("b", NUMBER, required=False, nullable=True)
    assert inputs == Rows(Record((Field("a", WHOLE), second)))


def test_tensors_of_a_document():
    def inputs(**properties):
        return contract_of_openapi(document(obj(**properties))).inputs

    nested = array(array({"type": "number"}))
    assert inputs(inputs=nested) == Tensors((Tensor("number", (-1, -1)),))
    named = obj(a=nested, b=array({"type": "string"}))
    assert inputs(inputs=named) == Tensors(
        (Tensor("number", (-1, -1), "a"), Tensor("string", (-1,), "b"))
    )
    rows = array(obj(a={"type": "integer"}))
    field = Field("a", WHOLE, required=False, nullable=True)
    assert inputs(instances=rows) == Rows(Record((field,)), "instances")
    assert inputs(instances=array({"type": "object"})) == Values(Map(Anything()))


def test_a_document_of_a_chat_model():
    message = obj(role={"type": "string"}, content={"type": "string"})
    request = obj(messages=array(message), max_tokens={"type": "integer"}, mood={"type": "string"})
    found = contract_of_openapi(document(request, obj(choices=array({})))).inputs
    assert isinstance(found, Conversation)
    assert [field.name for field in found.keywords] == ["max_tokens", "mood"]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (document({"type": "no such"}), "the request is no valid schema: 'no such' is not valid"),
        (document(obj(a={"$ref": "#/components/schemas/B"})), "a refers to #/components/schemas/B"),
        (
            document(obj(dataframe_records={"$ref": "#/components/schemas/A"})),
            "dataframe_records refers to #/components/schemas/A, which is not there",
        ),
        (
            document(
                obj(inputs={"$ref": "#/components/schemas/A"}), A={"$ref": "#/components/schemas/A"}
            ),
            "inputs is nested too deep, or contains itself",
        ),
        (
            document(
                obj(inputs={"$ref": "#/components/schemas/A"}),
                A=array({"$ref": "#/components/schemas/A"}),
            ),
            "nested too deep, or contains itself",
        ),
        (document(obj(dataframe_records=array({}))), "dataframe_records lists no columns"),
        (document(obj(dataframe_split=obj(columns={}))), "dataframe_split does not list its col"),
        (document(obj(inputs={})), "inputs is no array of numbers or texts"),
        (document({}), "the request lists neither columns nor tensors nor messages"),
        ({"openapi": "3.1.0", "paths": {"/x": {"post": {}}}}, "the request has no schema"),
        ({"openapi": "3.1.0", "paths": []}, "the document describes no request"),
        ({"openapi": "3.1.0"}, "the document describes no request"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_by_its_place(given, fault):
    with pytest.raises(errors.InvalidRequestError, match=fault):
        contract_of_openapi(given)


def test_columns_that_a_document_leaves_open_follow_those_that_it_lists():
    given = copy.deepcopy(signatures.LAKES)
    given["components"]["schemas"]["Lake"]["properties"]["depth"] = {"type": "number"}
    rows = contract_of_openapi(given).inputs
    assert [field.name for field in rows.record.fields] == ["area", "name", "depth"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MedInc", "MedInc"),
        ("größe", "größe"),
        ("sepal length (cm)", "sepal_length_cm"),
        ("class", "class_"),
        ("1st", "field_1st"),
        ("%", "field"),
        ("field", "field_"),
        ("_id", "id"),
        ("extra", "extra_"),
        ("self", "self_"),
        ("", "field"),
    ],
)
def test_names_of_attributes(name, expected):
    made = python_names([name], "the key")[name]
    assert made.isidentifier()
    assert made in {expected, f"{expected}_"}


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["a", "a"], "the key 'a' occurs twice"),
        (["\ud800"], r"the key '\\ud800' is no text: rename it"),
        (["a b", "a_b"], "the key 'a b' and the key 'a_b' would both be 'a_b' in Python: rename"),
    ],
)
def test_names_that_would_be_one_are_refused(names, fault):
    with pytest.raises(errors.InvalidRequestError, match=fault):
        python_names(names, "the key")


def test_classes_have_names_and_modules_of_their_own():
    inner = Record((Field("x", NUMBER),))
    fields = [Field(name, inner) for name in ("a b", "AB", "ab", "%", "$")]
    found = class_names({"Row": Record(tuple(fields)), "Result": inner})
    assert list(found.values()) == [
        "Row",
        "RowAB",
        "RowAb2",
        "RowAb3",
        "RowField",
        "RowField2",
        "Result",
    ]


def test_packages_are_named_after_endpoints():
    assert package_name("main.ml.Lakes-2") == "main_ml_lakes_2"
    with pytest.raises(errors.InvalidRequestError, match="'1st' is no name of a package"):
        package_name("1st")
