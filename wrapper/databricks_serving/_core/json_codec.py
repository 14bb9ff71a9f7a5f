"""JSON by orjson, and by the standard library for what orjson refuses but servers send."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeGuard
from uuid import UUID

import orjson

# orjson writes no deeper than this; what is read is held to the same, so that it can be written.
MAX_DEPTH: Final = 254
_TOO_DEEP: Final = f"nested deeper than {MAX_DEPTH}"
# No JSON of so few characters is: each level takes two.
_SHALLOW: Final = 2 * MAX_DEPTH
# Only JSON's own types: a silent conversion would hide a mistake until the server refuses it.
_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
INTEGERS: Final = range(-(2**63), 2**64)
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
# Methods of arrays and of dates that return what JSON can hold.
_CONVERSIONS: Final = ("tolist", "isoformat")
_BRACKETS: Final = frozenset(b"[]{}")
_NOT_BRACKETS: Final = bytes(code for code in range(256) if code not in _BRACKETS)


class JSONDecodeError(ValueError):
    """The bytes are not JSON that this package reads."""


class JSONEncodeError(TypeError):
    """The value is not JSON; the message names the place and the kind, never the value."""


@dataclass(frozen=True, slots=True)
class Written:
    """A part of a body that is JSON text already."""

    data: bytes = field(repr=False)


def encode(value: Any) -> bytes:
    """Encode a value; raises JSONEncodeError, a TypeError, for what JSON cannot hold."""
    try:
        data = orjson.dumps(value, default=_fragment, option=_OPTIONS)
    except orjson.JSONEncodeError as error:
        _refuse_faults(value)
        # A lone surrogate has no UTF-8 form; JSON can still carry it as an escape.
        if "surrogates" in str(error):
            return json.dumps(value, separators=(",", ":"), default=_reread).encode()
        raise JSONEncodeError(str(error)) from None
    if b"null" in data:
        # It may have been NaN or an infinity.
        _refuse_faults(value)
    return data


def encode_plain(value: Any) -> bytes | None:
    """Encode what is JSON as it stands; None for anything else, and for nulls that may be NaN."""
    try:
        data = orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError:
        return None
    return None if b"null" in data else data


def written(value: Any, *, clean: bool = False) -> Written:
    """Encode a value now, to stand as it is wherever it is put; raises as `encode` does.

    Args:
        value: The value, which may change afterwards.
        clean: It is known to be JSON without NaN, so that its nulls need no second look.
    """
    if clean:
        with suppress(orjson.JSONEncodeError):
            return Written(orjson.dumps(value, option=_OPTIONS))
    return Written(encode(value))


def _fragment(value: object) -> Any:
    if isinstance(value, Written):
        return orjson.Fragment(value.data)
    raise TypeError(type(value).__name__)


def _reread(value: object) -> Any:
    if isinstance(value, Written):
        return json.loads(value.data)
    raise TypeError(type(value).__name__)


def decode(data: bytes | str) -> Any:
    """Decode JSON text; raises JSONDecodeError.

    Accepts what orjson refuses but servers send: `NaN` and infinities (custom models) and escapes
    of lone surrogates.
    """
    if len(data) > _SHALLOW and _is_too_deep(data):
        raise JSONDecodeError(_TOO_DEEP)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        value, fault = _decode_leniently(data)
    if fault is not None:
        # Not raised from the errors of the readers: those keep the body, which may hold a prompt.
        raise JSONDecodeError(fault)
    return value


def decode_replacing(data: bytes) -> Any:
    """Decode JSON text as `decode` does, bytes that are no UTF-8 read as U+FFFD."""
    if len(data) > _SHALLOW and _is_too_deep(data):
        raise JSONDecodeError(_TOO_DEEP)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        text = data.decode("utf-8", "replace")
    return decode(text)


def to_text(value: Any) -> str:
    """Write a decoded value for people; takes all that `decode` returns."""
    return json.dumps(value, ensure_ascii=False)


def kind_of(value: object) -> str:
    """Name the type of a value that cannot be sent, and what to send instead if that is known."""
    kind = type(value).__name__
    method = next((name for name in _CONVERSIONS if callable(getattr(value, name, None))), None)
    return kind if method is None else f"{kind} (pass its {method}() instead)"


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a decoded value is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a decoded value is a JSON array."""
    return isinstance(value, list)


def _decode_leniently(data: bytes | str) -> tuple[Any, str | None]:
    """Return the value, and what keeps the text from being JSON if anything does."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        return json.loads(text), None
    except ValueError as error:
        return None, str(error)[:80]


def _is_too_deep(data: bytes | str) -> bool:
    # Most texts have too few brackets; of the others, few have them nested, or have them in texts.
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
    if _has_few_brackets(data):
        return False
    return _nests_too_deep(data) and _nests_too_deep(_STRING.sub(b"", data))


def _has_few_brackets(data: bytes) -> bool:
    # Counting looks at each byte; searching goes ten times faster over long lists of numbers.
    left = MAX_DEPTH
    for bracket in (b"[", b"{"):
        at = data.find(bracket)
        while at >= 0:
            left -= 1
            if left < 0:
                return False
            at = data.find(bracket, at + 1)
    return True


def _nests_too_deep(data: bytes) -> bool:
    depth = 0
    for code in data.translate(None, _NOT_BRACKETS):
        depth += 1 if code in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Tell whether a value is a dict or the like."""
    return isinstance(value, Mapping)


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Tell whether a value is a list or a tuple."""
    return isinstance(value, list | tuple)


def find_fault(value: Any) -> str | None:
    """Return what keeps a value from being JSON, or None: the place, then the kind."""
    return next(_faults(value, "", 0), None)


def _refuse_faults(value: Any) -> None:
    fault = find_fault(value)
    if fault is not None:
        raise JSONEncodeError(fault) from None


def _faults(value: Any, path: str, depth: int) -> Iterator[str]:
    """Yield what keeps a value from being JSON: the place, then the kind."""
    if depth > MAX_DEPTH:
        yield f"{path[:40]}... is nested deeper than {MAX_DEPTH}, or contains itself"
    elif is_mapping(value):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"{path or 'the body'} has a key of type {type(key).__name__}"
            yield from _faults(item, f"{path}.{key}" if path else str(key), depth + 1)
    elif is_sequence(value):
        for position, item in enumerate(value):
            yield from _faults(item, f"{path}[{position}]", depth + 1)
    else:
        fault = _scalar_fault(value)
        if fault is not None:
            yield f"{path} {fault}"


def _scalar_fault(value: object) -> str | None:
    # Not one of its subclasses: those of numpy have no form in JSON.
    if type(value) is float:
        return None if math.isfinite(value) else "is not a finite number"
    if isinstance(value, int):
        return None if value in INTEGERS else "is an integer of more than 64 bits"
    # Those that orjson writes beside JSON's own.
    known = isinstance(value, str | Enum | UUID | Written | None)
    return None if known else f"is of type {kind_of(value)}"
