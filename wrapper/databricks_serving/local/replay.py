"""Which recording answers a request. Pure: it is given the recordings, and reads no file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from databricks_serving.local.jsontypes import Json, is_list, is_object

# The endpoint is matched by its name, wherever a request has that.
_IGNORED: Final = frozenset({"model"})
_KINDS: Final[dict[type, str]] = {
    bool: "a boolean",
    dict: "an object",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "a text",
    type(None): "null",
}


@dataclass(frozen=True, slots=True)
class Miss:
    """No recording answers a request.

    Attributes:
        nearest: Position of the recording that differs least; None where there is none.
        difference: The first difference, as a JSON path and what it is; it holds no values.
    """

    nearest: int | None
    difference: str


def match(recorded: Sequence[Any], sent: Json) -> tuple[int, ...] | Miss:
    """Find the recordings of a request.

    The order of keys does not matter, and `1` is `1.0`. Everything else does, `stream` included.

    Args:
        recorded: The bodies of the recorded requests.
        sent: The body of the request.

    Returns:
        The positions of all that are equal, or why there are none.
    """
    wanted = _without_model(sent)
    differences = [list(_differences(_without_model(body), wanted, "$")) for body in recorded]
    equal = tuple(n for n, found in enumerate(differences) if not found)
    if equal:
        return equal
    if not differences:
        return Miss(None, "nothing is recorded")
    nearest = min(range(len(differences)), key=lambda n: len(differences[n]))
    return Miss(nearest, differences[nearest][0])


def _without_model(body: Any) -> Any:
    if not is_object(body):
        return body
    return {key: value for key, value in body.items() if key not in _IGNORED}


def _differences(recorded: Any, sent: Any, path: str) -> Iterator[str]:
    """Yield all differences, each as a path and words for it."""
    before, after = _KINDS[type(recorded)], _KINDS[type(sent)]
    if before != after:
        yield f"{path} is {after}, and {before} in the recording"
    elif is_object(recorded):
        for key in sorted(recorded.keys() | sent.keys()):
            where = f"{path}.{key}"
            if key not in sent:
                yield f"{where} is missing"
            elif key not in recorded:
                yield f"{where} is not in the recording"
            else:
                yield from _differences(recorded[key], sent[key], where)
    elif is_list(recorded):
        if len(recorded) != len(sent):
            yield f"{path} has {len(sent)} items, and {len(recorded)} in the recording"
        for position, (one, other) in enumerate(zip(recorded, sent, strict=False)):
            yield from _differences(one, other, f"{path}[{position}]")
    elif recorded != sent:
        yield f"{path} has another value"
