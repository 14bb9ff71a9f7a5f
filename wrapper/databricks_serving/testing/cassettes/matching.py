"""Which recording answers a request, and how a request differs from one."""

import json
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final, NamedTuple

from databricks_serving._core.json_codec import is_list, is_object

_ABSENT: Final = object()
_MOST: Final = 8
_WIDTH: Final = 60


class Asked(NamedTuple):
    """A request as it is compared."""

    method: str
    path: str
    body: Any


class Difference(NamedTuple):
    """A place where a request is not as it was recorded."""

    place: str
    recorded: str
    sent: str

    def __str__(self) -> str:
        return f"{self.place}: recorded {self.recorded}, sent {self.sent}"


def body_of(content: bytes) -> Any:
    """Return the body of a request as JSON, or as text where it is none; None without one."""
    if not content:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")


def without(value: Any, fields: Sequence[str]) -> Any:
    """Return a body without some of its fields, at any depth."""
    if is_object(value):
        return {key: without(one, fields) for key, one in value.items() if key not in fields}
    if is_list(value):
        return [without(one, fields) for one in value]
    return value


def differences(recorded: object, sent: object, place: str = "$") -> Iterator[Difference]:
    """Yield the places where two bodies differ, by JSON path."""
    if is_object(recorded) and is_object(sent):
        for key in dict.fromkeys([*recorded, *sent]):
            one, other = recorded.get(key, _ABSENT), sent.get(key, _ABSENT)
            yield from differences(one, other, f"{place}.{key}")
    elif is_list(recorded) and is_list(sent):
        for index, (one, other) in enumerate(zip_longest(recorded, sent, fillvalue=_ABSENT)):
            yield from differences(one, other, f"{place}[{index}]")
    elif recorded is _ABSENT or sent is _ABSENT or recorded != sent:
        yield Difference(place, _shown(recorded), _shown(sent))


def told(recorded: Asked, sent: Asked) -> list[str]:
    """Return how a request differs from a recorded one, the first differences only."""
    found = [
        Difference(name, one, other)
        for name, one, other in (
            ("method", recorded.method, sent.method),
            ("path", recorded.path, sent.path),
        )
        if one != other
    ]
    found += differences(recorded.body, sent.body)
    lines = [str(one) for one in found[:_MOST]]
    return [*lines, f"and {len(found) - _MOST} more"] if len(found) > _MOST else lines


def nearest(sent: Asked, recorded: Sequence[Asked]) -> int | None:
    """Return the position of the recorded request that is most like one; None without any."""
    return min(range(len(recorded)), key=lambda at: _distance(sent, recorded[at]), default=None)


def _distance(one: Asked, other: Asked) -> tuple[bool, bool, int]:
    found = sum(1 for _ in differences(one.body, other.body))
    return one.method != other.method, one.path != other.path, found


def _shown(value: object) -> str:
    if value is _ABSENT:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
