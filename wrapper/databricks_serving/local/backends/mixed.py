"""A backend whose embeddings come from another one."""

from collections.abc import Generator
from contextlib import ExitStack

from databricks_serving.local.backends.protocol import Backend
from databricks_serving.local.jsontypes import Json
from databricks_serving.local.tasks import Task


class MixedBackend:
    """Sends requests for embeddings to one backend, and all others to another.

    Args:
        backend: What answers in general.
        embeddings: What answers requests for embeddings.
    """

    def __init__(self, backend: Backend, embeddings: Backend) -> None:
        self._backend = backend
        self._embeddings = embeddings

    @property
    def model(self) -> str:
        """The name of what answers in general."""
        return self._backend.model

    def start(self) -> None:
        """Make both ready."""
        self._embeddings.start()
        self._backend.start()

    def close(self) -> None:
        """Stop both."""
        with ExitStack() as stack:
            stack.callback(self._embeddings.close)
            stack.callback(self._backend.close)

    def reply(self, task: Task, request: Json) -> Json:
        """Answer in one piece."""
        return self._for(task).reply(task, request)

    def events(self, task: Task, request: Json) -> Generator[Json, None, None]:
        """Answer in pieces."""
        return self._for(task).events(task, request)

    def _for(self, task: Task) -> Backend:
        return self._embeddings if task is Task.EMBEDDING else self._backend
