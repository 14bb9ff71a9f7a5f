"""The document that the generator of models reads."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from databricks_serving.contract.endpoint.names import inside, python_names
from databricks_serving.contract.endpoint.types import (
    Anything,
    Field,
    List,
    Map,
    Record,
    Scalar,
    Type,
)

Places: TypeAlias = Mapping[tuple[str, ...], str]
"""Names of classes by the places of their objects."""

_SCALARS: Final[Mapping[str, dict[str, Any]]] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "string": {"type": "string"},
    "binary": {"type": "string"},
    "datetime": {"type": "string", "format": "date-time"},
}
_BASE64: Final = "Bytes as base64 text."
_HEADS: Final = {"Row": "One row, as the model takes it.", "Result": "One prediction."}


def document_of(roots: Mapping[str, Type], classes: Places) -> dict[str, Any]:
    """Return a document whose components are the objects inside some types.

    Args:
        roots: The types by the names that those of their classes begin with.
        classes: The names of all classes.
    """
    schemas: dict[str, Any] = {}
    for root, kind in roots.items():
        _collect(kind, (root,), classes, schemas)
    info = {"title": "models", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": {}, "components": {"schemas": schemas}}


def _collect(kind: Type, place: tuple[str, ...], classes: Places, schemas: dict[str, Any]) -> None:
    if isinstance(kind, Record):
        schemas[classes[place]] = _component(kind, place, classes)
    elif isinstance(kind, Map):
        plain = isinstance(kind.values, Scalar) and kind.values.kind != "datetime"
        values = _schema(kind.values, place, classes) if plain else True
        schemas[classes[place]] = {"type": "object", "additionalProperties": values}
    for step, inner in inside(kind):
        _collect(inner, (*place, step), classes, schemas)


def _component(record: Record, place: tuple[str, ...], classes: Places) -> dict[str, Any]:
    names = attributes_of(record, classes)
    steps = [step for step in place[1:] if step != "[]"]
    return {
        "type": "object",
        "description": f"What `{steps[-1]}` holds." if steps else _HEADS[place[0]],
        "properties": {
            names[field.name]: _property(field, (*place, field.name), classes)
            for field in record.fields
        },
        "required": [names[field.name] for field in record.fields if not field.nullable],
        "x-sdk-names": {attribute: name for name, attribute in names.items()},
    }


def attributes_of(record: Record, classes: Places) -> dict[str, str]:
    """Name the attributes of a class.

    Raises:
        InvalidRequestError: When two keys would have the same one.
    """
    return python_names([field.name for field in record.fields], "the key", set(classes.values()))


def _property(field: Field, place: tuple[str, ...], classes: Places) -> dict[str, Any]:
    schema = _schema(field.type, place, classes)
    if field.nullable and schema:
        schema = {"anyOf": [schema, {"type": "null"}]}
    said = [field.description, _BASE64 if field.type == Scalar("binary") else None]
    description = " ".join(text for text in said if text)
    return {**schema, "description": description} if description else schema


def _schema(kind: Type, place: tuple[str, ...], classes: Places) -> dict[str, Any]:
    if isinstance(kind, Scalar):
        return dict(_SCALARS[kind.kind])
    if isinstance(kind, List):
        return {"type": "array", "items": _schema(kind.items, (*place, "[]"), classes)}
    if isinstance(kind, Record | Map):
        return {"$ref": f"#/components/schemas/{classes[place]}"}
    return {}


def shape_of(kind: Type, *, nullable: bool = False) -> dict[str, Any]:
    """Return what `runtime.read` checks predictions by."""
    shape = _shape(kind)
    return {**shape, "nullable": True} if nullable and shape else shape


def _shape(kind: Type) -> dict[str, Any]:
    if isinstance(kind, Scalar):
        return dict(_SCALARS[kind.kind])
    if isinstance(kind, List):
        return {"type": "array", "items": shape_of(kind.items)}
    if isinstance(kind, Map):
        return {"type": "object", "values": shape_of(kind.values)}
    if isinstance(kind, Anything):
        return {}
    fields = {each.name: shape_of(each.type, nullable=each.nullable) for each in kind.fields}
    required = [each.name for each in kind.fields if each.required]
    return {"type": "object", "properties": fields, "required": required}
