"""`typing.override`, which Python 3.11 lacks."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import override
else:

    def override(method: Any) -> Any:
        """Do nothing: the mark is for type checkers."""
        return method


__all__ = ["override"]
