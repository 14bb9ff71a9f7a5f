"""What the server of the benchmark answers, made once and sent as it is."""

import base64
import json
import random
import struct
from typing import Any, Final

VECTORS: Final = 64
DIMENSION: Final = 1024
# How a server that is in no hurry to send small packets cuts a stream.
PIECE: Final = 16 * 1024

_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\nx-request-id: 5f0c8f7a-bench\r\n"
_STREAM: Final = _HEAD % b"text/event-stream" + b"transfer-encoding: chunked\r\n\r\n"
_END: Final = b"0\r\n\r\n"
_WORDS: Final = (
    "the",
    "of",
    "and",
    "a",
    "lake",
    "rain",
    "in",
    "is",
    "that",
    "it",
    "was",
    "for",
    "on",
)


def whole(body: object) -> bytes:
    """Return an answer with a body of JSON."""
    content = json.dumps(body).encode()
    return _HEAD % b"application/json" + b"content-length: %d\r\n\r\n" % len(content) + content


def chat() -> bytes:
    """Return a small answer of a chat."""
    return whole(
        {
            "id": "chatcmpl-5f0c8f7a",
            "object": "chat.completion",
            "created": 1790000000,
            "model": "bench-chat",
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": "Bergen has rain on 240 days of the year.",
                    },
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 21, "completion_tokens": 12, "total_tokens": 33},
        }
    )


def vectors(count: int = VECTORS, *, packed: bool = False) -> bytes:
    """Return embeddings, as numbers or as base64."""
    drawn = random.Random(7)  # noqa: S311 - no secret
    rows = [[drawn.uniform(-0.2, 0.2) for _ in range(DIMENSION)] for _ in range(count)]
    return whole(
        {
            "object": "list",
            "data": [
                {
                    "object": "embedding",
                    "index": index,
                    "embedding": _packed(row) if packed else row,
                }
                for index, row in enumerate(rows)
            ],
            "model": "bench-vectors",
            "usage": {"prompt_tokens": 640, "total_tokens": 640},
        }
    )


def _packed(row: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(row)}f", *row)).decode()


def events(count: int) -> list[bytes]:
    """Return the events of a stream of chat, its end among them."""
    texts = [_WORDS[index % len(_WORDS)] for index in range(count)]
    chunks = [_chunk({"role": "assistant", "content": " " + text}) for text in texts]
    usage = {"prompt_tokens": 21, "completion_tokens": count, "total_tokens": 21 + count}
    chunks[-1] = _chunk({"content": ""}, "stop") | {"usage": usage}
    return [b"data: %s\n\n" % json.dumps(one).encode() for one in chunks] + [b"data: [DONE]\n\n"]


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-5f0c8f7a",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "bench-chat",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def chunked(pieces: list[bytes]) -> list[bytes]:
    """Return the writes of a stream: the head, a chunk of HTTP for each piece, the end."""
    return [_STREAM, *(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces), _END]


def in_blocks(count: int) -> list[bytes]:
    """Return the writes of a stream whose events are cut anywhere."""
    text = b"".join(events(count))
    return chunked([text[at : at + PIECE] for at in range(0, len(text), PIECE)])
