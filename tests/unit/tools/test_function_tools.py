"""Functions as tools: what the model is told, what is read back, and what is refused."""

# ruff: noqa: ARG001 - what a tool is asked for it need not use

import copy
import enum
import inspect
import pickle
import subprocess
import sys
import traceback
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest

from databricks_serving import FunctionTool, ServingClient, tool
from databricks_serving.errors import ConfigError, InvalidRequestError
from databricks_serving.models import Tool


class Unit(enum.Enum):
    METRE = "m"
    FOOT = "ft"


@dataclass
class Place:
    """A place at sea.

    Attributes:
        name: Its name on the chart.
    """

    name: str
    depth: Annotated[float, msgspec.Meta(ge=0), "in metres"] = 0.0


class Boat(pydantic.BaseModel):
    name: str
    length: int = pydantic.Field(ge=1, description="in metres")


@tool
def tide(port: str, day: Literal["today", "tomorrow"] = "today", unit: Unit = Unit.METRE) -> str:
    """Tell the tide at a port.

    Goes by the tables.

    Args:
        port: Its name,
            as sailors write it.
        day: Which day.
    """
    return f"{port} {day} {unit.value}"


def test_a_decorated_function_stays_a_function():
    assert tide("Brest") == "Brest today m"
    assert tide.__name__ == "tide"
    assert "Tell the tide" in tide.__doc__
    assert list(inspect.signature(tide).parameters) == ["port", "day", "unit"]
    assert {tide: 1}[tide] == 1
    assert tide != tool(tide.__wrapped__)


def test_name_descriptions_and_types_come_from_the_function():
    assert isinstance(tide, FunctionTool | Tool)
    assert tide.name == "tide"
    assert tide.description == "Tell the tide at a port.\n\nGoes by the tables."
    assert tide.parameters == {
        "type": "object",
        "properties": {
            "port": {"type": "string", "description": "Its name, as sailors write it."},
            "day": {
                "enum": ["today", "tomorrow"],
                "type": "string",
                "description": "Which day. (default: today)",
            },
            "unit": {"enum": ["m", "ft"], "type": "string", "description": "(default: m)"},
        },
        "required": ["port"],
    }
    assert tide.definition == {
        "type": "function",
        "function": {
            "name": "tide",
            "description": tide.description,
            "parameters": tide.parameters,
        },
    }


def test_the_decorator_takes_a_name_a_description_and_strict():
    @tool(name="ebb", description="The ebb.", strict=True)
    def falling(port: str, days: int = 1, note: str | None = None) -> int:
        return days

    assert falling("Brest", 3) == 3
    assert falling.definition["function"] == {
        "name": "ebb",
        "description": "The ebb.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {
                "port": {"type": "string"},
                "days": {"type": ["integer", "null"], "description": "(default: 1)"},
                "note": {"type": ["string", "null"]},
            },
            "required": ["port", "days", "note"],
            "additionalProperties": False,
        },
    }
    text = '{"port": "Brest", "days": null, "note": null}'
    assert falling.read_arguments(text).named == {"port": "Brest", "note": None}


