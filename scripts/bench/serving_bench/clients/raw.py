"""HTTP clients with orjson and nothing else: no types, no checks, no retries."""

import base64
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx
import numpy as np
import orjson

from serving_bench.clients.common import HEADERS, TEXTS, body, chat_url, vectors_url


def chunk_of(line: str | bytes) -> Any:
    """Return the chunk in a line of a stream, or None."""
    if not line or line[6:] in {"[DONE]", b"[DONE]"}:
        return None
    return orjson.loads(line[6:])


def text_of(content: bytes) -> str:
    """Return the text of an answer."""
    return orjson.loads(content)["choices"][0]["message"]["content"]


def count_of(content: bytes) -> int:
    """Return how many vectors are in an answer."""
    return len(orjson.loads(content)["data"])


def array_of(content: bytes) -> Any:
    """Return the vectors of an answer as one array."""
    rows = orjson.loads(content)["data"]
    return np.array([np.frombuffer(base64.b64decode(row["embedding"]), "<f4") for row in rows])


def lines_of(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """Yield the lines of a body."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines


def texts(model: str, packing: str) -> bytes:
    """Return the body of a request for embeddings."""
    return orjson.dumps({"model": model, "input": TEXTS, "encoding_format": packing})


class Httpx:
    """httpx, as many write it."""

    def __init__(self, host: str) -> None:
        self._client = httpx.Client(headers=HEADERS)
        self._chat, self._vectors = chat_url(host), vectors_url(host)

    def chat(self, model: str) -> str:
        """Make a small call and read its text."""
        return text_of(self._client.post(self._chat, content=orjson.dumps(body(model))).content)

    def stream(self, model: str) -> int:
        """Read a stream as dictionaries; return how many came."""
        content = orjson.dumps(body(model, stream=True))
        with self._client.stream("POST", self._chat, content=content) as response:
            return sum(chunk_of(line) is not None for line in response.iter_lines())

    text = stream

    def embed(self, model: str) -> int:
        """Have texts embedded as lists; return how many vectors came."""
        return count_of(self._client.post(self._vectors, content=texts(model, "float")).content)

    def embed_packed(self, model: str) -> int:
        """Have texts embedded as one array; return how many vectors came."""
        answer = self._client.post(self._vectors, content=texts(model, "base64"))
        return len(array_of(answer.content))

    def close(self) -> None:
        """Close the client."""
        self._client.close()


class Httpcore:
    """The pool that this client stands on, by itself."""

    def __init__(self, host: str) -> None:
        self._pool = httpcore2.ConnectionPool()
        self._chat, self._vectors = chat_url(host), vectors_url(host)

    def _post(self, url: str, content: bytes) -> bytes:
        return self._pool.request("POST", url, headers=_sized(content), content=content).content

    def chat(self, model: str) -> str:
        """Make a small call and read its text."""
        return text_of(self._post(self._chat, orjson.dumps(body(model))))

    def stream(self, model: str) -> int:
        """Read a stream as dictionaries; return how many came."""
        content = orjson.dumps(body(model, stream=True))
        headers = _sized(content)
        with self._pool.stream("POST", self._chat, headers=headers, content=content) as response:
            return sum(chunk_of(line) is not None for line in lines_of(response.iter_stream()))

    text = stream

    def embed(self, model: str) -> int:
        """Have texts embedded as lists; return how many vectors came."""
        return count_of(self._post(self._vectors, texts(model, "float")))

    def embed_packed(self, model: str) -> int:
        """Have texts embedded as one array; return how many vectors came."""
        return len(array_of(self._post(self._vectors, texts(model, "base64"))))

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()


def _sized(content: bytes) -> dict[str, str]:
    return {**HEADERS, "content-length": str(len(content))}


class AsyncHttpx:
    """httpx for asynchronous code, as many write it."""

    def __init__(self, host: str) -> None:
        self._client = httpx.AsyncClient(headers=HEADERS, limits=httpx.Limits(max_connections=300))
        self._chat, self._vectors = chat_url(host), vectors_url(host)

    async def chat(self, model: str) -> str:
        """Make a small call and read its text."""
        answer = await self._client.post(self._chat, content=orjson.dumps(body(model)))
        return text_of(answer.content)

    async def stream(self, model: str) -> int:
        """Read a stream as dictionaries; return how many came."""
        content, count = orjson.dumps(body(model, stream=True)), 0
        async with self._client.stream("POST", self._chat, content=content) as response:
            async for line in response.aiter_lines():
                count += chunk_of(line) is not None
        return count

    text = stream

    async def embed(self, model: str) -> int:
        """Have texts embedded as lists; return how many vectors came."""
        answer = await self._client.post(self._vectors, content=texts(model, "float"))
        return count_of(answer.content)

    async def embed_packed(self, model: str) -> int:
        """Have texts embedded as one array; return how many vectors came."""
        answer = await self._client.post(self._vectors, content=texts(model, "base64"))
        return len(array_of(answer.content))

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()


class AsyncHttpcore:
    """The pool that this client stands on, by itself, for asynchronous code."""

    def __init__(self, host: str) -> None:
        self._pool = httpcore2.AsyncConnectionPool(max_connections=300)
        self._chat, self._vectors = chat_url(host), vectors_url(host)

    async def _post(self, url: str, content: bytes) -> bytes:
        answer = await self._pool.request("POST", url, headers=_sized(content), content=content)
        return answer.content

    async def chat(self, model: str) -> str:
        """Make a small call and read its text."""
        return text_of(await self._post(self._chat, orjson.dumps(body(model))))

    async def stream(self, model: str) -> int:
        """Read a stream as dictionaries; return how many came."""
        content, count, rest = orjson.dumps(body(model, stream=True)), 0, b""
        headers = _sized(content)
        async with self._pool.stream(
            "POST", self._chat, headers=headers, content=content
        ) as response:
            async for piece in response.aiter_stream():
                *lines, rest = (rest + piece).split(b"\n")
                count += sum(chunk_of(line) is not None for line in lines)
        return count

    text = stream

    async def embed(self, model: str) -> int:
        """Have texts embedded as lists; return how many vectors came."""
        return count_of(await self._post(self._vectors, texts(model, "float")))

    async def embed_packed(self, model: str) -> int:
        """Have texts embedded as one array; return how many vectors came."""
        return len(array_of(await self._post(self._vectors, texts(model, "base64"))))

    async def close(self) -> None:
        """Close the pool."""
        await self._pool.aclose()
