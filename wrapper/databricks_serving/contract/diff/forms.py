"""The same thing can be written in several forms; brings two schemas to one form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks_serving.contract.diff.document import ref_of
from databricks_serving.contract.diff.keywords import ANNOTATIONS
from databricks_serving.contract.diff.tree import canonical, mapping, sequence
from databricks_serving.contract.diff.verdict import Effect, Severity

if TYPE_CHECKING:
    from databricks_serving.contract.diff.document import Document
    from databricks_serving.contract.diff.pair import Pair
    from databricks_serving.contract.diff.tree import Json, Node

_UNIONS = ("oneOf", "anyOf")
_OWN_SHAPE = {"type", "properties", "enum", "const", "$ref"}
_CLASS = {"properties", "enum"}


def takes_anything(schema: Node) -> bool:
    """Whether a schema restricts nothing."""
    return not _assertions(schema)


def _assertions(schema: Node) -> dict[str, Json]:
    return {k: v for k, v in mapping(schema).items() if k not in ANNOTATIONS and k[:2] != "x-"}


def type_union(schema: Node) -> str | None:
    """Return the keyword of a union of types; beside a type of its own it is a condition."""
    keys = mapping(schema).keys()
    return None if keys & _OWN_SHAPE else next((key for key in _UNIONS if key in keys), None)


def aligned(pair: Pair) -> Pair:
    """Return the pair with both schemas in the same form."""
    for step in (_both_unions, _both_inline, _both_flat):
        pair = step(pair)
    return pair


def _both_unions(pair: Pair) -> Pair:
    """Write `X` as `anyOf: [X]` where the other side is a union."""
    old, new = type_union(pair.old), type_union(pair.new)
    if old == new:
        return pair
    if old and new:
        pair.report(Severity.NOTICE, "union", f"{old} became {new}")
        renamed = {(new if k == old else k): v for k, v in mapping(pair.old).items()}
        return pair.using(renamed, pair.new)
    if old:
        return pair.using(pair.old, _lifted(pair.new, pair.old, old, pair.scope.new))
    return pair.using(_lifted(pair.old, pair.new, new or "anyOf", pair.scope.old), pair.new)


def _lifted(schema: Node, union: Node, keyword: str, document: Document) -> Json:
    inlined = _inlined(schema, document)
    named = [ref_of(member) for member in sequence(mapping(union).get(keyword))]
    if type_union(inlined) and ref_of(schema) not in named:
        return inlined
    asserted = _assertions(schema)
    outer = {k: v for k, v in mapping(schema).items() if k not in asserted}
    types = asserted.get("type")
    members: list[Json] = [asserted]
    if isinstance(types, list):
        members = [{**asserted, "type": t} if t != "null" else {"type": t} for t in types]
    return {**outer, keyword: members}


def _both_inline(pair: Pair) -> Pair:
    """Replace a reference by its target where the other side has none."""
    old, new = ref_of(pair.old), ref_of(pair.new)
    if (old is None) == (new is None):
        return pair
    inlined = pair.using(_inlined(pair.old, pair.scope.old), _inlined(pair.new, pair.scope.new))
    target = mapping(inlined.new if new else inlined.old)
    effect = Effect.CHANGED if target.keys() & _CLASS else Effect.NOTED
    words = f"now refers to {new}" if new else f"no longer refers to {old}"
    pair.judge(effect, "reference", words)
    return inlined


def _inlined(schema: Node, document: Document) -> dict[str, Json]:
    if ref_of(schema) is None:
        return mapping(schema)
    siblings = {k: v for k, v in mapping(schema).items() if k != "$ref"}
    return {**mapping(document.resolve(schema)), **siblings}


def _both_flat(pair: Pair) -> Pair:
    """Merge the members of `allOf` that only one side has into their owner."""
    old, new = ({canonical(m): m for m in _parts(side)} for side in (pair.old, pair.new))
    only_old = [member for key, member in old.items() if key not in new]
    only_new = [member for key, member in new.items() if key not in old]
    if not only_old and not only_new:
        return pair
    return pair.using(
        _merged(pair, pair.old, only_old, pair.scope.old),
        _merged(pair, pair.new, only_new, pair.scope.new),
    )


def _parts(schema: Node) -> list[Json]:
    return sequence(mapping(schema).get("allOf"))


def _merged(pair: Pair, owner: Node, members: list[Json], document: Document) -> Json:
    merged = dict(mapping(owner))
    for member in members:
        for key, value in _assertions(_inlined(member, document)).items():
            if key == "required":
                merged[key] = [*sequence(merged.get(key)), *sequence(value)]
            elif key == "properties":
                _merge_fields(pair, merged, mapping(value))
            elif canonical(merged.setdefault(key, value)) != canonical(value):
                pair.judge(Effect.CHANGED, "all-of", f"allOf repeats '{key}' in another way")
    return merged


def _merge_fields(pair: Pair, merged: dict[str, Json], fields: dict[str, Json]) -> None:
    known = mapping(merged.get("properties"))
    for name in known.keys() & fields.keys():
        if canonical(known[name]) != canonical(fields[name]):
            pair.judge(Effect.CHANGED, "all-of", f"allOf describes '{name}' in another way")
    merged["properties"] = {**fields, **known}
