"""The comparison of two schemas."""

from __future__ import annotations

from databricks_serving.contract.diff.document import Document, ref_of
from databricks_serving.contract.diff.fields import demanded
from databricks_serving.contract.diff.forms import aligned, takes_anything, type_union
from databricks_serving.contract.diff.keywords import (
    ANNOTATIONS,
    LEAF_RULES,
    is_catch_all,
    validation,
)
from databricks_serving.contract.diff.pair import Pair, Rules, change, each, note, walk
from databricks_serving.contract.diff.tree import Json, Node, labelled, mapping, sequence
from databricks_serving.contract.diff.verdict import Direction, Effect

_SCALARS = ("null", "boolean", "integer", "number", "string")


def compare_schema(pair: Pair) -> None:
    """Report what two schemas describe differently, seen from the direction of the pair."""
    if pair.old is False or pair.new is False:
        _closed_or_opened(pair)
        return
    if takes_anything(pair.old) != takes_anything(pair.new):
        _tied_or_freed(pair)
        return
    walk(aligned(pair), RULES, _unknown)


def _closed_or_opened(pair: Pair) -> None:
    if pair.new is False:
        pair.judge(Effect.NARROWED, "closed", "nothing may stand here any more")
        return
    extra = pair.key == "additionalProperties" and pair.scope.direction is Direction.RESPONSE
    effect = Effect.EXTENDED if extra else Effect.WIDENED
    pair.judge(effect, "opened", "something may stand here now")


def _tied_or_freed(pair: Pair) -> None:
    if takes_anything(pair.old):
        pair.judge(Effect.NARROWED, "type", f"anything was possible, now {change(pair)}")
    else:
        pair.judge(Effect.WIDENED, "type", f"anything is possible now, {change(pair)}")
    for key, rule in ANNOTATIONS.items():
        if pair.child(key).differs:
            rule(pair.child(key))


def _unknown(pair: Pair) -> None:
    if pair.key.startswith("x-"):
        note(pair)
    else:
        pair.judge(Effect.CHANGED, "unhandled", f"no rule knows '{pair.key}', it {change(pair)}")


def _property(pair: Pair) -> None:
    owner = pair.parent.parent if pair.parent else None
    if pair.removed:
        pair.judge(Effect.CHANGED, "property", f"field '{pair.key}' was removed")
    elif not pair.added:
        compare_schema(pair)
    elif owner and pair.key in demanded(owner.new):
        effect = Effect.NARROWED if pair.scope.direction is Direction.REQUEST else Effect.EXTENDED
        pair.judge(effect, "property", f"required field '{pair.key}' was added")
    else:
        pair.judge(Effect.EXTENDED, "property", f"optional field '{pair.key}' was added")


def _reference(pair: Pair) -> None:
    pair.judge(Effect.CHANGED, "reference", f"another schema: {change(pair)}")


def _positions(pair: Pair) -> None:
    old, new = sequence(pair.old), sequence(pair.new)
    both = [pair.item(f"[{i}]", *items) for i, items in enumerate(zip(old, new, strict=False))]
    for item in both:
        if item.differs:
            compare_schema(item)
    if len(old) != len(new):
        pair.judge(
            Effect.CHANGED, "type", f"{pair.key} has {len(new)} places instead of {len(old)}"
        )


def _union(pair: Pair) -> None:
    owner = pair.parent
    if owner is None or not (type_union(owner.old) or type_union(owner.new)):
        validation(pair)
        return
    label = member_label
    walk(pair.using(labelled(pair.old, label), labelled(pair.new, label)), {}, _variant)


def member_label(member: Json) -> str:
    """Return the name by which a variant is found again in the other document."""
    schema = mapping(member)
    if (ref := ref_of(member)) is not None:
        return ref.rpartition("/")[2]
    for name, field in mapping(schema.get("properties")).items():
        if "const" in mapping(field):
            return f"{name}={mapping(field)['const']}"
    if "const" in schema:
        return f"const={schema['const']}"
    kind = "enum" if "enum" in schema else schema.get("type", "any")
    return "number" if kind == "integer" else str(kind)


def _variant(pair: Pair) -> None:
    known_values = _lists_known_values(pair)
    if not pair.added and not pair.removed:
        compare_schema(pair.travelling(pair.scope.direction, is_open=known_values))
    elif known_values:
        words = f"known values {change(pair)}; any string is possible"
        pair.judge(Effect.NOTED, "open-enum", words)
    elif pair.added:
        caught = _is_caught(pair)
        words = "was added, so far the catch-all took it" if caught else "was added"
        effect = Effect.NOTED if caught else Effect.WIDENED
        pair.judge(effect, "variant", f"variant {pair.key} {words}")
    else:
        effect = Effect.NARROWED if _is_scalar(pair.old) else Effect.CHANGED
        pair.judge(effect, "variant", f"variant {pair.key} was removed")


def _lists_known_values(pair: Pair) -> bool:
    """Whether a variant lists strings beside a variant that takes any string."""
    members = pair.scope.old.resolve(pair.old), pair.scope.new.resolve(pair.new)
    listed = any({"enum", "const"} & mapping(member).keys() for member in members)
    return listed and all(document.is_open(union) for document, union in _sides(pair))


def _is_caught(pair: Pair) -> bool:
    """Whether readers of the old document already meet the new variant in a catch-all."""
    if pair.scope.direction is Direction.REQUEST:
        return False
    lasts = [document.resolve(members[-1]) for document, members in _sides(pair) if members]
    is_object = mapping(pair.scope.new.resolve(pair.new)).get("type") == "object"
    return is_object and len(lasts) == len(_sides(pair)) and all(map(is_catch_all, lasts))


def _sides(pair: Pair) -> list[tuple[Document, list[Json]]]:
    union = pair.parent or pair
    scope = pair.scope
    return [
        (document, list(mapping(members).values()))
        for document, members in ((scope.old, union.old), (scope.new, union.new))
    ]


def _is_scalar(member: Node) -> bool:
    return mapping(member).get("type") in _SCALARS


def _part(pair: Pair) -> None:
    """Judge a member of `allOf`; what a new or lost one demands is judged in its owner."""
    if pair.added or pair.removed:
        pair.judge(Effect.NOTED, "all-of", f"{pair.key} {change(pair)}")
    else:
        compare_schema(pair)


def _parts(pair: Pair) -> None:
    label = member_label
    walk(pair.using(labelled(pair.old, label), labelled(pair.new, label)), {}, _part)


RULES: Rules = {
    **LEAF_RULES,
    "$ref": _reference,
    "properties": each(_property),
    "patternProperties": each(_property),
    "items": compare_schema,
    "additionalProperties": compare_schema,
    "prefixItems": _positions,
    "anyOf": _union,
    "oneOf": _union,
    "allOf": _parts,
}
