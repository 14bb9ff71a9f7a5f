"""A value after a JSON schema: the same schema always gives the same value."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from databricks_serving.local.errors import RefusedError, bad_request
from databricks_serving.local.jsontypes import Json, is_list

_MAX_DEPTH: Final = 32
_MAX_VALUES: Final = 2000
_OPTIONAL_DEPTH: Final = 4
_MAX_LENGTH: Final = 10_000

_FORMATS: Final[Mapping[str, str]] = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def example(schema: Json) -> Any:
    """Make a value of the schema's shape: texts are named after their key, numbers are small.

    Raises:
        RefusedError: With status 400 for a schema with `pattern`, one that makes no sense, and one
            that asks for very much.
    """
    try:
        return _Example(schema).value(schema, "text", 0)
    except RecursionError:
        raise _invalid("it refers to itself") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # A schema is the caller's own JSON, of any shape; only its use shows what is wrong.
        raise _invalid("it makes no sense") from None


class _Example:
    def __init__(self, root: Json) -> None:
        self._root = root
        self._left = _MAX_VALUES

    def value(self, schema: Any, name: str, depth: int) -> Any:
        self._spend()
        if depth > _MAX_DEPTH:
            raise _invalid("it is too deep or refers to itself")
        if schema is True:
            return name
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        match _type(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case kind:
                return _scalar(kind, schema, name)

    def _resolved(self, schema: Json) -> Json:
        """Follow references, take the first of several variants and all of `allOf`."""
        while True:
            self._spend()
            rest = {key: value for key, value in schema.items() if key not in _COMBINED}
            if "$ref" in schema:
                schema = rest | self._referred(schema["$ref"])
            elif variants := schema.get("anyOf") or schema.get("oneOf"):
                schema = rest | variants[0]
            elif "allOf" in schema:
                schema = _merged([rest, *map(self._resolved, schema["allOf"])])
            else:
                return schema

    def _spend(self) -> None:
        """Bound the work that a small schema can ask for."""
        self._left -= 1
        if self._left < 0:
            raise _invalid("it is too large or refers to itself")

    def _referred(self, reference: str) -> Json:
        target: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            target = target[step.replace("~1", "/").replace("~0", "~")]
        return {**target}

    def _object(self, schema: Json, depth: int) -> Json:
        required = schema.get("required", [])
        properties: Json = dict.fromkeys(required, True) | schema.get("properties", {})
        return {
            name: self.value(member, name, depth + 1)
            for name, member in properties.items()
            if name in required or depth < _OPTIONAL_DEPTH
        }

    def _array(self, schema: Json, name: str, depth: int) -> list[Any]:
        first = schema.get("prefixItems", [])
        least = schema.get("minItems", 1 if depth < _OPTIONAL_DEPTH else 0)
        count = min(least, schema.get("maxItems", least), _MAX_VALUES)
        rest = [schema.get("items", True)] * (count - len(first))
        return [self.value(item, name, depth + 1) for item in [*first, *rest]]


_COMBINED: Final = frozenset({"$ref", "anyOf", "oneOf", "allOf"})


def _type(schema: Json) -> Any:
    kind = schema.get("type")
    if is_list(kind):
        return kind[0]
    if kind is None and "properties" in schema:
        return "object"
    if kind is None and "items" in schema:
        return "array"
    return kind


def _scalar(kind: Any, schema: Json, name: str) -> Any:
    match kind:
        case "integer":
            return int(_number(schema, whole=True))
        case "number":
            return _number(schema, whole=False)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _string(schema, name)


def _merged(schemas: list[Json]) -> Json:
    whole: Json = {}
    for schema in schemas:
        properties = whole.get("properties", {}) | schema.get("properties", {})
        required = [*whole.get("required", []), *schema.get("required", [])]
        whole |= schema
        whole |= {"properties": properties} if properties else {}
        whole |= {"required": required} if required else {}
    return whole


def _string(schema: Json, name: str) -> str:
    if "pattern" in schema:
        raise _invalid('the "pattern" keyword is not supported')
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    least = schema.get("minLength", 0)
    if least > _MAX_LENGTH:
        raise _invalid("it is too large")
    return name.ljust(least, ".")[: schema.get("maxLength")]


def _number(schema: Json, *, whole: bool) -> float:
    for candidate in _candidates(schema):
        if _fits(candidate, schema) and (not whole or float(candidate).is_integer()):
            return candidate
    raise _invalid("no number fits its limits")


def _candidates(schema: Json) -> Iterator[float]:
    step = schema.get("multipleOf", 1)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    yield from (step, 0)
    if low is not None:
        above = math.floor(low / step) * step
        yield from (low, above, above + step, above + 2 * step)
    if high is not None:
        below = math.ceil(high / step) * step
        yield from (high, below, below - step, below - 2 * step)
    if low is not None and high is not None:
        yield (low + high) / 2


def _fits(value: float, schema: Json) -> bool:
    step = schema.get("multipleOf")
    return (
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
        and (step is None or (value / step).is_integer())
    )


def _invalid(reason: str) -> RefusedError:
    return bad_request(f"Invalid JSON schema - {reason}")
