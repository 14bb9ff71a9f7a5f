"""What annotations say beside types: descriptions, and where parts of a type stand."""

from collections.abc import Iterator
from contextlib import suppress
from types import UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,
    Required,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from databricks_serving._core.structured.extras import need

UNIONS: Final = frozenset({Union, UnionType})


def with_descriptions(hint: Any) -> Any:
    """Turn the texts in `Annotated` into descriptions that msgspec keeps."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Required, NotRequired}:
        return with_descriptions(arguments[0])
    if origin is Annotated:
        meta = need("msgspec").Meta
        base, *notes = arguments
        kept = [meta(description=note) if isinstance(note, str) else note for note in notes]
        # A subscript cannot be unpacked into without a tuple.
        return Annotated[(with_descriptions(base), *kept)]
    if origin in UNIONS:
        return Union[tuple(map(with_descriptions, arguments))]  # noqa: UP007 - of what is computed
    if origin is None or origin is Literal or not _is_annotated(hint):
        return hint
    return origin[tuple(map(with_descriptions, arguments))]


def _is_annotated(hint: Any) -> bool:
    return get_origin(hint) is Annotated or any(map(_is_annotated, get_args(hint)))


def field_hints(cls: Any) -> dict[str, Any]:
    """Return the annotations of a class that say more than msgspec keeps of them."""
    try:
        hints = get_type_hints(getattr(cls, "__origin__", cls), include_extras=True)
    except (NameError, TypeError):
        return {}
    return {
        name: hint
        for name, hint in hints.items()
        if _is_annotated(hint) and not any(isinstance(one, TypeVar) for one in _leaves(hint))
    }


def _leaves(hint: Any) -> Iterator[Any]:
    arguments = get_args(hint)
    if not arguments:
        yield hint
    for one in arguments:
        yield from _leaves(one)


def parts_of(hint: Any, place: str) -> Iterator[tuple[Any, str]]:
    """Yield the types that a type is made of, with their places."""
    arguments = get_args(hint)
    inside = place if get_origin(hint) in UNIONS else f"{place}[]"
    yield from ((one, inside) for one in arguments)
    if not arguments and isinstance(hint, type):
        with suppress(NameError, TypeError):
            for name, one in get_type_hints(hint, include_extras=True).items():
                yield one, f"{place}.{name}"
