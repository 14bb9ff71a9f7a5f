"""JSON Schema of the types that msgspec knows, with the descriptions that people wrote.

msgspec writes schemas too, but neither says where in a class a type stands that has no JSON form,
nor reads docstrings and texts in `Annotated`.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, get_args, get_origin

from databricks_serving._core.structured.annotations import (
    UNIONS,
    field_hints,
    parts_of,
    with_descriptions,
)
from databricks_serving._core.structured.docs import class_docs
from databricks_serving._core.structured.extras import need
from databricks_serving.errors import InvalidRequestError

Schema = dict[str, Any]

_SCALARS: Final[Mapping[str, Schema]] = {
    "AnyType": {},
    "NoneType": {"type": "null"},
    "BoolType": {"type": "boolean"},
    "IntType": {"type": "integer"},
    "FloatType": {"type": "number"},
    "DateTimeType": {"type": "string", "format": "date-time"},
    "DateType": {"type": "string", "format": "date"},
    "TimeType": {"type": "string", "format": "time"},
    "TimeDeltaType": {"type": "string", "format": "duration"},
    "UUIDType": {"type": "string", "format": "uuid"},
    "DecimalType": {"type": "string", "format": "decimal"},
    "BytesType": {"type": "string", "contentEncoding": "base64"},
    "ByteArrayType": {"type": "string", "contentEncoding": "base64"},
    "StrType": {"type": "string"},
}
# Attributes of msgspec's types, and the keywords that they become.
_LIMITS: Final[Mapping[str, str]] = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
}
_LENGTHS: Final[Mapping[str, str]] = {"string": "Length", "array": "Items", "object": "Properties"}
_CLASSES: Final = frozenset({"DataclassType", "NamedTupleType", "StructType", "TypedDictType"})
_SETS: Final = frozenset({"SetType", "FrozenSetType"})
_LISTS: Final = frozenset({"ListType", "VarTupleType", "CollectionType"}) | _SETS
_DICTS: Final = frozenset({"DictType", "FrozenDictType"})


def describe(hint: Any, place: str) -> Schema:
    """Return the JSON Schema of a type, its classes under `$defs`.

    Args:
        hint: The type, as an annotation has it.
        place: What it is called in errors: a class or a parameter.

    Raises:
        InvalidRequestError: When it has no JSON form, naming the field.
    """
    return _Describer(place).whole(hint)


class _Describer:
    def __init__(self, place: str) -> None:
        self._place = place
        self._inspect: Any = need("msgspec.inspect")
        self._defs: dict[str, Schema] = {}
        self._names: dict[Any, str] = {}

    def whole(self, hint: Any) -> Schema:
        schema = self._of_hint(hint, self._place)
        return {**schema, "$defs": self._defs} if self._defs else schema

    def _of_hint(self, hint: Any, place: str) -> Schema:
        try:
            node = self._inspect.type_info(with_descriptions(hint))
        except (NameError, TypeError, ValueError) as error:
            fault = str(error)
        else:
            return self._of(node, place)
        raise self._fault(hint, place, fault, set())

    def _fault(self, hint: Any, place: str, fault: str, seen: set[int]) -> InvalidRequestError:
        """Find the innermost part of a type that msgspec refuses."""
        seen.add(id(hint))
        for inner, where in parts_of(hint, place):
            try:
                self._inspect.type_info(inner)
            except (NameError, TypeError, ValueError) as error:
                if id(inner) not in seen:
                    return self._fault(inner, where, str(error), seen)
        if get_origin(hint) in UNIONS:
            return _ambiguous(place, [one for one in get_args(hint) if one is not type(None)])
        return _refused(place, fault.partition("\n")[0])

    def _of(self, node: Any, place: str) -> Schema:
        kind = type(node).__name__
        if kind == "Metadata":
            return {**self._of(node.type, place), **(node.extra_json_schema or {})}
        if kind in _CLASSES:
            return self._of_class(node, place)
        if kind == "UnionType":
            return self._of_union(node, place)
        schema = self._of_array(node, kind, place) or self._of_scalar(node, kind, place)
        return schema | _limits(node, schema.get("type"))

    def _of_scalar(self, node: Any, kind: str, place: str) -> Schema:
        if kind in _SCALARS:
            return {**_SCALARS[kind]}
        if kind == "LiteralType":
            return {"enum": list(node.values)}
        if kind == "EnumType":
            return {"enum": [member.value for member in node.cls]}
        name = getattr(getattr(node, "cls", None), "__name__", kind)
        raise _refused(place, f"{name} has no JSON form")

    def _of_array(self, node: Any, kind: str, place: str) -> Schema:
        if kind in _LISTS:
            items = self._of(node.item_type, f"{place}[]")
            unique: Schema = {"uniqueItems": True} if kind in _SETS else {}
            return {"type": "array", "items": items, **unique}
        if kind == "TupleType":
            return _tuple([self._of(one, f"{place}[{n}]") for n, one in enumerate(node.item_types)])
        if kind in _DICTS:
            return {
                "type": "object",
                "additionalProperties": self._of(node.value_type, f"{place}[...]"),
            }
        return {}

    def _of_union(self, node: Any, place: str) -> Schema:
        classes = [one for one in node.types if _is_bare_class(one)]
        if len(classes) > 1:
            raise _ambiguous(place, [one.cls for one in classes])
        return {"anyOf": [self._of(one, place) for one in node.types]}

    def _of_class(self, node: Any, place: str) -> Schema:
        name = self._names.get(node.cls)
        if name is None:
            name = self._new_name(node.cls)
            self._defs[name] = {}
            self._defs[name] = self._body(node, place)
        return {"$ref": f"#/$defs/{name}"}

    def _new_name(self, cls: Any) -> str:
        plain = getattr(cls, "__origin__", cls).__name__
        taken = self._defs.keys()
        name = next(n for i in range(len(taken) + 1) if (n := f"{plain}{i or ''}") not in taken)
        self._names[cls] = name
        return name

    def _body(self, node: Any, place: str) -> Schema:
        docs = class_docs(node.cls)
        described: Schema = {"description": docs.text} if docs.text else {}
        hints = field_hints(node.cls)
        fields = {
            field.encode_name: self._of_field(field, hints, docs.of.get(field.name), place)
            for field in node.fields
        }
        if type(node).__name__ == "NamedTupleType" or getattr(node, "array_like", False):
            return described | _tuple(list(fields.values()))
        tag = getattr(node, "tag_field", None)
        if tag is not None:
            fields = {tag: {"const": node.tag}, **fields}
        required = [field.encode_name for field in node.fields if field.required]
        required = required if tag is None else [tag, *required]
        return {**described, "type": "object", "properties": fields, "required": required}

    def _of_field(
        self, field: Any, hints: Mapping[str, Any], docs: str | None, place: str
    ) -> Schema:
        here = f"{place}.{field.name}"
        hint = hints.get(field.name)
        schema = self._of(field.type, here) if hint is None else self._of_hint(hint, here)
        described: Schema = {"description": docs} if docs else {}
        return described | schema | default_of(field.default)


def default_of(value: object) -> Schema:
    """Return the keyword for a default that is simple enough to tell the model."""
    value = value.value if isinstance(value, Enum) else value
    known = value is None or isinstance(value, bool | int | float | str)
    return {"default": value} if known else {}


def _is_bare_class(node: Any) -> bool:
    while type(node).__name__ == "Metadata":
        node = node.type
    tagged = getattr(node, "tag", None) is not None
    return type(node).__name__ in _CLASSES - {"NamedTupleType"} and not tagged


def _tuple(items: list[Schema]) -> Schema:
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def _limits(node: Any, kind: Any) -> Schema:
    found = {word: getattr(node, name, None) for name, word in _LIMITS.items()}
    if kind in _LENGTHS:
        found |= {
            f"{end}{_LENGTHS[kind]}": getattr(node, f"{end}_length", None) for end in ("min", "max")
        }
    return {word: value for word, value in found.items() if value is not None}


def _ambiguous(place: str, classes: list[Any]) -> InvalidRequestError:
    names = " | ".join(getattr(one, "__name__", str(one)) for one in classes)
    return _refused(
        place,
        f"nothing tells {names} apart; make them msgspec.Struct classes with tag=True, or pydantic "
        "models",
    )


def _refused(place: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(f"{place}: {reason}")
