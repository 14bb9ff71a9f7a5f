"""What answers the requests of the local endpoint."""

from collections.abc import Callable, Mapping
from typing import Final

from databricks_serving.local.backends.deterministic import DeterministicBackend
from databricks_serving.local.backends.llama import LlamaBackend
from databricks_serving.local.backends.mixed import MixedBackend
from databricks_serving.local.backends.protocol import Backend
from databricks_serving.local.backends.wordllama import WordLlamaEmbeddings

__all__ = ["BACKENDS", "EMBEDDINGS", "Backend", "MixedBackend"]

BACKENDS: Final[Mapping[str, Callable[[bool], Backend]]] = {
    "deterministic": lambda _: DeterministicBackend(),
    "smollm2": LlamaBackend,
}
EMBEDDINGS: Final[Mapping[str, Callable[[], Backend]]] = {
    "lexical": DeterministicBackend,
    "wordllama": WordLlamaEmbeddings,
}
