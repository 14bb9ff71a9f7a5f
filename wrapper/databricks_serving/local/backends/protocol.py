from collections.abc import Generator
from typing import Protocol

from databricks_serving.local.jsontypes import Json
from databricks_serving.local.tasks import Task


class Backend(Protocol):
    """Turns decoded requests into replies; it is used by several threads at once."""

    @property
    def model(self) -> str:
        """The name that replies give as `model`, and as the served model by default."""
        ...

    def start(self) -> None:
        """Make ready to answer.

        Raises:
            ModelUnavailableError: Packages are missing, or the model does not load.
        """
        ...

    def close(self) -> None:
        """Stop; calls in progress break off. Allowed at any time, also twice."""
        ...

    def reply(self, task: Task, request: Json) -> Json:
        """Answer in one piece.

        Raises:
            RefusedError: The request cannot be answered.
        """
        ...

    def events(self, task: Task, request: Json) -> Generator[Json, None, None]:
        """Answer in pieces.

        Raises:
            RefusedError: Before returning, or while being iterated: the answer broke off.
        """
        ...
