"""This client, over each transport."""

import sys
from typing import Any

import httpx

from databricks_serving import AsyncServingClient, ServingClient
from serving_bench.clients.common import MESSAGES, PACKED, TEXTS, TOKEN


class Blocking:
    """The client of blocking code as it comes."""

    def __init__(self, host: str) -> None:
        self._client = ServingClient(host, TOKEN, transport=self._transport())

    def _transport(self) -> httpx.BaseTransport | None:
        return None

    def chat(self, model: str) -> str:
        """Make a small call and read its text."""
        return self._client.chat.completions.create(model=model, messages=MESSAGES).text

    def stream(self, model: str) -> int:
        """Read a stream chunk by chunk, typed; return how many came."""
        count = 0
        with self._client.chat.completions.create(
            model=model, messages=MESSAGES, stream=True
        ) as stream:
            for chunk in stream:
                chunk.choices[0].delta.content  # noqa: B018 - as a user would
                count += 1
        return count

    def text(self, model: str) -> int:
        """Read the text of a stream; return how many pieces came."""
        count = 0
        with self._client.chat.completions.stream(model=model, messages=MESSAGES) as stream:
            for _ in stream.text_stream:
                count += 1
        return count

    def embed(self, model: str) -> int:
        """Have texts embedded as lists; return how many vectors came."""
        return len(self._client.embeddings.create(model=model, input=TEXTS).vectors)

    def embed_packed(self, model: str) -> int:
        """Have texts embedded as one array; return how many vectors came."""
        reply = self._client.embeddings.create(model=model, input=TEXTS, encoding_format=PACKED)
        return len(reply.as_array())

    def close(self) -> None:
        """Close the client."""
        self._client.close()


class OverHttpx(Blocking):
    """Over the transport of httpx."""

    def _transport(self) -> httpx.BaseTransport:
        return httpx.HTTPTransport()


class OverPyreqwest(Blocking):
    """Over the transport of pyreqwest."""

    def _transport(self) -> httpx.BaseTransport:
        from pyreqwest.compatibility.httpx import SyncHttpxTransport

        return SyncHttpxTransport()


class WithoutPybase64(Blocking):
    """As it is where pybase64 is not installed."""

    def __init__(self, host: str) -> None:
        sys.modules["pybase64"] = None  # type: ignore[assignment]  # keeps it from being imported
        super().__init__(host)


class Async:
    """The client of asynchronous code as it comes."""

    def __init__(self, host: str) -> None:
        self._client = AsyncServingClient(host, TOKEN, transport=self._transport())

    def _transport(self) -> httpx.AsyncBaseTransport | None:
        return None

    async def chat(self, model: str) -> str:
        """Make a small call and read its text."""
        return (await self._client.chat.completions.create(model=model, messages=MESSAGES)).text

    async def stream(self, model: str) -> int:
        """Read a stream chunk by chunk, typed; return how many came."""
        count = 0
        async with await self._client.chat.completions.create(
            model=model, messages=MESSAGES, stream=True
        ) as stream:
            async for chunk in stream:
                chunk.choices[0].delta.content  # noqa: B018 - as a user would
                count += 1
        return count

    async def text(self, model: str) -> int:
        """Read the text of a stream; return how many pieces came."""
        count = 0
        async with self._client.chat.completions.stream(model=model, messages=MESSAGES) as stream:
            async for _ in stream.text_stream:
                count += 1
        return count

    async def embed(self, model: str) -> int:
        """Have texts embedded as lists; return how many vectors came."""
        return len((await self._client.embeddings.create(model=model, input=TEXTS)).vectors)

    async def embed_packed(self, model: str) -> int:
        """Have texts embedded as one array; return how many vectors came."""
        reply = await self._client.embeddings.create(
            model=model, input=TEXTS, encoding_format=PACKED
        )
        return len(reply.as_array())

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()


class AsyncOverAiohttp(Async):
    """Over the transport of httpx-aiohttp."""

    def _transport(self) -> Any:
        from httpx_aiohttp import AiohttpTransport

        return AiohttpTransport()


class AsyncOverPyreqwest(Async):
    """Over the transport of pyreqwest."""

    def _transport(self) -> httpx.AsyncBaseTransport:
        from pyreqwest.compatibility.httpx import HttpxTransport

        return HttpxTransport()
