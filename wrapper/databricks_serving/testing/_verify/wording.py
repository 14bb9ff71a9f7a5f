"""Violations of JSON Schema in words, without the values that break it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving.testing._verify.unknown import LONGEST, nearest

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

# So many names, each with so many characters, are written out.
_MOST: Final = 20
_LONGEST: Final = 200
_KINDS: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_BOUNDS: Final = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "text like {}",
    "format": "text that is a {}",
    "const": "{!r}",
}
_FORMS: Final = {
    "additionalProperties": "no other keys",
    "anyOf": "one of the forms that the contract names",
    "oneOf": "one of the forms that the contract names",
    "not": "another form",
}


def innermost(error: "ValidationError") -> "ValidationError":
    """Return the violation that says most: of alternatives, in the one that fits best."""
    while error.validator in {"anyOf", "oneOf"} and error.context:
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        closest: list[ValidationError] = min(branches.values(), key=_badness)
        error = max(closest, key=_depth)
    return error


def expectation(error: "ValidationError") -> str:
    """Return what a schema expects where it is broken."""
    rule, value = str(error.validator), error.validator_value
    if rule == "required":
        return f"the key {_missing(error)}"
    if rule == "type":
        return " or ".join(_KINDS.get(str(kind), str(kind)) for kind in _list(value))
    if rule == "enum":
        return f"one of {', '.join(map(str, _list(value)))}"
    if rule in _BOUNDS:
        return _BOUNDS[rule].format(value)
    return _FORMS.get(rule, f"what the rule {rule} asks for")


def found_of(error: "ValidationError") -> str:
    """Return what is there instead, and which key may be the one that is missing."""
    found = kind_of(error.instance)
    if error.validator != "required":
        return found
    schema: Any = error.schema
    instance: Any = error.instance
    others = [key for key in instance if key not in schema.get("properties", ())]
    near = nearest(_missing(error), others)
    return f"{found}; is {near:.{LONGEST}} meant to be {_missing(error)}?" if near else found


def kind_of(value: Any) -> str:
    """Return what a value is, without telling it."""
    if isinstance(value, str):
        return f"text of {len(value)} character{'' if len(value) == 1 else 's'}"
    if isinstance(value, bool):
        return "true or false"
    if value is None:
        return "null"
    if is_object(value):
        return f"an object with the keys {_names(value)}" if value else "an empty object"
    if is_list(value):
        return f"a list of {len(value)}"
    return "a whole number" if isinstance(value, int) else "a number"


def shortened(text: str) -> str:
    """Return a text that a report can hold."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _missing(error: "ValidationError") -> str:
    instance: Any = error.instance
    return next(str(name) for name in _list(error.validator_value) if name not in instance)


def _names(names: Iterable[str]) -> str:
    shown = [shortened(name) for name in names]
    more = f" and {len(shown) - _MOST} more" if len(shown) > _MOST else ""
    return f"{', '.join(shown[:_MOST])}{more}"


def _list(value: Any) -> list[Any]:
    return value if is_list(value) else [value]


def _badness(errors: "list[ValidationError]") -> tuple[bool, int, int]:
    """Tell how far a value is from a form: one of another tag, or without any, is farthest."""
    wrong_tag = any(one.validator in {"const", "not"} and len(one.path) == 1 for one in errors)
    shallow = sum(len(one.path) == 0 for one in errors)
    return wrong_tag, shallow, len(errors)


def _depth(error: "ValidationError") -> int:
    return len(error.path)
