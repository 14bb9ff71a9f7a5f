"""Types as JSON Schema, and JSON as objects of these types."""

import datetime as dt
import enum
import json
import uuid
from dataclasses import dataclass, field, make_dataclass
from decimal import Decimal
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NotRequired,
    Optional,
    TypedDict,
    TypeVar,
)

import attrs
import chance as chance_of
import jsonschema
import msgspec
import pydantic
import pytest

from databricks_serving._core.structured.converters import converter_of, name_of
from databricks_serving._core.structured.form import Form
from databricks_serving._core.structured.misfit import MisfitError
from databricks_serving._core.structured.plain import to_plain
from databricks_serving.errors import InvalidRequestError

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Spot(NamedTuple):
    x: float
    y: float


class Options(TypedDict):
    size: int
    note: NotRequired[Annotated[str, "a note"]]


@attrs.define
class Part:
    name: str
    count: int = 1


class Round(msgspec.Struct, tag=True):
    radius: float


class Square(msgspec.Struct, tag=True, rename="camel"):
    side_length: float


@dataclass
class Tree:
    value: int
    branches: "list[Tree]" = field(default_factory=list)


@dataclass
class Box(Generic[T]):
    content: T


class Wheel(pydantic.BaseModel):
    size: int = pydantic.Field(ge=1, description="in inches")
    kind: Literal["wood", "steel"] = "wood"


class Cart(pydantic.BaseModel):
    wheels: list[Wheel]
    owner: str | None = None
    next: Optional["Cart"] = None


@dataclass
class Train:
    carts: list[Cart]


ROUND_TRIPS = [
    (int, 3),
    (Any, {"a": [1]}),
    (str | None, None),
    (Annotated[str, "a name"], "x"),
    (Literal["a", 2] | None, 2),
    (Colour, Colour.BLUE),
    (Level, Level.HIGH),
    (Spot, Spot(1.0, 2.5)),
    (Options, {"size": 2}),
    (Part, Part("bolt", 4)),
    (Round | Square, Square(2.0)),
    (list[Round | Square | None], [Round(1.0), None]),
    (Tree, Tree(1, [Tree(2), Tree(3, [Tree(4)])])),
    (Box[int], Box(3)),
    (dict[str, Part], {"a": Part("nut")}),
    (dict[int, str], {1: "a"}),
    (tuple[int, str], (1, "a")),
    (tuple[int, ...], (1, 2)),
    (frozenset[str], frozenset({"a"})),
    (dt.datetime, dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)),
    (dt.date, dt.date(2026, 1, 2)),
    (dt.time, dt.time(3, 4, tzinfo=dt.UTC)),
    (dt.timedelta, dt.timedelta(hours=1)),
    (uuid.UUID, uuid.UUID(int=7)),
    (Decimal, Decimal("1.50")),
    (bytes, b"abc"),
    (float, 1.5),
    (Wheel, Wheel(size=2)),
    (list[Wheel], [Wheel(size=2, kind="steel")]),
    (Cart, Cart(wheels=[], next=Cart(wheels=[Wheel(size=1)]))),
    (Train, Train([Cart(wheels=[])])),
]


def sent(hint, *, strict=None, tool=False):
    converter = converter_of(hint, name_of(hint))
    return converter, Form.of(converter.schema, name_of(hint), strict=strict, tool=tool)


@pytest.mark.parametrize(("hint", "value"), ROUND_TRIPS, ids=lambda v: str(v)[:40])
@pytest.mark.parametrize("strict", [None, False])
def test_an_object_fits_its_schema_and_comes_back_equal(hint, value, strict):
    converter, form = sent(hint, strict=strict)
    jsonschema.Draft202012Validator.check_schema(form.schema)
    written = json.loads(json.dumps(to_plain(value)))
    filled = with_nulls(written, form.schema, form.schema) if form.strict else written
    jsonschema.validate(filled, form.schema)
    assert form.read(filled, converter.read) == value


