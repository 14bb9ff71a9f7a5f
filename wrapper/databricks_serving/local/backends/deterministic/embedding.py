"""Lexical embeddings: words and letter triples hashed to places in a vector."""

import base64
import math
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from zlib import crc32

from databricks_serving.local.backends.deterministic.text import tokenize
from databricks_serving.local.jsontypes import Json

DIMENSIONS: Final = 64
_WORD: Final = re.compile(r"\w+")
_WORD_WEIGHT: Final = 2.0
_TRIPLE: Final = 3


def reply(request: Json) -> Json:
    """The parts of an embedding reply that follow from the request."""
    size = request.get("dimensions", DIMENSIONS)
    return reply_of(request, [embed(text, size) for text in texts_of(request)])


def texts_of(request: Json) -> list[str]:
    """The texts to embed."""
    texts = [request["input"]] if isinstance(request["input"], str) else request["input"]
    if instruction := request.get("instruction"):
        texts = [f"{instruction} {text}" for text in texts]
    return texts


def reply_of(request: Json, vectors: Iterable[Sequence[float]]) -> Json:
    """The parts of an embedding reply with these vectors."""
    encode = _base64 if request.get("encoding_format") == "base64" else list[float]
    spent = sum(len(tokenize(text)) for text in texts_of(request))
    return {
        "data": [
            {"object": "embedding", "index": index, "embedding": encode(vector)}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": spent, "total_tokens": spent},
    }


def embed(text: str, size: int) -> Sequence[float]:
    """Embed a text as 32-bit floats of length 1."""
    vector = [0.0] * size
    for feature, weight in _features(text):
        value = crc32(feature.encode("utf-8", "surrogatepass"))
        # The sign keeps texts with nothing in common near a right angle.
        vector[(value >> 1) % size] += weight if value & 1 else -weight
    length = math.sqrt(math.fsum(value * value for value in vector))
    if not length:
        vector[0] = length = 1.0
    layout = f"<{size}f"
    return struct.unpack(layout, struct.pack(layout, *(value / length for value in vector)))


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in _WORD.findall(text.lower()):
        yield word, _WORD_WEIGHT
        padded = f"^{word}$"
        for start in range(len(padded) - _TRIPLE + 1):
            yield padded[start : start + _TRIPLE], 1.0


def _base64(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
