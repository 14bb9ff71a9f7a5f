"""The signature of an MLflow model."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from databricks_serving.contract.endpoint.conversation import conversation_of
from databricks_serving.contract.endpoint.nodes import deeper, mapping, sequence, text
from databricks_serving.contract.endpoint.types import (
    Anything,
    Contract,
    Field,
    Inputs,
    Kind,
    List,
    Map,
    Outputs,
    Record,
    Rows,
    Scalar,
    Tensor,
    Tensors,
    Type,
    Values,
)
from databricks_serving.errors import InvalidRequestError

_KINDS: Final[Mapping[str, Kind]] = {
    "boolean": "boolean",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "string": "string",
    "binary": "binary",
    "datetime": "datetime",
}
_DTYPES: Final[tuple[tuple[str, Kind], ...]] = (
    (r"u?int\d*", "integer"),
    (r"b?float\w*", "number"),
    (r"bool\w*", "boolean"),
    (r"str\w*|object|unicode\w*|<?U\d*", "string"),
    (r"bytes\w*|[|]?S\d*", "binary"),
    (r"datetime64.*", "datetime"),
)


def contract_of_signature(signature: Mapping[str, Any]) -> Contract:
    """Read a signature: `inputs`, `outputs` and `params`, each a list or its JSON text.

    Raises:
        InvalidRequestError: Naming the place of what cannot be used.
    """
    columns = _part(signature, "inputs")
    if not columns:
        raise InvalidRequestError(
            "the signature has no inputs: log the model with a signature, "
            "or with an input example that MLflow makes one from"
        )
    inputs = [_column(column, f"inputs[{at}]") for at, column in enumerate(columns)]
    replies = _part(signature, "outputs")
    outputs = [_column(column, f"outputs[{at}]") for at, column in enumerate(replies)]
    params = tuple(
        _param(param, f"params[{at}]") for at, param in enumerate(_part(signature, "params"))
    )
    given = _fields(inputs, "inputs")
    talked = None if given is None else conversation_of(given, _fields(outputs, "outputs") or ())
    if talked is not None:
        return Contract(talked, None, params)
    return Contract(_inputs(inputs, given), _outputs(outputs), params)


def _part(signature: Mapping[str, Any], name: str) -> list[Any]:
    """Return one part, whether it stands as a list or, as in an MLmodel file, as JSON text."""
    part = signature.get(name)
    if isinstance(part, str):
        try:
            part = json.loads(part)
        except ValueError as error:
            raise InvalidRequestError(f"signature.{name} is no JSON: {error}") from None
    return [] if part is None else sequence(part, f"signature.{name}")


def _inputs(columns: Sequence[Field | Tensor], fields: tuple[Field, ...] | None) -> Inputs:
    if fields is not None:
        return Rows(Record(fields))
    tensors = [column for column in columns if isinstance(column, Tensor)]
    if tensors:
        _check_tensors(columns, tensors, "inputs")
        return Tensors(tuple(tensors))
    if len(columns) == 1:
        return Values(columns[0].type)
    raise InvalidRequestError("inputs: several columns without names: name them in the signature")


def _outputs(columns: Sequence[Field | Tensor]) -> Outputs | None:
    if not columns:
        return None
    fields = _fields(columns, "outputs")
    if fields is not None:
        return Outputs(Record(fields), each=True)
    tensors = [column for column in columns if isinstance(column, Tensor)]
    if tensors:
        _check_tensors(columns, tensors, "outputs")
        if tensors[0].name is None:
            return Outputs(tensors[0].type, each=False)
        named = tuple(Field(tensor.name or "", tensor.type) for tensor in tensors)
        return Outputs(Record(named), each=False)
    return Outputs(columns[0].type if len(columns) == 1 else Anything(), each=True)


def _fields(columns: Sequence[Field | Tensor], place: str) -> tuple[Field, ...] | None:
    """Return columns that have names; None when they are tensors, or have none."""
    fields = [column for column in columns if isinstance(column, Field)]
    named = [field for field in fields if field.name]
    if len(fields) < len(columns) or not named:
        return None
    if len(named) < len(fields):
        raise InvalidRequestError(f"{place}: some columns have names and some have none")
    return tuple(fields)


def _check_tensors(
    columns: Sequence[Field | Tensor], tensors: Sequence[Tensor], place: str
) -> None:
    if len(tensors) < len(columns):
        raise InvalidRequestError(f"{place}: tensors and columns cannot stand beside each other")
    if len(tensors) > 1 and not all(tensor.name for tensor in tensors):
        raise InvalidRequestError(f"{place}: several tensors, and some have no names")


def _column(node: object, place: str) -> Field | Tensor:
    column = mapping(node, place)
    name = "" if column.get("name") is None else text(column["name"], f"{place}.name")
    where = f"{place} ({name!r})" if name else place
    if column.get("type") == "tensor":
        return _tensor(column, name or None, where)
    return _field(name, column, where, 0)


def _field(name: str, node: object, place: str, depth: int) -> Field:
    described = mapping(node, place)
    # Before MLflow 2.8 the key was `optional`.
    required = described.get("required", not described.get("optional", False))
    if not isinstance(required, bool):
        raise InvalidRequestError(f"{place}: required must be true or false")
    return Field(name, _type(described, place, depth), required, nullable=not required)


def _type(described: Mapping[str, Any], place: str, depth: int) -> Type:
    depth = deeper(depth, place)
    kind = text(described.get("type"), f"{place}: type")
    if kind in _KINDS:
        return Scalar(_KINDS[kind])
    if kind == "any":
        return Anything()
    if kind == "array":
        items = mapping(described.get("items"), f"{place}: items")
        return List(_type(items, f"{place}[]", depth))
    if kind == "map":
        values = mapping(described.get("values"), f"{place}: values")
        return Map(_type(values, f"{place}{{}}", depth))
    if kind == "object":
        properties = mapping(described.get("properties"), f"{place}: properties")
        return Record(
            tuple(_field(key, node, f"{place}.{key}", depth) for key, node in properties.items())
        )
    known = ", ".join([*_KINDS, "any", "array", "map", "object", "tensor"])
    raise InvalidRequestError(f"{place} has the type {kind!r}, which is none of {known}")


def _tensor(column: Mapping[str, Any], name: str | None, place: str) -> Tensor:
    spec = mapping(column.get("tensor-spec"), f"{place}: tensor-spec")
    shape = sequence(spec.get("shape"), f"{place}: shape")
    if not all(type(size) is int for size in shape):
        raise InvalidRequestError(f"{place}: shape must be a list of whole numbers")
    dtype = text(spec.get("dtype"), f"{place}: dtype")
    for pattern, kind in _DTYPES:
        if re.fullmatch(pattern, dtype):
            return Tensor(kind, tuple(cast("list[int]", shape)), name)
    raise InvalidRequestError(f"{place} has the dtype {dtype!r}, which JSON cannot hold")


def _param(node: object, place: str) -> Field:
    param = mapping(node, place)
    name = text(param.get("name"), f"{place}.name")
    where = f"{place} ({name!r})"
    # Older versions of MLflow write `dtype`.
    described = {"type": param.get("dtype"), **param}
    kind = _type(described, where, 0)
    if param.get("shape") is not None:
        kind = List(kind)
    default = param.get("default")
    said = None if default is None else f"The model's default is {json.dumps(default)}."
    return Field(name, kind, required=False, nullable=True, description=said)
