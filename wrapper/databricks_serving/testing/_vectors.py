"""Vectors that depend on nothing but their texts."""

import base64
import hashlib
import math
import struct
from typing import Any, Final

from databricks_serving.testing._requests import RecordedRequest

_MAX: Final = 0xFFFFFFFF


def vector_of(text: str, length: int) -> list[float]:
    """Return a vector of length 1 for a text, the same at each run and on each machine."""
    noise = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(4 * length)
    numbers = [2 * n / _MAX - 1 for n in struct.unpack(f"<{length}I", noise)]
    norm = math.sqrt(math.fsum(number * number for number in numbers)) or 1.0
    return [number / norm for number in numbers]


def embedding_body(request: RecordedRequest, vectors: list[list[float]]) -> dict[str, Any]:
    """Return a whole answer with vectors, in the form that the request asks for."""
    as_text = request.body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(one) if as_text else one}
        for index, one in enumerate(vectors)
    ]
    tokens = sum(len(text.split()) for text in request.texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": request.endpoint, "data": data, "usage": usage}


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
