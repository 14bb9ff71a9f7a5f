"""The comparison of `x-sdk-operations`: the typed operations behind one path."""

from __future__ import annotations

from databricks_serving.contract.diff.pair import Pair, Rule, Rules, change, note, walk
from databricks_serving.contract.diff.tree import ABSENT, field_of, labelled, sequence, shown
from databricks_serving.contract.diff.verdict import Severity


def compare_sdk_operations(pair: Pair) -> None:
    """Judge the typed operations, matched by their operationId."""
    label = field_of("operationId")
    walk(pair.using(labelled(pair.old, label), labelled(pair.new, label)), {}, _entry)


def _entry(pair: Pair) -> None:
    if pair.removed:
        pair.report(Severity.READERS, "sdk-operation", f"operation {pair.key} was removed")
    elif pair.added:
        pair.report(Severity.COMPATIBLE, "sdk-operation", f"operation {pair.key} was added")
    else:
        walk(pair, _ENTRY)


def _named(breaks: Severity) -> Rule:
    """Return the rule for the name of a generated class."""

    def run(pair: Pair) -> None:
        severity = Severity.COMPATIBLE if pair.old is ABSENT else breaks
        pair.report(severity, "sdk-operation", f"{pair.key} {change(pair)}")

    return run


def _reserved(pair: Pair) -> None:
    """Judge the body fields that the operation sets itself and callers may not."""
    old, new = sequence(pair.old), sequence(pair.new)
    for field in old:
        if field not in new:
            message = f"{shown(field)} may be passed now"
            pair.report(Severity.COMPATIBLE, "sdk-operation", message)
    for field in new:
        if field not in old:
            message = f"{shown(field)} may no longer be passed"
            pair.report(Severity.CALLERS, "sdk-operation", message)


_ENTRY: Rules = {
    "summary": note,
    "description": note,
    "tag": _named(Severity.READERS),
    "request": _named(Severity.CALLERS),
    "params": _named(Severity.CALLERS),
    "response": _named(Severity.READERS),
    "event": _named(Severity.READERS),
    "reserved": _reserved,
}
