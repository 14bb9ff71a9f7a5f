"""One OpenAPI document: its references, and which way its schemas travel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from databricks_serving.contract.diff.tree import ABSENT, Json, Node, mapping, sequence
from databricks_serving.contract.diff.verdict import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SCHEMAS: Final = "#/components/schemas/"
Directions: TypeAlias = tuple[Direction, ...]
_UNIONS = ("anyOf", "oneOf")
_DIRECTIONS = {
    "parameters": (Direction.REQUEST,),
    "requestBody": (Direction.REQUEST,),
    "requestBodies": (Direction.REQUEST,),
    "responses": (Direction.RESPONSE,),
    "headers": (Direction.RESPONSE,),
}


@dataclass(frozen=True)
class Document:
    """An OpenAPI document."""

    root: dict[str, Json]

    def resolve(self, node: Node) -> Node:
        """Follow references until something else comes; `ABSENT` where they lead nowhere."""
        seen: set[str] = set()
        while (ref := ref_of(node)) is not None:
            if ref in seen:
                return ABSENT
            seen.add(ref)
            node = self._target(ref)
        return node

    def _target(self, ref: str) -> Node:
        if not ref.startswith("#/"):
            return ABSENT
        node: Node = self.root
        for step in ref[2:].split("/"):
            node = mapping(node).get(step.replace("~1", "/").replace("~0", "~"), ABSENT)
        return node

    @cached_property
    def references(self) -> frozenset[str]:
        """Every reference that occurs anywhere."""
        return frozenset(ref for ref, _, _ in self._references(self.root, tuple(Direction)))

    @cached_property
    def uses(self) -> dict[str, dict[Direction, bool]]:
        """For each schema name the directions it travels in, and whether only as an open enum."""
        shared = {**mapping(self.root.get("components")), "schemas": {}}
        pending = list(self._schemas({**self.root, "components": shared}, tuple(Direction)))
        uses: dict[str, dict[Direction, bool]] = {}
        while pending:
            name, direction, is_open = pending.pop()
            known = uses.setdefault(name, {})
            if direction in known and (is_open or not known[direction]):
                continue
            known[direction] = is_open
            schema = self._target(f"{SCHEMAS}{name}")
            pending += self._schemas(schema, (direction,))
        return uses

    def _schemas(self, node: Node, directions: Directions) -> Iterator[tuple[str, Direction, bool]]:
        for ref, reached, is_open in self._references(node, directions):
            if ref.startswith(SCHEMAS):
                for direction in reached:
                    yield ref.removeprefix(SCHEMAS), direction, is_open

    def _references(
        self, node: Node, directions: Directions, *, is_open: bool = False
    ) -> Iterator[tuple[str, Directions, bool]]:
        if (ref := ref_of(node)) is not None:
            yield ref, directions, is_open
        for key, value in mapping(node).items():
            if key == "not" or not isinstance(value, dict | list):
                continue  # what a schema excludes does not travel
            reached = _DIRECTIONS.get(key, directions) if len(directions) > 1 else directions
            members = sequence(value) if key in _UNIONS else []
            open_union = self.is_open(members)
            for member in members or [value]:
                yield from self._references(member, reached, is_open=open_union)
        for item in sequence(node):
            yield from self._references(item, directions)

    def is_open(self, members: Iterable[Json]) -> bool:
        """Whether a union takes any string, so that an enum in it only lists what is known."""
        return any(
            mapping(schema).get("type") == "string" and not _RESTRICTIONS & mapping(schema).keys()
            for schema in map(self.resolve, members)
        )


_RESTRICTIONS = {"enum", "const", "pattern", "format", "minLength", "maxLength"}


def ref_of(node: Node) -> str | None:
    """Return the reference a node consists of."""
    ref = mapping(node).get("$ref")
    return ref if isinstance(ref, str) else None
