"""JSON of programs, files and services that may as well be something else."""

from typing import Any

from databricks_serving._core import json_codec
from databricks_serving._core.json_codec import is_object


def object_in(data: bytes) -> dict[str, Any]:
    """Return the object that this is in JSON, and an empty one for anything else."""
    try:
        value = json_codec.decode(data)
    except json_codec.JSONDecodeError:
        return {}
    return value if is_object(value) else {}
