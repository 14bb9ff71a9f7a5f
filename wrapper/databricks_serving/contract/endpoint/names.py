"""Python names for what has other names on the wire."""

import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping

from databricks_serving.contract.endpoint.types import List, Map, Record, Type
from databricks_serving.errors import InvalidRequestError

# What the classes of rows use in their own bodies, or have as attributes.
_TAKEN = frozenset(
    re.findall(
        r"\w+",
        "Any ClassVar Literal Mapping Model ReplyMeta Self as_datetime bool bytes classmethod "
        "datetime define dict dump extra field float from_dict frozenset int isinstance list "
        "object property same_extra self set str to_dict tuple type",
    )
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


def python_names(names: Iterable[str], what: str, taken: Collection[str] = ()) -> dict[str, str]:
    """Map names of the wire to names of attributes or keywords.

    A name that is an identifier stays as it is. One that Python or the code around it uses gets an
    underscore at its end, and what no identifier may hold becomes one.

    Args:
        names: The names on the wire.
        what: What they are names of, for errors.
        taken: Further names that the code around them uses.

    Raises:
        InvalidRequestError: When a name occurs twice, or two names would be one.
    """
    found: dict[str, str] = {}
    owners: dict[str, str] = {}
    for name in names:
        if not _is_text(name):
            raise InvalidRequestError(f"{what} {name!r} is no text: rename it in the signature")
        if name in found:
            raise InvalidRequestError(f"{what} {name!r} occurs twice: rename one in the signature")
        made = _identifier(name, taken)
        if made in owners:
            raise InvalidRequestError(
                f"{what} {owners[made]!r} and {what} {name!r} would both be {made!r} in Python: "
                "rename one in the signature"
            )
        found[name] = made
        owners[made] = name
    return found


def _is_text(name: str) -> bool:
    # JSON can hold halves of characters, which no file can.
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _identifier(name: str, taken: Collection[str]) -> str:
    text = unicodedata.normalize("NFKC", name)
    if not text.isidentifier() or text.startswith("_"):
        text = "".join(char if f"a{char}".isidentifier() else "_" for char in text)
        text = re.sub(r"__+", "_", text).strip("_")
        text = text if text.isidentifier() else f"field_{text}".rstrip("_")
    if keyword.iskeyword(text) or text in _TAKEN or text in taken:
        return f"{text}_"
    return text


def class_names(roots: Mapping[str, Type]) -> dict[tuple[str, ...], str]:
    """Name a class for every object inside some types, or an alias for one without listed keys.

    Args:
        roots: The types by the names that those of their classes begin with.

    Returns:
        The names by their places: the name of the root, then the steps to the object.
    """
    found: dict[tuple[str, ...], str] = {}
    used: set[str] = set()
    for root, kind in roots.items():
        for place in _records(kind, (root,)):
            stem = root + "".join(map(_pascal, place[1:]))
            name, number = stem, 1
            # Modules of classes are told apart by lower-case letters only.
            while name.lower() in used:
                number += 1
                name = f"{stem}{number}"
            used.add(name.lower())
            found[place] = name
    return found


def _records(kind: Type, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(kind, Record | Map):
        yield place
    for step, inner in inside(kind):
        yield from _records(inner, (*place, step))


def inside(kind: Type) -> Iterator[tuple[str, Type]]:
    """Yield the types directly inside one, each with the step that leads to it.

    What is in a map stays as it came, so there is nothing inside.
    """
    if isinstance(kind, Record):
        for field in kind.fields:
            yield field.name, field.type
    elif isinstance(kind, List):
        yield "[]", kind.items


def _pascal(step: str) -> str:
    if step == "[]":
        return "Item"
    return "".join(word.capitalize() for word in _WORD.findall(step)) or "Field"


def package_name(text: str) -> str:
    """Return the name of a package for an endpoint.

    Raises:
        InvalidRequestError: When nothing in it can be used.
    """
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower()
    return check_package(name or text)


def check_package(name: str) -> str:
    """Return the name of a package as it is.

    Raises:
        InvalidRequestError: When it is none.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise InvalidRequestError(
            f"{name!r} is no name of a package: give one of letters, digits and underscores with "
            "--package"
        )
    return name
