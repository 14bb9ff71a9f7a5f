"""The client of OpenAI, as people use it with these endpoints."""

import numpy as np
from openai import AsyncOpenAI, OpenAI

from serving_bench.clients.common import MESSAGES, TEXTS, TOKEN


class Blocking:
    """The client of blocking code on its default transport."""

    def __init__(self, host: str) -> None:
        self._client = OpenAI(api_key=TOKEN, base_url=f"{host}/serving-endpoints")

    def chat(self, model: str) -> str | None:
        """Make a small call and read its text."""
        reply = self._client.chat.completions.create(model=model, messages=MESSAGES)
        return reply.choices[0].message.content

    def stream(self, model: str) -> int:
        """Read a stream chunk by chunk; return how many came."""
        count = 0
        with self._client.chat.completions.create(
            model=model, messages=MESSAGES, stream=True
        ) as stream:
            for chunk in stream:
                chunk.choices[0].delta.content  # noqa: B018 - as a user would
                count += 1
        return count

    text = stream

    def embed(self, model: str) -> int:
        """Have texts embedded as lists; return how many vectors came."""
        return len(
            self._client.embeddings.create(model=model, input=TEXTS, encoding_format="float").data
        )

    def embed_packed(self, model: str) -> int:
        """Have texts embedded as base64, which it makes lists of, and make an array of them."""
        reply = self._client.embeddings.create(model=model, input=TEXTS)
        return len(np.array([item.embedding for item in reply.data], np.float32))

    def close(self) -> None:
        """Close the client."""
        self._client.close()


class Async:
    """The client of asynchronous code on its default transport."""

    def __init__(self, host: str) -> None:
        self._client = AsyncOpenAI(api_key=TOKEN, base_url=f"{host}/serving-endpoints")

    async def chat(self, model: str) -> str | None:
        """Make a small call and read its text."""
        reply = await self._client.chat.completions.create(model=model, messages=MESSAGES)
        return reply.choices[0].message.content

    async def stream(self, model: str) -> int:
        """Read a stream chunk by chunk; return how many came."""
        count = 0
        async with await self._client.chat.completions.create(
            model=model, messages=MESSAGES, stream=True
        ) as stream:
            async for chunk in stream:
                chunk.choices[0].delta.content  # noqa: B018 - as a user would
                count += 1
        return count

    text = stream

    async def embed(self, model: str) -> int:
        """Have texts embedded as lists; return how many vectors came."""
        reply = await self._client.embeddings.create(
            model=model, input=TEXTS, encoding_format="float"
        )
        return len(reply.data)

    async def embed_packed(self, model: str) -> int:
        """Have texts embedded as base64, which it makes lists of, and make an array of them."""
        reply = await self._client.embeddings.create(model=model, input=TEXTS)
        return len(np.array([item.embedding for item in reply.data], np.float32))

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()
