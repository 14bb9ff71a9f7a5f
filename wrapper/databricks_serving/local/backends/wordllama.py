"""Embeddings that know what words mean: those of wordllama, whose wheel has its vectors in it."""

import math
from collections.abc import Generator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from databricks_serving.local.backends.deterministic import embedding
from databricks_serving.local.errors import ModelUnavailableError, bad_request
from databricks_serving.local.jsontypes import Json
from databricks_serving.local.tasks import Task

DIMENSIONS: Final = 256


class WordLlamaEmbeddings:
    """Answers requests for embeddings."""

    model = "wordllama-l2-supercat-256"

    def __init__(self) -> None:
        self._vectors: Any = None

    def start(self) -> None:
        """Load the vectors.

        Raises:
            ModelUnavailableError: wordllama is missing.
        """
        try:
            package: Any = import_module("wordllama")
        except ModuleNotFoundError:
            raise ModelUnavailableError(
                "these embeddings need a package; run: "
                "databricks-serving local install --embeddings"
            ) from None
        folder = Path(package.__file__).parent
        self._vectors = package.WordLlama.load(cache_dir=folder, disable_download=True)

    def close(self) -> None:
        """Forget the vectors."""
        self._vectors = None

    def reply(self, task: Task, request: Json) -> Json:  # noqa: ARG002 - there is one task
        """Answer in one piece."""
        size = request.get("dimensions", DIMENSIONS)
        if size > DIMENSIONS:
            raise bad_request(f'"dimensions" must be at most {DIMENSIONS}, got {size}')
        # White space has no vector, and the library divides by its length.
        rows: list[list[float]] = [
            self._vectors.embed([text], norm=False)[0].tolist() if text.strip() else []
            for text in embedding.texts_of(request)
        ]
        head: Json = {"object": "list", "model": self.model}
        return head | embedding.reply_of(request, [_unit(row, size) for row in rows])

    def events(self, task: Task, request: Json) -> Generator[Json, None, None]:
        """Refuse: embeddings do not stream."""
        del task, request
        raise bad_request("embeddings do not stream")


def _unit(row: Sequence[float], size: int) -> list[float]:
    """Return the first numbers of a vector, at length 1."""
    kept = [*row[:size]]
    length = math.sqrt(math.fsum(value * value for value in kept))
    if not length:
        return [1.0] + [0.0] * (size - 1)
    return [value / length for value in kept]
