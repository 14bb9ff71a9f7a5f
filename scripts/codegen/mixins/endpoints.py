"""Conveniences of the models of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks_serving_api._mixins.display import Shown, as_table, with_footer
from databricks_serving_api._mixins.reply import Reply

if TYPE_CHECKING:
    from databricks_serving_api.models import (
        EndpointConfig,
        EndpointState,
        EndpointTask,
        ServedEntity,
    )


class ServingEndpointListMixin(Reply):
    """What a list of endpoints knows of its HTTP response."""

    __slots__ = ()


class EndpointOpenApiMixin(Reply):
    """What the contract of an endpoint knows of its HTTP response."""

    __slots__ = ()


class ServingEndpointMixin(Shown, Reply):
    """The state and the served entities of an endpoint in short."""

    __slots__ = ()

    if TYPE_CHECKING:
        name: str
        task: EndpointTask | str | None
        config: EndpointConfig | None
        state: EndpointState | None

    @property
    def is_ready(self) -> bool:
        """Whether it takes requests; one that changes what it serves goes on doing so."""
        return self.state is not None and self.state.ready == "READY"

    def _repr_markdown_(self) -> str:
        ready = "ready" if self.is_ready else "not ready"
        rows = [
            (e.name, e.entity_name or e.model_name, _deployment(e)) for e in self.served_entities
        ]
        table = as_table(("served entity", "what it is", "deployment"), rows)
        return with_footer(table, None, self.name, self.task or "custom model", ready)

    @property
    def is_updating(self) -> bool:
        """Whether it is changing what it serves."""
        return self.state is not None and self.state.config_update == "IN_PROGRESS"

    @property
    def served_entities(self) -> list[ServedEntity]:
        """What it serves, under whichever key the workspace sent it."""
        if self.config is None:
            return []
        return self.config.served_entities or self.config.served_models or []


def _deployment(entity: ServedEntity) -> str:
    return (entity.state.deployment if entity.state else None) or ""
