"""What every whole reply knows of its HTTP response."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from databricks_serving_api.types import ReplyMeta


class Reply:
    """What every whole reply knows of its HTTP response."""

    __slots__ = ()

    if TYPE_CHECKING:
        meta: ReplyMeta | None

    @property
    def request_id(self) -> str | None:
        """The server's id of the request; None for a reply that no client received."""
        return self.meta.request_id if self.meta else None

    @property
    def served_model_name(self) -> str | None:
        """The served model that answered, if the server said."""
        return self.meta.served_model_name if self.meta else None
