"""The comparison of two whole documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks_serving.contract.diff.document import Document
from databricks_serving.contract.diff.operations import (
    NOTES,
    compare_body,
    compare_parameter,
    compare_paths,
    compare_response,
    compare_security,
    compare_servers,
    optional,
)
from databricks_serving.contract.diff.pair import (
    Log,
    Pair,
    Rule,
    Rules,
    Scope,
    change,
    each,
    note,
    walk,
)
from databricks_serving.contract.diff.schemas import compare_schema
from databricks_serving.contract.diff.verdict import Difference, Direction, Severity

if TYPE_CHECKING:
    from databricks_serving.contract.diff.tree import Json


def compare(old: dict[str, Json], new: dict[str, Json]) -> list[Difference]:
    """Return every difference between two OpenAPI documents, the most severe first."""
    log = Log()
    scope = Scope(Document(old), Document(new), log)
    walk(Pair(old, new, "", "document", scope), _DOCUMENT)
    return log.differences()


def _schema(pair: Pair) -> None:
    """Judge a component schema once for each direction its values travel in."""
    for direction, is_open in _uses(pair).items():
        compare_schema(pair.travelling(direction, is_open=is_open))


def _uses(pair: Pair) -> dict[Direction, bool]:
    sides = [document.uses.get(pair.key, {}) for document in (pair.scope.old, pair.scope.new)]
    reached = {direction for side in sides for direction in side}
    # What no operation reaches is generated all the same, and judged both ways.
    return {
        direction: bool(reached) and all(side.get(direction, True) for side in sides)
        for direction in Direction
        if direction in reached or not reached
    }


def _shared(kind: str, direction: Direction, rule: Rule) -> Rule:
    """Return the rule for shared definitions; who uses them shows what comes and goes."""
    breaks = Severity.CALLERS if direction is Direction.REQUEST else Severity.READERS

    def run(pair: Pair) -> None:
        dangling = f"#/components/{kind}/{pair.key}" in pair.scope.new.references
        if pair.removed and dangling:
            pair.report(breaks, "shared", f"{pair.key} was removed but is still referred to")
        elif pair.added or pair.removed:
            note(pair)
        else:
            rule(pair.travelling(direction))

    return each(run)


def _scheme(pair: Pair) -> None:
    walk(pair, NOTES, lambda p: p.report(Severity.CALLERS, "security", f"{p.key} {change(p)}"))


_COMPONENTS: Rules = {
    "schemas": each(optional("schema", Severity.READERS, _schema)),
    "securitySchemes": each(optional("security scheme", Severity.CALLERS, _scheme)),
    "parameters": _shared("parameters", Direction.REQUEST, compare_parameter),
    "requestBodies": _shared("requestBodies", Direction.REQUEST, compare_body),
    "responses": _shared("responses", Direction.RESPONSE, compare_response),
    "headers": _shared("headers", Direction.RESPONSE, compare_parameter),
    "examples": note,
}
_DOCUMENT: Rules = {
    "openapi": note,
    "info": each(note),
    "tags": note,
    "externalDocs": note,
    "servers": compare_servers,
    "security": compare_security,
    "paths": compare_paths,
    "components": lambda pair: walk(pair, _COMPONENTS),
}
