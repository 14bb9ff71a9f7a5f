"""What a try is authorised by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from databricks_serving._core.secret import Hidden, Secret


@dataclass(frozen=True, slots=True)
class Pass:
    """The headers that authorise one try.

    Attributes:
        headers: Names in lower case, `authorization` among them.
        secrets: What of them must not be repeated in errors and logs.
        accept: Takes note that the server took them after it had refused others.
        refuse: Takes note that the server refused them; tells whether others can be had.
    """

    headers: Hidden[Mapping[str, str]]
    secrets: tuple[Secret, ...]
    accept: Callable[[], None]
    refuse: Callable[[], bool]
