"""The module `client` of a package for a custom model."""

from dataclasses import dataclass

from databricks_serving.contract.endpoint.calls import Call, call_of
from databricks_serving.contract.endpoint.document import Places, shape_of
from databricks_serving.contract.endpoint.talk import talking_module
from databricks_serving.contract.endpoint.text import (
    RAISES,
    Module,
    annotation,
    docstring,
    keyword_documents,
    keyword_names,
    keyword_parameters,
    keyword_values,
    one_line,
)
from databricks_serving.contract.endpoint.types import (
    Contract,
    Conversation,
    List,
    Outputs,
    Record,
    Rows,
    Scalar,
    Type,
    Values,
)

_IMPORTS = """
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias, TypedDict, Unpack

from databricks_serving import AsyncServingClient, CallOptions, Prediction, ServingClient
from databricks_serving.contract import runtime
from databricks_serving.params import FrameLike
"""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a function returns, and the source of what reads it."""

    returns: str
    constants: str = ""
    source: str = ""


def roots_of(contract: Contract) -> dict[str, Type]:
    """Return the types whose objects become classes, by the first words of their names."""
    roots: dict[str, Type] = {}
    if isinstance(contract.inputs, Rows):
        roots["Row"] = contract.inputs.record
    elif isinstance(contract.inputs, Values):
        roots["Row"] = contract.inputs.item
    if contract.outputs is not None:
        roots["Result"] = contract.outputs.type
    return roots


def client_module(contract: Contract, classes: Places, endpoint: str | None) -> Module:
    """Write the module.

    Args:
        contract: What the model takes and gives.
        classes: The names of the classes for its objects.
        endpoint: The endpoint that is called unless another one is named; if None, each call has
            to name one.

    Raises:
        InvalidRequestError: When two parameters would have the same name.
    """
    if isinstance(contract.inputs, Conversation):
        return talking_module(contract.inputs, contract.params, endpoint)
    call = call_of(contract.inputs, classes)
    reading = _reading(contract.outputs, classes)
    functions = [
        _function(contract, call, reading, endpoint, asynchronous=asynchronous)
        for asynchronous in (False, True)
    ]
    models = f"from .models import {', '.join(sorted(classes.values()))}\n" if classes else ""
    named = f"ENDPOINT: Final = {endpoint!r}\n" if endpoint else ""
    parts = [
        f'"""{_head(endpoint)}"""\n{_IMPORTS}{models}',
        f"{named}{call.constants}{reading.constants}",
        *functions,
        reading.source,
    ]
    names = ["predict", "predict_async", *call.names]
    names += ["read"] if reading.source else []
    return Module("\n\n".join(parts), (*names, *(["ENDPOINT"] if endpoint else [])))


def _head(endpoint: str | None) -> str:
    return f"Typed calls of {f'the endpoint {one_line(endpoint)}' if endpoint else 'a model'}."


def _function(
    contract: Contract, call: Call, reading: _Reading, endpoint: str | None, *, asynchronous: bool
) -> str:
    names = keyword_names(contract.params)
    prefix, suffix, client, wait = (
        ("async ", "_async", "AsyncServingClient", "await ")
        if asynchronous
        else ("", "", "ServingClient", "")
    )
    arguments = [
        f"client: {'An asynchronous' if asynchronous else 'A'} client.",
        call.said,
        "endpoint: Name of the endpoint.",
        *keyword_documents(contract.params, names),
        "**options: The options of every call, documented on `CallOptions`.",
    ]
    summary = f"Have the model predict{', as `predict` does' if asynchronous else ''}."
    params = keyword_values(contract.params, names)
    given = f"params=runtime.given({params}), " if contract.params else ""
    asked = f"{wait}client.predict(endpoint, {call.argument}, {given}**options)"
    return f"""\
{prefix}def predict{suffix}(
    client: {client}, {call.parameter}, *, endpoint: str{" = ENDPOINT" if endpoint else ""},
    {keyword_parameters(contract.params, names)}**options: Unpack[CallOptions],
) -> {reading.returns}:
    {docstring(summary, arguments, RAISES)}
    {f"return read({asked})" if reading.source else f"return {asked}"}
"""


def _reading(outputs: Outputs | None, classes: Places) -> _Reading:
    if outputs is None:
        return _Reading("Prediction")
    kind: Type = List(outputs.type) if outputs.each else outputs.type
    place = ("Result",)
    returns = annotation(outputs.type, place, classes)
    returns = f"list[{returns}]" if outputs.each else returns
    shape = shape_of(kind)
    value = "runtime.read(prediction, _REPLY)"
    converted = _converted(kind, "value", place, classes, is_item=outputs.each)
    raises = [RAISES[-1]]
    return _Reading(
        returns,
        f"_REPLY: Final[runtime.Shape] = {shape!r}\n",
        f"""\
def read(prediction: Prediction) -> {returns}:
    {docstring("Read what `client.predict` gives.", (), raises)}
    value: {"Any" if converted else returns} = {value}
    return {converted or "value"}
""",
    )


def _converted(
    kind: Type, value: str, place: tuple[str, ...], classes: Places, *, is_item: bool = False
) -> str:
    """Return the expression that reads a value; empty when it stays as it came."""
    if isinstance(kind, Record):
        return f"{classes[place]}.from_dict({value})"
    if isinstance(kind, Scalar) and kind.kind == "datetime":
        return f"runtime.as_datetime({value})"
    if isinstance(kind, List):
        inner = place if is_item else (*place, "[]")
        item = f"{value}_item" if value != "value" else "item"
        converted = _converted(kind.items, item, inner, classes)
        return f"[{converted} for {item} in {value}]" if converted else ""
    return ""
