"""The comparison of paths, operations and what they send and receive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks_serving.contract.diff.document import ref_of
from databricks_serving.contract.diff.pair import Pair, Rule, Rules, change, each, note, walk
from databricks_serving.contract.diff.schemas import compare_schema
from databricks_serving.contract.diff.sdk import compare_sdk_operations
from databricks_serving.contract.diff.tree import (
    ABSENT,
    Json,
    Node,
    canonical,
    field_of,
    labelled,
    mapping,
    sequence,
)
from databricks_serving.contract.diff.verdict import Direction, Severity

if TYPE_CHECKING:
    from databricks_serving.contract.diff.document import Document

_DESCRIPTIVE = ("summary", "description", "externalDocs", "example", "examples", "deprecated")
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
NOTES: Rules = dict.fromkeys(_DESCRIPTIVE, note)


def referenced(rule: Rule) -> Rule:
    """Return the rule for nodes that may be references to shared definitions.

    Where both documents refer to the same definition, it is judged at its own place.
    """

    def run(pair: Pair) -> None:
        old, new = ref_of(pair.old), ref_of(pair.new)
        if old is not None and old == new:
            walk(pair, NOTES)
            return
        if old != new and not pair.added and not pair.removed:
            pair.report(Severity.NOTICE, "reference", f"refers to {new}, was {old}")
        rule(pair.using(pair.scope.old.resolve(pair.old), pair.scope.new.resolve(pair.new)))

    return run


def optional(what: str, breaks: Severity, rule: Rule) -> Rule:
    """Return the rule for something that may be added freely, but not removed."""

    def run(pair: Pair) -> None:
        if pair.removed:
            pair.report(breaks, _slug(what), f"{what} {pair.key} was removed")
        elif pair.added:
            pair.report(Severity.COMPATIBLE, _slug(what), f"{what} {pair.key} was added")
        else:
            rule(pair)

    return run


def _slug(what: str) -> str:
    return what.replace(" ", "-")


def _fixed(breaks: Severity) -> Rule:
    """Return the rule for something that may not change at all."""
    return lambda pair: pair.report(breaks, pair.key, f"{pair.key} {change(pair)}")


def _media_type(pair: Pair) -> None:
    breaks = _breaks(pair)
    walk(pair, {**NOTES, "schema": compare_schema, "encoding": _fixed(breaks)})


def _content(pair: Pair) -> None:
    walk(pair, {}, optional("content type", _breaks(pair), _media_type))


def _breaks(pair: Pair) -> Severity:
    is_request = pair.scope.direction is Direction.REQUEST
    return Severity.CALLERS if is_request else Severity.READERS


def _demand(pair: Pair) -> None:
    """Judge the `required` flag of a parameter, a body or a header."""
    if bool(pair.old is True) == bool(pair.new is True):
        return
    is_request = pair.scope.direction is Direction.REQUEST
    breaking = (pair.new is True) == is_request
    severity = _breaks(pair) if breaking else Severity.COMPATIBLE
    words = "is now required" if pair.new is True else "is no longer required"
    pair.report(severity, "required", f"{pair.parent.key if pair.parent else 'it'} {words}")


def compare_parameter(pair: Pair) -> None:
    """Judge a parameter that callers send, or a header that readers get."""
    fixed = _fixed(_breaks(pair))
    shape = ("name", "in", "style", "explode", "allowReserved", "allowEmptyValue")
    rules = {**NOTES, **dict.fromkeys(shape, fixed), "required": _demand}
    walk(pair, {**rules, "schema": compare_schema, "content": _content})


def _added_or(what: str, rule: Rule) -> Rule:
    """Return the rule for what callers must send as soon as it is required."""

    def run(pair: Pair) -> None:
        if pair.added and mapping(pair.new).get("required") is True:
            pair.report(Severity.CALLERS, _slug(what), f"required {what} {pair.key} was added")
        else:
            optional(what, Severity.CALLERS, rule)(pair)

    return run


def compare_body(pair: Pair) -> None:
    """Judge a request body."""
    walk(pair, {**NOTES, "required": _demand, "content": _content})


def compare_response(pair: Pair) -> None:
    """Judge the response of one status."""
    header = referenced(optional("header", Severity.READERS, compare_parameter))
    walk(pair, {**NOTES, "links": note, "headers": each(header), "content": _content})


def _responses(pair: Pair) -> None:
    rule = referenced(optional("status", Severity.READERS, compare_response))
    walk(pair.travelling(Direction.RESPONSE), {}, rule)


def _parameters(pair: Pair) -> None:
    scope = pair.scope
    old, new = _by_name(pair.old, scope.old), _by_name(pair.new, scope.new)
    rule = referenced(_added_or("parameter", compare_parameter))
    walk(pair.travelling(Direction.REQUEST).using(old, new), {}, rule)


def _by_name(parameters: Node, document: Document) -> dict[str, Json]:
    def label(parameter: Json) -> str:
        resolved = mapping(document.resolve(parameter))
        return f"{resolved.get('in')} {resolved.get('name')}"

    return labelled(parameters, label)


def compare_security(pair: Pair) -> None:
    """Judge the alternatives of which a caller meets one; none at all means no credential."""
    inherited = pair.scope.old.root, pair.scope.new.root
    old, new = (
        _alternatives(node if node is not ABSENT else root.get("security", ABSENT))
        for node, root in zip((pair.old, pair.new), inherited, strict=True)
    )
    for alternative in sorted(old - new):
        pair.report(Severity.CALLERS, "security", f"alternative {alternative} was removed")
    for alternative in sorted(new - old):
        pair.report(Severity.COMPATIBLE, "security", f"alternative {alternative} was added")


def _alternatives(requirements: Node) -> set[str]:
    return set(map(canonical, sequence(requirements))) or {"{}"}


def compare_servers(pair: Pair) -> None:
    """Judge the addresses that callers may use."""
    label = field_of("url")
    rules = {**NOTES, "variables": _fixed(Severity.CALLERS)}
    rule = optional("server", Severity.CALLERS, lambda server: walk(server, rules))
    walk(pair.using(labelled(pair.old, label), labelled(pair.new, label)), {}, rule)


def _tags(pair: Pair) -> None:
    """Judge the tags of an operation; the first one names its generated module."""
    old, new = list(map(str, sequence(pair.old))), list(map(str, sequence(pair.new)))
    if old[:1] != new[:1]:
        pair.report(Severity.READERS, "tags", f"first tag changed from {old[:1]} to {new[:1]}")
    for tag in sorted(set(old) - set(new)):
        pair.report(Severity.READERS, "tags", f"tag '{tag}' was removed")
    for tag in sorted(set(new) - set(old)):
        pair.report(Severity.COMPATIBLE, "tags", f"tag '{tag}' was added")


def _operation(pair: Pair) -> None:
    walk(pair.travelling(Direction.REQUEST), _OPERATION)


def _path(pair: Pair) -> None:
    method = optional("operation", Severity.CALLERS, _operation)
    walk(pair, {**_SHARED, **dict.fromkeys(_METHODS, method)})


def compare_paths(pair: Pair) -> None:
    """Judge all paths."""
    walk(pair, {}, optional("path", Severity.CALLERS, _path))


_SHARED: Rules = {
    **NOTES,
    "parameters": _parameters,
    "servers": compare_servers,
    "x-sdk-operations": compare_sdk_operations,
}
_OPERATION: Rules = {
    **_SHARED,
    "operationId": _fixed(Severity.READERS),
    "tags": _tags,
    "requestBody": referenced(_added_or("request body", compare_body)),
    "responses": _responses,
    "security": compare_security,
}
