"""Rules for the keywords of a schema that hold no further schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks_serving.contract.diff.fields import requiredness
from databricks_serving.contract.diff.pair import Pair, Rule, Rules, change, note
from databricks_serving.contract.diff.tree import (
    ABSENT,
    Json,
    Node,
    canonical,
    mapping,
    sequence,
    shown,
)
from databricks_serving.contract.diff.verdict import Direction, Effect, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALL_TYPES = frozenset({"null", "boolean", "object", "array", "integer", "number", "string"})
# The generator turns these into classes of their own, so gaining one changes a Python type too.
_TYPED_FORMATS = {"date", "date-time", "uuid", "binary", "byte"}


def types_of(schema: Mapping[str, Json]) -> frozenset[str]:
    """Return the JSON types a schema takes; a number takes integers as well."""
    declared = schema.get("type", ABSENT)
    if declared is ABSENT:
        values = values_of(schema)
        return _ALL_TYPES if values is None else frozenset(map(_type_of, values.values()))
    names = declared if isinstance(declared, list) else [declared]
    types = {name if isinstance(name, str) else canonical(name) for name in names}
    return frozenset(types | ({"integer"} if "number" in types else set()))


def values_of(schema: Mapping[str, Json]) -> dict[str, Json] | None:
    """Return the values that an enum or a const allows, by their canonical text."""
    if "enum" in schema:
        return {canonical(value): value for value in sequence(schema["enum"])}
    if "const" in schema:
        return {canonical(schema["const"]): schema["const"]}
    return None


def _type_of(value: Json) -> str:
    return _KINDS[type(value)]


_KINDS: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}


def _schemas(pair: Pair) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return the two schemas that a pair of keyword values belongs to."""
    owner = pair.parent
    return (mapping(owner.old), mapping(owner.new)) if owner else ({}, {})


def _type(pair: Pair) -> None:
    old, new = map(types_of, _schemas(pair))
    lost, gained = old - new, new - old
    if not lost and set(gained) == {"null"}:
        pair.judge(Effect.WIDENED, "nullable", "may now be null")
    elif not gained and set(lost) == {"null"}:
        pair.judge(Effect.NARROWED, "nullable", "may no longer be null")
    elif lost or gained:
        pair.judge(_set_effect(lost, gained), "type", f"type {change(pair)}")


def _set_effect(lost: object, gained: object) -> Effect:
    if lost and gained:
        return Effect.CHANGED
    return Effect.NARROWED if lost else Effect.WIDENED


def _enum(pair: Pair) -> None:
    old, new = map(values_of, _schemas(pair))
    if old is None or new is None:
        _restricted(pair, "enum")
        return
    for value in old.keys() - new.keys():
        _value(pair, Effect.NARROWED, f"value {shown(old[value])} was removed")
    for value in new.keys() - old.keys():
        _value(pair, Effect.WIDENED, f"value {shown(new[value])} was added")


def _value(pair: Pair, effect: Effect, message: str) -> None:
    if pair.scope.open:
        pair.judge(Effect.NOTED, "open-enum", f"known {message}; any other string stays possible")
    else:
        pair.judge(effect, "enum", message)


def _const(pair: Pair) -> None:
    if not any("enum" in schema for schema in _schemas(pair)):
        _restricted(pair, "const")


def _restricted(pair: Pair, rule: str) -> None:
    """Judge a keyword that can only restrict."""
    effect = Effect.CHANGED
    if pair.added:
        effect = Effect.NARROWED
    elif pair.removed:
        effect = Effect.WIDENED
    if pair.scope.open:
        effect = Effect.NOTED
    pair.judge(effect, rule, f"{pair.key} {change(pair)}")


def _restriction(pair: Pair) -> None:
    _restricted(pair, "restriction")


def validation(pair: Pair) -> None:
    """Judge a keyword that no Python type shows: it matters to who sends, not to who reads."""
    if pair.scope.direction is Direction.RESPONSE or _inside_catch_all(pair):
        pair.judge(Effect.NOTED, "validation", f"{pair.key} {change(pair)}; no type shows it")
    else:
        _restricted(pair, "validation")


def _inside_catch_all(pair: Pair | None) -> bool:
    """Whether a schema around the pair is marked as one that takes what the others leave."""
    while pair is not None:
        if is_catch_all(pair.old) and is_catch_all(pair.new):
            return True
        pair = pair.parent
    return False


def is_catch_all(schema: Node) -> bool:
    """Whether a schema is marked as the variant that takes what the others leave."""
    return mapping(schema).get("x-sdk-catch-all") is True


def _format(pair: Pair) -> None:
    if any(isinstance(node, str) and node in _TYPED_FORMATS for node in (pair.old, pair.new)):
        pair.judge(Effect.CHANGED, "format", f"format {change(pair)}, another Python type")
    else:
        _restricted(pair, "format")


def _at_least(pair: Pair) -> None:
    _bound(pair, upward=Effect.NARROWED, downward=Effect.WIDENED)


def _at_most(pair: Pair) -> None:
    _bound(pair, upward=Effect.WIDENED, downward=Effect.NARROWED)


def _bound(pair: Pair, *, upward: Effect, downward: Effect) -> None:
    old, new = _number(pair.old), _number(pair.new)
    if old is None or new is None:
        _restricted(pair, "bound")
    elif old != new:
        pair.judge(upward if new > old else downward, "bound", f"{pair.key} {change(pair)}")


def _number(node: Node) -> float | None:
    return node if isinstance(node, int | float) and not isinstance(node, bool) else None


def _capability(pair: Pair) -> None:
    """Judge an extension that adds methods or attributes to the generated class."""
    if pair.old in (ABSENT, False):
        pair.report(Severity.COMPATIBLE, "capability", f"{pair.key} was added")
    else:
        pair.report(Severity.READERS, "capability", f"{pair.key} {change(pair)}")


def _table(rule: Rule, *names: str) -> Rules:
    return dict.fromkeys(names, rule)


ANNOTATIONS: Rules = _table(
    note,
    *("title", "description", "summary", "example", "examples", "externalDocs", "$comment"),
    *("default", "deprecated", "discriminator", "xml"),
)

LEAF_RULES: Rules = {
    **ANNOTATIONS,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "format": _format,
    **_table(requiredness, "required", "x-sdk-required"),
    **_table(_at_least, "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"),
    **_table(_at_most, "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"),
    **_table(_restriction, "pattern", "multipleOf", "uniqueItems"),
    **_table(validation, "not", "if", "then", "else", "dependentRequired", "dependentSchemas"),
    **_table(validation, "contains", "minContains", "maxContains", "propertyNames"),
    **_table(validation, "unevaluatedProperties", "unevaluatedItems"),
    **_table(_capability, "x-sdk-mixin", "x-sdk-reply", "x-sdk-catch-all"),
}
