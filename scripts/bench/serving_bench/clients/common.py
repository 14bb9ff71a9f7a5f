"""What all clients send."""

from typing import Any, Final

TOKEN: Final = "dapi-0"  # noqa: S105 - made up
MESSAGES: Final[list[Any]] = [
    {"role": "system", "content": "Answer briefly."},
    {"role": "user", "content": "How often does it rain in Bergen?"},
]
TEXTS: Final = [f"text number {number} about lakes" for number in range(64)]
PACKED: Final = "base64"


def body(model: str, *, stream: bool = False) -> dict[str, Any]:
    """Return the body of a request to chat, for clients that take one as it is."""
    return {"model": model, "messages": MESSAGES} | ({"stream": True} if stream else {})


def chat_url(host: str) -> str:
    """Return the address that takes requests to chat with any model."""
    return f"{host}/serving-endpoints/chat/completions"


def vectors_url(host: str) -> str:
    """Return the address that takes requests for embeddings of any model."""
    return f"{host}/serving-endpoints/embeddings"


HEADERS: Final = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
