"""Which fields of an object must be there, on the wire and in the Python types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks_serving.contract.diff.tree import ABSENT, canonical, mapping, sequence
from databricks_serving.contract.diff.verdict import Direction, Effect

if TYPE_CHECKING:
    from databricks_serving.contract.diff.pair import Pair
    from databricks_serving.contract.diff.tree import Node


def requiredness(pair: Pair) -> None:
    """Judge `required`, what the wire demands, with `x-sdk-required`, what the types demand."""
    owner = pair.parent
    if owner is None:
        return
    fields = owner.child("properties")
    for name in _names(owner.old) + _names(owner.new):
        field = fields.child(name)
        if field.differs and (field.added or field.removed):
            owner.scope.log.covered()
        else:
            _required(owner.child("required").item(f"[{name}]", owner.old, owner.new), name)


def _required(pair: Pair, name: str) -> None:
    was, now = demanded(pair.old), demanded(pair.new)
    if (name in was) != (name in now):
        effect, words = (
            (Effect.NARROWED, "is now required")
            if name in now
            else (Effect.WIDENED, "is no longer required")
        )
        pair.judge(effect, "required", f"'{name}' {words}")
        return
    wire_was, wire_now = (_in(side, "required", name) for side in (pair.old, pair.new))
    if wire_was != wire_now:
        sending = pair.scope.direction is Direction.REQUEST
        effect = Effect.NARROWED if wire_now and sending else Effect.NOTED
        words = "the wire now demands" if wire_now else "the wire no longer demands"
        pair.judge(effect, "required", f"{words} '{name}', the types did and do")


def demanded(schema: Node) -> set[str]:
    """Return the fields that the Python types demand."""
    return set(_names(schema))


def _names(schema: Node) -> list[str]:
    lists = (mapping(schema).get(key, ABSENT) for key in ("required", "x-sdk-required"))
    return [
        name if isinstance(name, str) else canonical(name)
        for each in lists
        for name in sequence(each)
    ]


def _in(schema: Node, key: str, name: str) -> bool:
    return name in sequence(mapping(schema).get(key, ABSENT))
