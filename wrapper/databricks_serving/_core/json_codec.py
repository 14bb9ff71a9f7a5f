"""JSON by orjson, and by the standard library for what orjson refuses but servers send."""

import json
from typing import Any, TypeGuard

import orjson

# orjson stops at a depth of 1024; the fallback must not go deeper, or it exhausts the stack.
_MAX_DEPTH = 1024


class JSONDecodeError(ValueError):
    """The bytes are not JSON that this package reads."""


# Only JSON's own types: a silent conversion would hide a mistake until the server refuses it.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def encode(value: Any) -> bytes:
    """Encode a value; raises TypeError for what JSON cannot hold."""
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError as error:
        if "surrogates" in str(error):
            # A lone surrogate has no UTF-8 form; JSON can still carry it as an escape.
            return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
        raise


def decode(data: bytes | str) -> Any:
    """Decode JSON text; raises JSONDecodeError.

    Accepts what orjson refuses but servers send: `NaN` and infinities (custom models) and escapes
    of lone surrogates.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _decode_leniently(data)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a decoded value is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a decoded value is a JSON array."""
    return isinstance(value, list)


def _decode_leniently(data: bytes | str) -> Any:
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        if text.count("[") + text.count("{") > _MAX_DEPTH and _depth(text) > _MAX_DEPTH:
            raise JSONDecodeError(f"nested deeper than {_MAX_DEPTH}")
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        # The cause would quote the body, which may hold what the user wrote.
        raise JSONDecodeError(str(error)[:80]) from None


def _depth(text: str) -> int:
    deepest = depth = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest
