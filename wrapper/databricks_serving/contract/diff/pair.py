"""Two nodes at one place of two documents, and the walk over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from databricks_serving.contract.diff.tree import (
    ABSENT,
    Node,
    contrasted,
    joined,
    keys_of,
    mapping,
    reordered,
    shown,
    spelled,
)
from databricks_serving.contract.diff.verdict import (
    Difference,
    Direction,
    Effect,
    Severity,
    severity_of,
)

if TYPE_CHECKING:
    from databricks_serving.contract.diff.document import Document


@dataclass(slots=True)
class Log:
    """Collects differences, each once, and counts how often anything was said."""

    _differences: dict[Difference, None] = field(default_factory=dict[Difference, None])
    said: int = 0

    def add(self, difference: Difference) -> None:
        """Report a difference."""
        self.said += 1
        self._differences[difference] = None

    def covered(self) -> None:
        """Count a difference whose cause is reported at another place."""
        self.said += 1

    def differences(self) -> list[Difference]:
        """Return what was reported, the most severe first, else in document order."""
        severities = list(Severity)
        return sorted(self._differences, key=lambda each: severities.index(each.severity))


@dataclass(frozen=True, slots=True)
class Scope:
    """What all pairs below one place share."""

    old: Document
    new: Document
    log: Log
    direction: Direction = Direction.REQUEST
    # Inside `anyOf: [enum, string]`: the enum only lists what is known today.
    open: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two nodes at one place; `ABSENT` where one document has none."""

    old: Node
    new: Node
    path: str
    key: str
    scope: Scope
    parent: Pair | None = None

    @property
    def differs(self) -> bool:
        """Whether anything at all differs, order and spelling included."""
        return spelled(self.old) != spelled(self.new)

    @property
    def added(self) -> bool:
        """Whether only the new document has this node."""
        return self.old is ABSENT

    @property
    def removed(self) -> bool:
        """Whether only the old document has this node."""
        return self.new is ABSENT

    def child(self, key: str) -> Pair:
        """Return the pair of values below a key."""
        old, new = mapping(self.old).get(key, ABSENT), mapping(self.new).get(key, ABSENT)
        return self.item(key, old, new)

    def item(self, key: str, old: Node, new: Node) -> Pair:
        """Return a pair of nodes that were matched by other means than their key."""
        return Pair(old, new, joined(self.path, key), key, self.scope, self)

    def using(self, old: Node, new: Node) -> Pair:
        """Return this place with other nodes, such as the targets of references."""
        return replace(self, old=old, new=new)

    def travelling(self, direction: Direction, *, is_open: bool = False) -> Pair:
        """Return this pair as judged for values that travel in a direction."""
        return replace(self, scope=replace(self.scope, direction=direction, open=is_open))

    def judge(self, effect: Effect, rule: str, message: str) -> None:
        """Report a difference whose severity depends on the direction."""
        self.report(severity_of(effect, self.scope.direction), rule, message)

    def report(self, severity: Severity, rule: str, message: str) -> None:
        """Report a difference."""
        self.scope.log.add(Difference(severity, self.path, rule, message))


Rule: TypeAlias = Callable[[Pair], None]
Rules: TypeAlias = Mapping[str, Rule]


def note(pair: Pair) -> None:
    """Report a difference that breaks nobody."""
    pair.report(Severity.NOTICE, "annotation", f"{pair.key} {change(pair)}")


def unhandled(pair: Pair) -> None:
    """Report a difference that no rule knows, so that none is dropped silently."""
    pair.report(Severity.NOTICE, "unhandled", f"no rule knows '{pair.key}', it {change(pair)}")


def change(pair: Pair) -> str:
    """Return the words for what happened to a node."""
    if pair.added:
        return f"was added: {shown(pair.new)}"
    if pair.removed:
        return f"was removed: {shown(pair.old)}"
    return f"changed {contrasted(pair.old, pair.new)}"


def apply(rule: Rule, pair: Pair) -> None:
    """Run a rule on a pair that differs and see to it that something is said."""
    if not pair.differs:
        return
    said = pair.scope.log.said
    rule(pair)
    if pair.scope.log.said == said:
        pair.report(Severity.NOTICE, "spelling", f"{pair.key} differs in order or spelling only")


def walk(pair: Pair, rules: Rules, otherwise: Rule = unhandled) -> None:
    """Run the rule of each key that differs; every difference leads to a report."""
    for key in keys_of(pair.old, pair.new):
        apply(rules.get(key, otherwise), pair.child(key))
    if reordered(mapping(pair.old), mapping(pair.new)):
        pair.report(Severity.NOTICE, "order", f"the keys of {pair.key} come in another order")


def each(rule: Rule) -> Rule:
    """Return a rule that runs another one on every value of a mapping."""
    return lambda pair: walk(pair, {}, rule)
