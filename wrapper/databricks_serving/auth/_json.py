"""JSON of programs, files and services that may as well be something else, and tokens in it."""

from collections.abc import Mapping
from typing import Any

from databricks_serving._core import json_codec
from databricks_serving._core.json_codec import is_object
from databricks_serving.errors import TokenError


def object_in(data: bytes) -> dict[str, Any]:
    """Return the object that this is in JSON, and an empty one for anything else."""
    try:
        value = json_codec.decode(data)
    except json_codec.JSONDecodeError:
        return {}
    return value if is_object(value) else {}


def bearer_in(data: Mapping[str, Any], name: str, kind: str, who: str, source: str) -> str:
    """Return the token in an answer.

    Args:
        data: The answer.
        name: How it names the token.
        kind: How it names the kind of the token.
        who: Who answered, for messages.
        source: Who asked.

    Raises:
        TokenError: When there is none, or one of another kind.
    """
    value = data.get(name)
    if not isinstance(value, str):
        what = f"JSON without {name}" if data else "no JSON"
        raise TokenError(f"{who} answered with {what}", source=source)
    if str(data.get(kind, "Bearer")).lower() != "bearer":
        raise TokenError(f"{who} gave a token that is no Bearer token", source=source)
    return value