def test_limits_that_endpoints_refuse_are_said_in_words_and_still_checked():
    @tool
    def sound(
        depth: Annotated[int, msgspec.Meta(ge=0, lt=100, multiple_of=5), "fathoms"],
        name: Annotated[str, msgspec.Meta(pattern="^[A-Z]", max_length=5)],
        marks: Annotated[set[int], msgspec.Meta(min_length=1)],
        at: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        pass

    properties = sound.parameters["properties"]
    said = "fathoms (at least 0; less than 100; a multiple of 5)"
    assert properties["depth"] == {"type": "integer", "description": said}
    assert properties["name"] == {
        "type": "string",
        "maxLength": 5,
        "description": "(matches ^[A-Z])",
    }
    assert properties["marks"]["description"] == "(no two alike; at least 1 items)"
    assert properties["at"]["items"] == {"type": "number"}
    assert "prefixItems" not in str(sound.parameters)
    with pytest.raises(ValueError, match=r"\$\.depth: Expected `int` <= 99"):
        sound.read_arguments('{"depth": 100, "name": "A", "marks": [1]}')
    with pytest.raises(ValueError, match=r"\$\.name: Expected `str` matching regex"):
        sound.read_arguments('{"depth": 5, "name": "a", "marks": [1]}')
    read = sound.read_arguments('{"depth": 5, "name": "A", "marks": [1, 1], "at": [1, 2]}')
    assert read.named == {"depth": 5, "name": "A", "marks": {1}, "at": (1.0, 2.0)}


def test_classes_are_inlined_and_come_back_as_objects():
    @tool
    def moor(place: Place, boat: Place | None = None) -> None:
        pass

    assert "$ref" not in str(moor.parameters)
    assert "$defs" not in str(moor.parameters)
    assert moor.parameters["properties"]["place"] == {
        "description": "A place at sea.",
        "type": "object",
        "properties": {
            "name": {"description": "Its name on the chart.", "type": "string"},
            "depth": {"type": "number", "description": "in metres (at least 0; default: 0.0)"},
        },
        "required": ["name"],
    }
    assert moor.parameters["properties"]["boat"]["type"] == "object"
    read = moor.read_arguments('{"place": {"name": "Iroise", "depth": 3}}')
    assert read.named == {"place": Place("Iroise", 3.0)}


def test_pydantic_models_are_read_by_pydantic():
    @tool
    def hire(boat: Boat, days: int = 1) -> None:
        pass

    length = hire.parameters["properties"]["boat"]["properties"]["length"]
    assert length == {"type": "integer", "description": "in metres (at least 1)"}
    assert hire.read_arguments('{"boat": {"name": "Ara", "length": 9}}').named == {
        "boat": Boat(name="Ara", length=9)
    }
    with pytest.raises(ValueError, match=r"\$\.boat\.length: Input should be greater than or"):
        hire.read_arguments('{"boat": {"name": "Ara", "length": 0}}')


class Harbour:
    name = "Brest"

    def berth(self, number: int, /, *, night: bool) -> str:
        """Take a berth."""
        return f"{self.name} {number} {night}"

    def __call__(self, port: str) -> str:
        """Ask the harbour."""
        return port


def test_bound_methods_partials_and_objects_are_functions_too():
    berth = tool(Harbour().berth)
    assert (berth.name, berth.description) == ("berth", "Take a berth.")
    read = berth.read_arguments('{"number": 4, "night": true}')
    assert (read.positional, read.named) == ([4], {"night": True})
    half = tool(partial(tide.__wrapped__, unit=Unit.FOOT))
    assert (half.name, list(half.parameters["properties"])) == ("tide", ["port", "day"])
    assert half("Brest") == "Brest today ft"
    asked = tool(Harbour())
    assert (asked.name, asked.description) == ("Harbour", "Ask the harbour.")
    assert tool(lambda: 1, name="one").parameters == {
        "type": "object",
        "properties": {},
        "required": [],
    }


async def asked(port: str) -> str:
    return port


class Asked:
    async def __call__(self, port: str) -> str:
        return port


@pytest.mark.parametrize(
    "function", [asked, partial(asked), Asked()], ids=["def", "partial", "obj"]
)
def test_async_functions_are_known_as_such(function):
    assert tool(function, name="asked").is_async
    assert not tide.is_async


def no_type(port):
    pass


def one_without(port: str, day=1):
    pass


def many(*ports: str):
    pass


def named(**ports: str):
    pass


def strange(port: list[complex]):
    pass


class Node:
    pass


@dataclass
class Chain:
    next: "Chain | None" = None


def linked(chain: Chain):
    pass


def unknown(port: "Nowhere"):  # noqa: F821 - the point
    pass


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (no_type, r"no_type\(port\): a parameter of a tool needs a type, such as port: str$"),
        (one_without, r"one_without\(day\): a parameter of a tool needs a type"),
        (Harbour.berth, r"berth\(self\): .*; pass the bound method instead"),
        (many, r"many\(\*ports\): a tool takes named parameters only"),
        (named, r"named\(\*\*ports\): a tool takes named parameters only"),
        (strange, r"strange\(port\)\[\]: complex has no JSON form"),
        (linked, r"linked\.chain\.next: Chain refers to itself, which no tool can"),
        (unknown, r"unknown: its annotations cannot be read: name 'Nowhere' is not defined"),
        (lambda: 1, r"the name of a tool has .* not '<lambda>'; give it one with tool\(name=...\)"),
        ("tide", r"tool takes a function, not str"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_can_be_no_tool_is_refused_by_name(function, message):
    with pytest.raises(InvalidRequestError, match=message):
        tool(function)


@pytest.mark.parametrize("name", ["", "a b", "a" * 65, "tidé"])
def test_a_name_that_endpoints_refuse_is_refused(name):
    with pytest.raises(InvalidRequestError, match="the name of a tool has letters"):
        tool(tide.__wrapped__, name=name)


def test_strict_tools_have_closed_objects_only():
    def note(text: str, labels: dict[str, str]) -> None:
        pass

    assert tool(note).parameters["properties"]["labels"] == {
        "type": "object",
        "additionalProperties": {"type": "string"},
    }
    with pytest.raises(InvalidRequestError, match=r"note\.labels: an object with keys of any name"):
        tool(note, strict=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", r"do not fit: \$: Expected `object`"),
        ('{"port"', "the arguments are not JSON"),
        ("{}", r"the argument `port` is missing"),
        ('{"port": 1}', r"\$\.port: Expected `str`, got `int`"),
        ('{"port": "a", "unit": "yard"}', r"\$\.unit: Invalid enum value 'yard'"),
        ('{"port": "a", "sea": 1}', r"no argument `sea`; there are: port, day, unit"),
        ("", "the argument `port` is missing"),
        (None, "the argument `port` is missing"),
    ],
)
def test_arguments_that_do_not_fit_are_named_for_the_model(text, message):
    with pytest.raises(ValueError, match=message):
        tide.read_arguments(text)


def test_anything_may_be_a_parameter_that_takes_anything():
    @tool
    def keep(what: Any) -> None:
        pass

    assert keep.parameters["properties"]["what"] == {}
    assert keep.read_arguments('{"what": [1]}').named == {"what": [1]}


def test_a_missing_library_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "msgspec.inspect", None)
    for name in ("msgspec", "pydantic"):
        monkeypatch.setitem(sys.modules, name, None)

    def late(port: str) -> str:
        return port

    with pytest.raises(ConfigError, match=r"needs msgspec: pip install 'databricks-serving\[str"):
        tool(late)


def test_a_tool_of_pydantic_models_needs_no_msgspec():
    code = """
import sys
sys.modules["msgspec"] = sys.modules["msgspec.inspect"] = None
import pydantic
from databricks_serving import tool
class Boat(pydantic.BaseModel):
    name: str
@tool
def hire(boat: Boat, days: int): pass
print(hire.read_arguments('{"boat": {"name": "Ara"}, "days": 2}').named["boat"].name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "Ara\n"


def test_create_takes_a_function_tool_as_it_is():
    import httpx  # noqa: PLC0415 - a transport for one test

    sent = []

    def answer(request):
        sent.append(request.content)
        message = {"role": "assistant", "content": "Low."}
        return httpx.Response(200, json={"choices": [{"index": 0, "message": message}]})

    transport = httpx.MockTransport(answer)
    with ServingClient("https://w.example.com", "t", transport=transport) as client:
        user = [{"role": "user", "content": "Tide?"}]
        client.chat.completions.create(model="m", messages=user, tools=[tide])
    assert b'"name":"tide"' in sent[0]


def test_a_tool_is_copied_and_pickled_as_a_function_is(monkeypatch):
    assert copy.copy(tide) is copy.deepcopy([tide])[0] is tide
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__, Here()))
    assert pickle.loads(pickle.dumps(tide)) is tide  # noqa: S301 - our own
    assert copy.copy(tool(partial(tide.__wrapped__, "Brest"))).name == "tide"


class Here:
    tide = tide


def plain(port: str) -> str:
    return port


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tools": [tide, plain]}, r"tools\[1\] is a function: run_tools\(\) takes one; here pass"),
        ({"response_format": Place}, r"response_format is a type: parse\(\) takes one"),
        ({"response_format": list[Place]}, r"response_format is a type: parse\(\) takes one"),
    ],
    ids=["function", "class", "alias"],
)
def test_create_says_what_takes_functions_and_types(given, message):
    user = [{"role": "user", "content": "Tide?"}]
    with (
        ServingClient("https://w.example.com", "t") as client,
        pytest.raises(InvalidRequestError, match=message),
    ):
        client.chat.completions.create(model="m", messages=user, **given)


def test_results_need_no_msgspec_where_pydantic_is():
    code = """
import sys, datetime
sys.modules["msgspec"] = None
import pydantic
from databricks_serving._core.tools.results import content_of
class Boat(pydantic.BaseModel):
    name: str
print(content_of([Boat(name="Ara"), datetime.date(2026, 1, 2), {1}]))
try:
    content_of(object())
except TypeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == '[{"name":"Ara"},"2026-01-02",[1]]'
    assert "object" in second


def untyped(port): ...


@pytest.mark.parametrize("decorator", [tool, tool(name="tide")])
def test_what_cannot_be_a_tool_is_told_without_our_frames(decorator):
    with pytest.raises(InvalidRequestError) as caught:
        decorator(untyped)
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [frame.filename for frame in frames] == [__file__]
