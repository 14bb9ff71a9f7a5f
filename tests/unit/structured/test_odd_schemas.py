"""Types and schemas out of the ordinary, and answers that must not show in errors."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

import jsonschema
import msgspec
import pydantic
import pytest
from pydantic_core import PydanticCustomError

from databricks_serving._core.structured.answer import AnswerType
from databricks_serving._core.structured.converters import name_of
from databricks_serving._core.structured.misfit import MisfitError
from databricks_serving.errors import InvalidRequestError

SECRET = "swordfish"
TOWN = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


class Left(msgspec.Struct, tag=True):
    a: int


class Right(msgspec.Struct, tag=True):
    b: int


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]
    id: UUID | None = None


class Pet(pydantic.BaseModel):
    pet: Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]


class Owned(pydantic.BaseModel):
    id: UUID


class Own(pydantic.BaseModel):
    name: str

    @pydantic.field_validator("name")
    @classmethod
    def refuse(cls, value):
        raise PydanticCustomError("own", "not {value}", {"value": value})


class Fails(pydantic.BaseModel):
    name: str

    @pydantic.field_validator("name")
    @classmethod
    def refuse(cls, value):
        raise KeyError(value)


@dataclass
class Plain:
    name: str

    def __post_init__(self) -> None:
        raise KeyError(self.name)


def read(hint, value):
    return AnswerType(hint, None)._object(json.dumps(value))


@pytest.mark.parametrize(
    ("hint", "value", "path"),
    [
        (Left | Right, {"value": {"type": SECRET, "a": 1}}, "$.type"),
        (Pet, {"pet": {"kind": SECRET}}, "$.pet"),
        (Owned, {"id": SECRET}, "$.id"),
        (Own, {"name": SECRET}, "$.name"),
        (Fails, {"name": SECRET}, "$"),
        (Plain, {"name": SECRET}, "$"),
    ],
)
def test_an_error_says_where_and_never_what_the_model_wrote(hint, value, path):
    with pytest.raises(MisfitError) as caught:
        read(hint, value)
    error = caught.value
    assert error.path == path
    # The character at which a UUID is none is a part of it as well.
    assert SECRET not in str(error)
    assert "found `" not in str(error)
    assert error.__cause__ is error.__context__ is None


def test_a_key_that_does_not_fit_is_told_from_a_value():
    with pytest.raises(MisfitError) as caught:
        read(dict[int, int], {SECRET: 1})
    assert str(caught.value) == "$: Expected `int`, got `str` for a key"


@pytest.mark.parametrize("keyword", ["$defs", "definitions"])
def test_a_list_of_what_a_schema_defines_is_a_key_of_an_object(keyword):
    schema = {keyword: {"Town": TOWN}, "type": "array", "items": {"$ref": f"#/{keyword}/Town"}}
    form = AnswerType(schema, None).response_format["json_schema"]["schema"]
    jsonschema.validate({"items": [{"name": "Turin"}]}, form)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"items": [{"name": 1}]}, form)
    assert read(schema, {"items": [{"name": "Turin"}]}) == [{"name": "Turin"}]


def test_a_list_that_holds_itself_is_told_from_the_object_around_it():
    schema = {"type": "array", "items": {"$ref": "#"}}
    form = AnswerType(schema, None).response_format["json_schema"]["schema"]
    jsonschema.validate({"items": [[], [[]]]}, form)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"items": [{"items": []}]}, form)
    assert read(schema, {"items": [[], [[]]]}) == [[], [[]]]


@pytest.mark.parametrize(
    ("schema", "match"),
    [
        ({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}, "refers to itself"),
        ({"$ref": "https://example.com/town"}, "which it refers to"),
        ({"type": "object", "properties": 5}, "no JSON Schema"),
        ({"name": "town", "schema": TOWN}, "the JSON Schema itself"),
        ({"type": "object", "properties": {"x": {"enum": 5}}}, "no JSON Schema"),
    ],
)
def test_a_dict_that_is_no_schema_is_refused(schema, match):
    with pytest.raises(InvalidRequestError, match=match):
        AnswerType(schema, None)


def test_a_pattern_of_another_language_is_left_to_the_model():
    schema = {"type": "object", "properties": {"x": {"type": "string", "pattern": r"\p{Lu}+"}}}
    assert read(schema, {"x": "ABC"}) == {"x": "ABC"}


def test_a_schema_that_may_be_null_is_asked_for_as_it_is():
    schema = {"type": ["object", "null"], "properties": {"x": {"type": "string"}}}
    assert read(schema, {"x": "y"}) == {"x": "y"}


@pytest.mark.parametrize(
    ("hint", "value", "read_back"),
    [
        (int, 2.0, 2),
        (int | None, 2.0, 2),
        (dict[str, list[int]], {"a": [1.0, 2]}, {"a": [1, 2]}),
        (float | int, 2.0, 2.0),
        (Any, 2.0, 2.0),
    ],
)
def test_whole_numbers_may_be_written_with_a_point(hint, value, read_back):
    form = AnswerType(hint, None)
    found = read(hint, value if form.key is None else {form.key: value})
    assert (repr(found), found) == (repr(read_back), read_back)


def test_a_number_that_is_not_whole_is_no_int():
    with pytest.raises(MisfitError, match=r"^\$: Expected `int`, got `float`$"):
        read(int, {"value": 2.5})


def test_types_without_a_name_of_their_own_are_answers():
    named = [name_of(hint) for hint in (Plain | None, int | str, Annotated[Plain, "a plain"])]
    assert named == ["answer", "answer", "Plain"]
