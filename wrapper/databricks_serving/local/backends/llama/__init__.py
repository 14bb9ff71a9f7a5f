"""Answers by SmolLM2-135M, a small language model, under llama.cpp.

llama.cpp's own HTTP server does the work, in processes of its own: a failed assertion in it ends
its process and not the caller's, and stopping it never waits for its streams. One process generates
text; a second one, started by the first request for embeddings, embeds.
"""

from databricks_serving.local.backends.llama.backend import LlamaBackend

__all__ = ["LlamaBackend"]
