"""Which library reads a type."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Final, Protocol, TypeVar, cast, get_args, get_origin

from databricks_serving._core.json_codec import is_object
from databricks_serving._core.optional import has
from databricks_serving._core.structured.annotations import UNIONS
from databricks_serving._core.structured.plain import PlainConverter
from databricks_serving._core.structured.pydantic_types import PydanticConverter, mentions_pydantic
from databricks_serving._core.structured.schema_check import SchemaConverter

T_co = TypeVar("T_co", covariant=True)

_MOST_KEPT: Final = 256


class Converter(Protocol[T_co]):
    """A type as JSON Schema, and JSON as an object of it."""

    schema: dict[str, Any]

    def read(self, value: Any, /) -> T_co:
        """Return the object that a decoded JSON value stands for.

        Raises:
            MisfitError: When the value does not fit the type.
        """
        ...


def converter_of(hint: Any, place: str, *, pydantic: bool = False) -> Converter[Any]:
    """Return what converts a type, or a JSON Schema as a dict.

    Args:
        hint: The type.
        place: What it is called in errors.
        pydantic: Use pydantic where either library would do.

    Raises:
        InvalidRequestError: When it has no JSON form, naming the field.
        ConfigError: When the library is missing that it needs.
    """
    while not isinstance(hint, type) and hasattr(hint, "__value__"):
        hint = hint.__value__  # what `type X = ...` stands for
    if isinstance(hint, Mapping):
        return SchemaConverter(cast("Mapping[str, Any]", hint))
    try:
        return _kept(hint, place, pydantic=pydantic)
    except TypeError:  # some annotation of it has no hash
        return _made(hint, place, pydantic=pydantic)


def _made(hint: Any, place: str, *, pydantic: bool) -> Converter[Any]:
    if pydantic or mentions_pydantic(hint) or (not has("msgspec") and has("pydantic")):
        return PydanticConverter(hint, place)
    return PlainConverter(hint, place)


# Docstrings of fields stand in the source of a class alone, which takes milliseconds to read.
_kept = lru_cache(maxsize=_MOST_KEPT)(_made)


def name_of(hint: Any) -> str:
    """Return a name for a type, of letters, digits and `_`."""
    if get_origin(hint) is Annotated:
        return name_of(get_args(hint)[0])
    if get_origin(hint) in UNIONS:
        name = ""
    elif is_object(hint):
        name = str(hint.get("title", ""))
    else:
        name = str(getattr(hint, "__name__", getattr(get_origin(hint), "__name__", "")))
    kept = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
    return kept[:64] or "answer"
