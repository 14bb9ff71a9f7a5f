"""A type in the form in which a model is asked for it, and its answer read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from databricks_serving._core.structured.conform import LooseError, conform
from databricks_serving._core.structured.fillers import without_fillers


@dataclass(frozen=True, slots=True)
class Form:
    """What is sent of a type.

    Attributes:
        raw: The schema as the type makes it.
        schema: The schema as it is sent.
        strict: Whether it is one for strict mode.
    """

    raw: Mapping[str, Any]
    schema: dict[str, Any]
    strict: bool

    @classmethod
    def of(cls, raw: Mapping[str, Any], place: str, *, strict: bool | None, tool: bool) -> "Form":
        """Make a schema fit to be sent.

        Args:
            raw: The schema as the type makes it.
            place: What it is called in errors.
            strict: Whether to make it strict; None where that can be done.
            tool: Whether it is for the parameters of a tool.

        Raises:
            InvalidRequestError: When it cannot be had, naming the field.
        """
        if strict is False:
            return cls(raw, conform(raw, place, strict=False, tool=tool), strict=False)
        try:
            return cls(raw, conform(raw, place, strict=True, tool=tool), strict=True)
        except LooseError:
            if strict:
                raise
        return cls(raw, conform(raw, place, strict=False, tool=tool), strict=False)

    def read(self, value: Any, convert: Callable[[Any], Any]) -> Any:
        """Return what a converter makes of a value that a model wrote."""
        return convert(without_fillers(value, self.raw, self.raw) if self.strict else value)
