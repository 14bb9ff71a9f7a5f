"""Emits `params.py`: TypedDicts, so that plain dicts are checked as strictly as models.

Wherever a schema asks for an object, the model and its TypedDict are both accepted, except for
catch-all objects: a mapping of anything would take every misspelt key of their siblings.
"""

import json
import textwrap
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from codegen.schemas import Schema, flatten, is_class, members, ref_name, references

_HEADER = '''\
"""Typed dicts for requests: the keyword parameters of each operation, and what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Required, TypeAlias, TypedDict

if TYPE_CHECKING:
    from .models import '''
_PYTHON = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
}


def emit_params(document: Mapping[str, Any]) -> str:
    """Return the source of the module for a projected document."""
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    listed = [op["x-sdk-params"] for op in operations if "x-sdk-params" in op]
    params = {one["request"]: one for one in listed}
    return "".join(_Emitter(document["components"]["schemas"], params).module())


class _Emitter:
    def __init__(
        self, schemas: Mapping[str, Schema], params: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._schemas = schemas
        self._params = params
        self._models: set[str] = set()
        """Names of the models that annotations mention."""

    def module(self) -> Iterator[str]:
        named = [name for name in self._reachable() if self._has_dict(name)]
        aliases = self._in_order([name for name in named if members(self._schemas[name])])
        classes = "".join(text for n in named if n not in aliases for text in self._classes(n))
        unions = "".join(map(self._alias, aliases))
        parts = [part["name"] for p in self._params.values() for part in p["parts"]]
        keywords = [p["name"] for p in self._params.values()]
        public = sorted([*(f"{n}Dict" for n in named), *keywords, *parts])
        yield f"{_HEADER}{', '.join(sorted(self._models))}\n\n\n{classes}"
        if aliases:
            targets = "".join(f"    {name}Dict = Any\n" for name in aliases)
            yield f"if TYPE_CHECKING:\n{unions}\nelse:\n{targets}\n"
        yield f"__all__ = ({' '.join(f'{json.dumps(name)},' for name in public)})\n"

    def _reachable(self) -> list[str]:
        """Return the names of all components that a request can hold, in the contract's order."""
        found: set[str] = set()
        waiting = set(self._params)
        while waiting:
            found |= waiting
            waiting = {ref for name in waiting for ref in references(self._schemas[name])} - found
        return [name for name in self._schemas if name in found]

    def _has_dict(self, name: str) -> bool:
        schema = self._schemas[name]
        return "x-sdk-catch-all" not in schema if is_class(schema) else bool(members(schema))

    def _in_order(self, unions: list[str]) -> list[str]:
        """Put unions behind those that they mention: an alias needs what it is made of."""
        ordered: dict[str, None] = {}
        for name in unions:
            nested = [ref for ref in references(self._schemas[name]) if ref in unions]
            ordered |= dict.fromkeys([*self._in_order(nested), name])
        return list(ordered)

    def _alias(self, name: str) -> str:
        schema = self._schemas[name]
        doc = _docstring(schema.get("description"))
        return textwrap.indent(f"{name}Dict: TypeAlias = {self._union(schema)}\n{doc}", "    ")

    def _classes(self, name: str) -> Iterator[str]:
        schema = self._schemas[name]
        doc = _docstring(schema.get("description"))
        if name not in self._params:
            yield _class(f"{name}Dict", "TypedDict", doc, self._fields(schema, ()))
            return
        keywords, reserved = self._params[name]["name"], self._params[name]["reserved"]
        full = _docstring(self._explained(schema, reserved))
        yield _class(keywords, "TypedDict", full, self._fields(schema, reserved, nullable=True))
        for part in self._params[name]["parts"]:
            about = _docstring(f"What `{keywords}` holds but for {', '.join(part['without'])}.")
            fields = self._fields(schema, {*reserved, *part["without"]}, nullable=True)
            yield _class(part["name"], "TypedDict", about, fields)
        others = schema["properties"].keys() - set(reserved)
        yield _class(f"{name}Dict", keywords, doc, self._fields(schema, others))

    def _explained(self, schema: Schema, left_out: Collection[str]) -> str:
        """Describe the keywords for `help()`, which does not show what stands below each."""
        lines = [
            f"    {key}: {value['description']}"
            for key, value in schema["properties"].items()
            if key not in left_out and "description" in value
        ]
        keywords = ["", "Keywords:", *lines] if lines else []
        return "\n".join([schema.get("description", ""), *keywords])

    def _fields(
        self, schema: Schema, left_out: Collection[str], *, nullable: bool = False
    ) -> Iterator[str]:
        required = set(schema["required"]) - set(schema.get("x-sdk-required", ()))
        for key, value in schema["properties"].items():
            if key in left_out:
                continue
            annotation = self._annotation(value)
            if key in required:
                annotation = f"Required[{annotation}]"
            elif nullable and not annotation.endswith("None"):
                annotation = f"{annotation} | None"
            described = value if "description" in value else self._target(value)
            yield f"{key}: {annotation}\n{_docstring(described.get('description'))}"

    def _target(self, schema: Schema) -> Schema:
        name = ref_name(schema)
        return schema if name is None else self._schemas[name]

    def _annotation(self, schema: Schema, *, beside_str: bool = False) -> str:
        if name := ref_name(schema):
            return self._reference(name, beside_str=beside_str)
        if members(schema):
            return self._union(schema)
        if "const" in schema:
            return f"Literal[{json.dumps(schema['const'])}]"
        types: str | list[str] | None = schema.get("type")
        if isinstance(types, list):
            return self._union({"anyOf": [{**schema, "type": single} for single in types]})
        if types == "array":
            return self._array(schema["items"], beside_str=beside_str)
        return _PYTHON[types] if types else "Any"

    def _reference(self, name: str, *, beside_str: bool) -> str:
        schema = self._schemas[name]
        if is_class(schema) or "enum" in schema:
            self._models.add(name)
            return f"{name} | {name}Dict" if self._has_dict(name) else name
        if schema.get("type") == "object":
            values = schema["additionalProperties"]
            return f"Mapping[str, {'Any' if values is True else self._annotation(values)}]"
        if members(schema):
            return f"{name}Dict"
        return self._annotation(schema, beside_str=beside_str)

    def _union(self, schema: Schema) -> str:
        beside_str = self._takes_str(schema)
        variants = [self._annotation(m, beside_str=beside_str) for m in members(schema)]
        parts = dict.fromkeys(part for variant in variants for part in variant.split(" | "))
        return " | ".join(sorted(parts, key="None".__eq__))

    def _array(self, items: Schema, *, beside_str: bool) -> str:
        item = self._annotation(items)
        # A str is a Sequence[str]: where a lone one would be a mistake, take real lists only.
        if self._takes_str(items) and not beside_str:
            return f"list[{item}] | tuple[{item}, ...]"
        return f"Sequence[{item}]"

    def _takes_str(self, schema: Schema) -> bool:
        for variant in flatten(schema, self._schemas):
            target = self._target(variant)
            if "string" in target.get("type", ()) and not target.keys() & {"const", "enum"}:
                return True
        return False


def _class(name: str, base: str, doc: str, fields: Iterator[str]) -> str:
    body = f"{doc}\n{''.join(fields)}".strip() or "pass"
    return f"class {name}({base}, total=False):\n{textwrap.indent(body, '    ')}\n\n\n"


def _docstring(text: str | None) -> str:
    if not text:
        return ""
    escaped = text.strip().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    quoted = f'"""{escaped} """' if escaped.endswith('"') else f'"""{escaped}"""'
    return "".join(f"{_filled(line)}\n" for line in quoted.splitlines())


def _filled(line: str) -> str:
    indent = " " * (len(line) - len(line.lstrip()))
    deeper = f"{indent}    " if indent else ""
    return textwrap.fill(line, 92, subsequent_indent=deeper)
