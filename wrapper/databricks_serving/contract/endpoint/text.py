"""Pieces of source code."""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from databricks_serving.contract.endpoint.names import python_names
from databricks_serving.contract.endpoint.types import (
    Anything,
    Field,
    List,
    Map,
    Record,
    Scalar,
    Type,
)
from databricks_serving.options import CallOptions

_PYTHON: Final = {
    "boolean": "bool",
    "integer": "int",
    "number": "float",
    "string": "str",
    "binary": "str",
    "datetime": "datetime",
}
_WIDTH: Final = 92
# Names of the other parameters of the functions.
_PARAMETERS: Final = ("arguments", "client", "endpoint", "inputs", "messages", "options", "rows")
RAISES: Final = (
    "InvalidRequestError: Before anything is sent, naming the argument.",
    "APIConnectionError: When no answer came.",
    "APIStatusError: When the server answered with an error.",
    "InvalidResponseError: When the answer is not what the contract says, naming the place.",
)


@dataclass(frozen=True, slots=True)
class Module:
    """The source of one module, and the names that it offers."""

    text: str
    names: tuple[str, ...]


def one_line(text: str) -> str:
    """Return a text that can stand in a comment or a docstring, on one line."""
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', "'")


def docstring(summary: str, arguments: Iterable[str] = (), raises: Iterable[str] = ()) -> str:
    """Return a docstring for a function, its first line not indented."""
    parts = [textwrap.fill(one_line(summary), _WIDTH, break_long_words=False)]
    for title, lines in (("Args", list(arguments)), ("Raises", list(raises))):
        if lines:
            filled = [_filled(one_line(line)) for line in lines]
            parts.append("\n".join([f"{title}:", *filled]))
    body = "\n\n".join(parts)
    if "\n" in body:
        body += "\n"
    return textwrap.indent(f'"""{body}"""', "    ").lstrip()


def _filled(line: str) -> str:
    return textwrap.fill(
        line, _WIDTH, initial_indent="    ", subsequent_indent="        ", break_long_words=False
    )


def annotation(kind: Type, place: tuple[str, ...], classes: Mapping[tuple[str, ...], str]) -> str:
    """Return the Python type of a value.

    Args:
        kind: The type.
        place: Where it is, as `classes` has it.
        classes: The names of the classes.
    """
    if isinstance(kind, Scalar):
        return _PYTHON[kind.kind]
    if isinstance(kind, List):
        return f"list[{annotation(kind.items, (*place, '[]'), classes)}]"
    return "Any" if isinstance(kind, Anything) else classes[place]


def keyword_names(fields: Iterable[Field], taken: Iterable[str] = ()) -> dict[str, str]:
    """Name the keywords for what stands beside the rows; raises as `python_names`."""
    reserved = {*_PARAMETERS, *CallOptions.__annotations__, *taken}
    return python_names([field.name for field in fields], "the parameter", reserved)


def keyword_parameters(fields: Iterable[Field], names: Mapping[str, str]) -> str:
    """Return the parameters of a function for what stands beside the rows."""
    return "".join(f"{names[field.name]}: {_loose(field.type)} | None = None, " for field in fields)


def _loose(kind: Type) -> str:
    if isinstance(kind, List):
        return f"Sequence[{_loose(kind.items)}]"
    if isinstance(kind, Map | Record):
        return "Mapping[str, Any]"
    return "Any" if isinstance(kind, Anything) else annotation(kind, (), {})


def keyword_documents(fields: Iterable[Field], names: Mapping[str, str]) -> list[str]:
    """Say what the parameters are."""
    return [
        f"{names[field.name]}: {field.description or 'As the signature of the model has it.'}"
        for field in fields
    ]


def keyword_values(fields: Iterable[Field], names: Mapping[str, str]) -> str:
    """Return a dict of what is given for the parameters, by their names on the wire."""
    return "{" + ", ".join(f"{field.name!r}: {names[field.name]}" for field in fields) + "}"