def with_nulls(value, schema, root):
    """Write what strict mode has models write: null for what they leave out."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    if isinstance(value, list):
        return [with_nulls(one, schema.get("items", {}), root) for one in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    return {key: with_nulls(value.get(key), one, root) for key, one in schema["properties"].items()}


@pytest.mark.parametrize("hint", [Part, Options, Tree, Cart, list[Wheel], Round | Square])
def test_strict_schemas_are_closed_and_whole(hint):
    _, form = sent(hint, strict=True)
    objects = []

    def walk(node):
        if isinstance(node, dict):
            if node.get("type") in ("object", ["object", "null"]):
                objects.append(node)
            for one in node.values():
                walk(one)
        elif isinstance(node, list):
            for one in node:
                walk(one)

    walk(form.schema)
    assert objects
    for one in objects:
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])


def test_what_may_be_left_out_is_nullable_where_everything_is_required():
    converter, form = sent(Part, strict=True)
    assert form.schema["properties"]["count"]["type"] == ["integer", "null"]
    assert form.read({"name": "nut", "count": None}, converter.read) == Part("nut", 1)
    assert form.read({"name": "nut", "count": 3}, converter.read) == Part("nut", 3)
    with pytest.raises(MisfitError):
        form.read({"name": None, "count": 3}, converter.read)


@pytest.mark.parametrize("hint", [dict[str, int], Any, list[dict[str, Any]], Box[dict[str, int]]])
def test_what_has_no_strict_form_is_loose_unless_strict_is_asked_for(hint):
    assert not sent(hint)[1].strict
    with pytest.raises(InvalidRequestError, match="has no strict form; use strict=False"):
        sent(hint, strict=True)


def test_recursive_types_keep_their_definitions_in_answers_alone():
    _, form = sent(Tree)
    assert list(form.schema["$defs"]) == ["Tree"]
    assert form.schema["type"] == "object"
    with pytest.raises(InvalidRequestError, match=r"Tree\.branches\[\]: Tree refers to itself"):
        sent(Tree, tool=True)


def test_patterns_are_never_sent_and_always_checked():
    code = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", description="a code")]
    converter, form = sent(code, strict=False)
    assert form.schema == {"type": "string", "description": "a code (matches ^[A-Z]{3}$)"}
    with pytest.raises(MisfitError, match="matching regex"):
        converter.read("abc")


def test_texts_below_fields_describe_them(tmp_path, monkeypatch):
    (tmp_path / "ships.py").write_text(
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class Ship:\n"
        '    """A ship."""\n'
        "    name: str\n"
        '    """Painted on the bow."""\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    import ships  # noqa: PLC0415 - made above

    _, form = sent(ships.Ship)
    assert form.schema["description"] == "A ship."
    assert form.schema["properties"]["name"]["description"] == "Painted on the bow."


@dataclass
class Bad:
    fine: int
    parts: list[dict[str, complex]]


@dataclass
class Either:
    one: Part | Box[int]


class Bag(pydantic.BaseModel, arbitrary_types_allowed=True):
    thing: complex
    other: object = None


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        (Bad, r"Bad\.parts\[\]\[\.\.\.\]: complex has no JSON form"),
        (Either, r"Either\.one: nothing tells Part \| .* apart; make them msgspec.Struct classes"),
        (list[type], r"list\[\]: type has no JSON form"),
    ],
)
def test_a_type_without_a_json_form_is_refused_by_its_field(hint, message):
    with pytest.raises(InvalidRequestError, match=message):
        converter_of(hint, name_of(hint))


def test_a_pydantic_model_without_a_schema_is_refused():
    class Odd(pydantic.BaseModel, arbitrary_types_allowed=True):
        thing: Spotless

    with pytest.raises(InvalidRequestError, match=r"^Odd: "):
        converter_of(Odd, "Odd")


class Spotless:
    pass


@dataclass
class Adult:
    age: int

    def __post_init__(self):
        if self.age < 18:
            raise ValueError(f"{self.age} is too young")


class Senior(pydantic.BaseModel):
    age: int

    @pydantic.field_validator("age")
    @classmethod
    def old(cls, age):
        if age < 65:
            raise ValueError(f"{age} is too young")
        return age


@pytest.mark.parametrize(
    ("hint", "value", "path", "expected", "detail"),
    [
        (list[Part], [{"name": 7}], "$[0].name", "Expected `str`, got `int`", "got `int`"),
        (Part, {}, "$", "Object missing required field `name`", "`name`"),
        (list[Colour], ["green"], "$[0]", "Expected one of the values of its type", "'green'"),
        (Adult, {"age": 7}, "$", "its class refuses it (ValueError)", "7 is too young"),
        (Senior, {"age": 7}, "$.age", "its class refuses it", "7 is too young"),
        (
            Cart,
            {"wheels": [{"size": "x"}]},
            "$.wheels[0].size",
            "Input should be a valid int",
            "$.",
        ),
    ],
)
def test_a_misfit_names_the_place_and_hides_the_value(hint, value, path, expected, detail):
    with pytest.raises(MisfitError) as caught:
        converter_of(hint, "T").read(value)
    error = caught.value
    assert error.path == path
    assert expected in error.expected
    assert detail in error.detail
    assert "green" not in str(error)
    assert "7" not in str(error)


# ---------------------------------------------------------------- schemas as dicts

SCHEMA = {
    "title": "River 1",
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Z]", "minLength": 2},
        "length": {"type": "number", "minimum": 0, "exclusiveMaximum": 10000, "multipleOf": 0.5},
        "kind": {"enum": ["river", "stream"]},
        "mouth": {"anyOf": [{"$ref": "#/$defs/place"}, {"type": "null"}]},
        "towns": {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "maxItems": 3},
        "fixed": {"const": 1},
    },
    "required": ["name"],
    "additionalProperties": False,
    "$defs": {"place": {"type": "object", "properties": {"x": {"type": "integer"}}}},
}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], r"\$: Expected object"),
        ({}, r"\$: Object missing required field `name`"),
        ({"name": "a", "x": 1}, r"\$.*"),
        ({"name": "po"}, r"\$\.name: Expected a text that matches \^\[A-Z\]"),
        ({"name": "P"}, r"\$\.name: Expected at least 2 of length"),
        ({"name": "Po", "length": -1}, r"\$\.length: Expected at least 0"),
        ({"name": "Po", "length": 10000}, r"\$\.length: Expected less than 10000"),
        ({"name": "Po", "length": 1.2}, r"\$\.length: Expected a multiple of 0.5"),
        ({"name": "Po", "length": True}, r"\$\.length: Expected number"),
        ({"name": "Po", "kind": "lake"}, r"\$\.kind: Expected one of the listed values"),
        ({"name": "Po", "mouth": 3}, r"\$\.mouth: Expected one of the 2 variants"),
        ({"name": "Po", "towns": ["a", "a"]}, r"\$\.towns: Expected no two items alike"),
        ({"name": "Po", "towns": list("abcd")}, r"\$\.towns: Expected at most 3 of length"),
        ({"name": "Po", "towns": [1]}, r"\$\.towns\[0\]: Expected string"),
        ({"name": "Po", "fixed": True}, r"\$\.fixed: Expected the fixed value"),
        ({"name": "Po", "other": 1}, r"\$: Object contains unknown field `other`"),
    ],
)
def test_a_schema_as_a_dict_is_checked_on_the_way_back(value, message):
    converter = converter_of(SCHEMA, "river")
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(value)
    with pytest.raises(MisfitError, match=message):
        converter.read(value)
    good = {"name": "Po", "length": 652, "mouth": {"x": 1}, "towns": ["a"], "fixed": 1}
    assert converter.read(good) == good


def test_a_schema_as_a_dict_is_made_fit_and_left_as_it_was():
    before = json.dumps(SCHEMA)
    _, form = sent(SCHEMA)
    assert json.dumps(SCHEMA) == before
    text = json.dumps(form.schema)
    assert not any(word in text for word in ("$ref", '"pattern"', "uniqueItems", "title"))
    assert form.strict
    assert name_of(SCHEMA) == "River_1"


@pytest.mark.parametrize(
    ("others", "strict"), [(None, True), (False, True), (True, False), ({"type": "integer"}, False)]
)
def test_an_object_that_takes_other_keys_has_no_strict_form(others, strict):
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema |= {} if others is None else {"additionalProperties": others}
    assert sent(schema)[1].strict is strict


def test_a_schema_may_refer_to_itself_and_list_anything():
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}, "any": {"enum": [[], 1]}}}
    converter, form = sent(schema)
    jsonschema.Draft202012Validator.check_schema(form.schema)
    value = {"next": {"next": None, "any": 1}, "any": []}
    jsonschema.validate(value, form.schema)
    assert form.read(value, converter.read) == {"next": {"any": 1}, "any": []}


def test_a_reference_into_nowhere_is_refused():
    with pytest.raises(InvalidRequestError, match=r"has no '#/\$defs/x', which it refers to"):
        sent({"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}})


def test_parts_of_all_of_are_joined():
    schema = {
        "allOf": [
            {"$ref": "#/$defs/a"},
            {"properties": {"y": {"type": "string"}}, "required": ["y"]},
        ],
        "$defs": {
            "a": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
        },
    }
    converter, form = sent(schema, strict=True)
    assert form.schema["required"] == ["x", "y"]
    with pytest.raises(MisfitError, match=r"`x`"):
        converter.read({"y": "a"})


# ---------------------------------------------------------------- random types

SCALARS = [
    (int, lambda c: c.randrange(-9, 9)),
    (str, lambda c: c.choice(["", "a", "é\n"])),
    (bool, lambda c: c.random() < 0.5),
    (float, lambda c: c.choice([0.5, -2.0, 1e9])),
    (Colour, lambda c: c.choice(list(Colour))),
    (Literal["x", "y"], lambda c: c.choice(["x", "y"])),
    (dt.date, lambda c: dt.date(2026, 1, c.randrange(1, 29))),
    (Decimal, lambda c: Decimal(c.randrange(999)) / 100),
    (uuid.UUID, lambda c: uuid.UUID(int=c.getrandbits(128))),
    (Spot, lambda c: Spot(c.random(), c.random())),
]


def some_type(chance, depth):
    """Return a type, and what makes a value of it."""
    if depth > 3 or chance.random() < 0.4:
        return chance.choice(SCALARS)
    inner, make = some_type(chance, depth + 1)
    match chance.choice(["list", "dict", "optional", "tuple", "class", "class"]):
        case "list":
            return list[inner], lambda c: [make(c) for _ in range(c.randrange(3))]
        case "dict":
            return dict[str, inner], lambda c: {k: make(c) for k in "ab"[: c.randrange(3)]}
        case "optional":
            return inner | None, lambda c: None if c.random() < 0.3 else make(c)
        case "tuple":
            return tuple[inner, int], lambda c: (make(c), 1)
    return some_class(chance, depth)


def some_class(chance, depth=0):
    parts = {f"f{n}": some_type(chance, depth + 1) for n in range(chance.randrange(1, 5))}
    needed = {name: chance.random() < 0.6 for name in parts}
    fields = [(name, kind) for name, (kind, _) in parts.items() if needed[name]]
    for name, (kind, make) in parts.items():
        if not needed[name]:
            default = make(chance)
            fields.append((name, kind, field(default_factory=lambda value=default: value)))
    cls = make_dataclass(f"C{depth}", fields)
    return cls, lambda c: cls(
        **{n: m(c) for n, (_, m) in parts.items() if needed[n] or c.random() < 0.5}
    )


@pytest.mark.parametrize("seed", range(80))
def test_values_of_random_classes_fit_and_come_back(seed):
    chance = chance_of.source(seed)
    cls, make = some_class(chance)
    converter = converter_of(cls, "C")
    forms = [
        Form.of(converter.schema, "C", strict=s, tool=t)
        for s in (None, False)
        for t in (True, False)
    ]
    for form in forms:
        jsonschema.Draft202012Validator.check_schema(form.schema)
        for _ in range(5):
            value = make(chance)
            written = json.loads(json.dumps(to_plain(value)))
            if not form.strict and form is not forms[2]:
                jsonschema.validate(written, form.schema)
            assert form.read(written, converter.read) == value
    text = json.dumps(forms[0].schema) + json.dumps(forms[2].schema)
    refused = ("$ref", '"pattern"', "minItems", "maxItems", "uniqueItems", "prefixItems", "minimum")
    assert not any(f'"{word}"' in text for word in refused)
