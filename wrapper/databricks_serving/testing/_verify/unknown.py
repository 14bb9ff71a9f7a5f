"""Keys that a contract does not name: they are allowed, and may be misspelt.

A schema is open, so that a key of tomorrow breaks nothing. For that very reason a misspelt key that
nobody has to send breaks nothing either.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving.testing._verify.contract import Contract, escaped

_CATCH_ALL: Final = "x-sdk-catch-all"
# So much of a key is compared and shown.
LONGEST: Final = 60


class Unknown(NamedTuple):
    """A key that is not in the contract: its JSON path, and the nearest one that is, if any."""

    path: str
    near: str | None

    def __str__(self) -> str:
        said = "the contract does not name this key"
        return f"{said}; did you mean {self.near!r}?" if self.near else said


def nearest(key: str, known: Sequence[str], likeness: float = 0.6) -> str | None:
    """Return the known key that another one may be meant for; None where none is like it."""
    return next(iter(get_close_matches(key[:LONGEST], known, 1, likeness)), None)


def unknown_keys(
    contract: Contract, pointers: Sequence[str], value: Any, path: str = "$"
) -> Iterator[Unknown]:
    """Yield the keys of a value, at any depth, that none of the schemas names which it fits.

    What is in an object whose keys are free is passed over.

    Args:
        contract: The contract.
        pointers: Where the schemas are in it.
        value: A value that fits them.
        path: Its JSON path.
    """
    schemas = [one for pointer in pointers for one in _applied(contract, pointer, value)]
    if is_list(value):
        places = [f"{at}/items" for at, schema in schemas if "items" in schema]
        for index, item in enumerate(value if places else ()):
            yield from unknown_keys(contract, places, item, f"{path}[{index}]")
    elif is_object(value) and not any(map(_is_free, (schema for _, schema in schemas))):
        known = [key for _, schema in schemas for key in schema.get("properties", ())]
        for key, inner in value.items() if known else ():
            if key not in known:
                yield Unknown(f"{path}.{key:.{LONGEST}}", nearest(key, known))
                continue
            below = [
                f"{at}/properties/{escaped(key)}"
                for at, schema in schemas
                if key in schema.get("properties", ())
            ]
            yield from unknown_keys(contract, below, inner, f"{path}.{key}")


def _is_free(schema: Any) -> bool:
    """Tell whether the keys of an object are for others to choose."""
    return (
        _CATCH_ALL in schema
        or "patternProperties" in schema
        or is_object(schema.get("additionalProperties"))
    )


def _applied(contract: Contract, pointer: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a schema and those that it is put together from, of alternatives those that fit."""
    schema = contract.at(pointer)
    if not is_object(schema):
        return
    yield pointer, schema
    if "$ref" in schema:
        yield from _applied(contract, schema["$ref"].removeprefix("#"), value)
    for index in range(len(schema.get("allOf", ()))):
        yield from _applied(contract, f"{pointer}/allOf/{index}", value)
    for rule in ("anyOf", "oneOf"):
        for index in range(len(schema.get(rule, ()))):
            one = f"{pointer}/{rule}/{index}"
            if not contract.errors(one, value):
                yield from _applied(contract, one, value)
