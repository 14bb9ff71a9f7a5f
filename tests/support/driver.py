"""One face over the blocking and the asynchronous client, for tests of recordings."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from httpx_aiohttp import AiohttpTransport

from databricks_serving import AsyncServingClient, ServingClient, ServingError
from databricks_serving.params import (
    ChatParams,
    CompletionParams,
    EmbeddingParams,
    ResponsesParams,
)

TOKEN = "made-up-token"
_PARAMS = {
    "chat": ChatParams,
    "completions": CompletionParams,
    "embeddings": EmbeddingParams,
    "responses": ResponsesParams,
    "agents": ChatParams,
}
_SUBJECTS = {"messages", "prompt", "input"}


@dataclass
class Streamed:
    """What came of a stream."""

    chunks: list[Any] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    final: Any = None
    error: ServingError | None = None
    terminated_cleanly: bool | None = None

    def ended(self) -> "Streamed":
        """Take the events of a custom model for all of its answer."""
        self.final = SimpleNamespace(events=self.chunks)
        return self

    @property
    def text(self) -> str:
        """The text of choice 0."""
        return "".join(self.texts)

    def take(self, event: Any) -> None:
        """Take in an event."""
        if event.type == "chunk":
            self.chunks.append(event.chunk)
        if event.type == "text.delta" and event.choice == 0:
            self.texts.append(event.text)


def arguments(task: str, request: Mapping[str, Any], *, unchecked: bool = False) -> dict[str, Any]:
    """Return a recorded request as keyword arguments; what is no parameter goes the long way.

    So does, where nothing is to be checked, all but what the call is about.
    """
    known = _SUBJECTS if unchecked else _SUBJECTS | _PARAMS[task].__annotations__.keys()
    given = {k: v for k, v in request.items() if k not in {"model", "stream"}}
    extra = {k: v for k, v in given.items() if k not in known or v is None}
    return {k: v for k, v in given.items() if k not in extra} | {"extra_body": extra}


class SyncDriver:
    """Drives the blocking client."""

    def __init__(self, host: str) -> None:
        self._host = host

    def create(
        self, task: str, endpoint: str, request: Mapping[str, Any], *, unchecked: bool = False
    ) -> Any:
        """Make one call."""
        with ServingClient(self._host, TOKEN, max_retries=0) as client:
            if task == "predictions":
                return client.predict(endpoint, inputs=_whole(request))
            given = arguments(task, request, unchecked=unchecked)
            resource = _resource(client, task)
            return resource.create(model=endpoint, **given)

    def stream(self, task: str, endpoint: str, request: Mapping[str, Any]) -> Streamed:
        """Make one streamed call and read it to its end."""
        seen = Streamed()
        with ServingClient(self._host, TOKEN, max_retries=0) as client:
            try:
                if task == "predictions":
                    with client.predict_stream(endpoint, inputs=request) as events:
                        seen.chunks.extend(events)
                    return seen.ended()
                resource = _resource(client, task)
                with resource.stream(model=endpoint, **arguments(task, request)) as stream:
                    for event in stream:
                        seen.take(event)
                    seen.final = stream.get_final_completion()
                    seen.terminated_cleanly = stream.chunks.terminated_cleanly
            except ServingError as error:
                seen.error = error
        return seen

    def attempt(
        self, task: str, endpoint: str, request: Mapping[str, Any], *, unchecked: bool = False
    ) -> tuple[Any, Any]:
        """Make one call; returns its reply or its error."""
        try:
            return self.create(task, endpoint, request, unchecked=unchecked), None
        except ServingError as error:
            return None, error

    def failure(self, task: str, endpoint: str, request: Mapping[str, Any]) -> ServingError:
        """Make one call that must fail."""
        reply, error = self.attempt(task, endpoint, request)
        assert error is not None, f"no error but {reply!r}"
        return error


class AsyncDriver(SyncDriver):
    """Drives the asynchronous client."""

    def client(self) -> AsyncServingClient:
        """Make a client."""
        return AsyncServingClient(self._host, TOKEN, max_retries=0)

    def create(
        self, task: str, endpoint: str, request: Mapping[str, Any], *, unchecked: bool = False
    ) -> Any:
        """Make one call."""

        async def run() -> Any:
            async with self.client() as client:
                if task == "predictions":
                    return await client.predict(endpoint, inputs=_whole(request))
                given = arguments(task, request, unchecked=unchecked)
                resource = _resource(client, task)
                return await resource.create(model=endpoint, **given)

        return asyncio.run(run())

    def stream(self, task: str, endpoint: str, request: Mapping[str, Any]) -> Streamed:
        """Make one streamed call and read it to its end."""
        return asyncio.run(self._stream(task, endpoint, request))

    async def _stream(self, task: str, endpoint: str, request: Mapping[str, Any]) -> Streamed:
        seen = Streamed()
        async with self.client() as client:
            try:
                if task == "predictions":
                    async with client.predict_stream(endpoint, inputs=request) as events:
                        async for event in events:
                            seen.chunks.append(event)
                    return seen.ended()
                resource = _resource(client, task)
                async with resource.stream(model=endpoint, **arguments(task, request)) as stream:
                    async for event in stream:
                        seen.take(event)
                    seen.final = await stream.get_final_completion()
                    seen.terminated_cleanly = stream.chunks.terminated_cleanly
            except ServingError as error:
                seen.error = error
        return seen


class AiohttpDriver(AsyncDriver):
    """Drives the asynchronous client over aiohttp instead of its own transport."""

    def client(self) -> AsyncServingClient:
        """Make a client."""
        # Without certificates, which take long to load: nothing here is spoken in TLS.
        transport = AiohttpTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        return AsyncServingClient(self._host, TOKEN, max_retries=0, transport=transport)


def _whole(request: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in request.items() if key != "stream"}


def _resource(client: Any, task: str) -> Any:
    return client.chat.completions if task == "chat" else getattr(client, task)
