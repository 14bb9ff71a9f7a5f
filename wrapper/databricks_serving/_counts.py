"""Counts of several answers, added up."""

from collections.abc import Mapping
from typing import Any


def added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Add up counts key by key, those inside objects too; of anything else the last stays."""
    total = {**one}
    for key, value in other.items():
        before = total.get(key)
        if isinstance(value, Mapping):
            total[key] = added(before if isinstance(before, Mapping) else {}, value)  # pyright: ignore[reportUnknownArgumentType] - JSON
        elif _is_count(value) and _is_count(before):
            total[key] = before + value
        elif value is not None or key not in total:
            total[key] = value
    return total


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
