"""What the asynchronous client offers, task by task."""

from typing import Literal, TypeAlias, Unpack, overload

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._async.stream import AsyncChunkStream, AsyncEventStream
from databricks_serving._core.arguments import (
    ChatArguments,
    CompletionArguments,
    EmbeddingArguments,
    public_method,
)
from databricks_serving._core.boundary import forgetful
from databricks_serving._core.operations import CHAT, COMPLETION, EMBEDDING
from databricks_serving._core.raw import RawResponse
from databricks_serving.events import ChatEvent, CompletionEvent
from databricks_serving_api.models import (
    ChatCompletion,
    ChatCompletionChunk,
    Completion,
    CompletionChunk,
    EmbeddingResponse,
)

AsyncChatChunks: TypeAlias = AsyncChunkStream[ChatCompletion, ChatCompletionChunk, ChatEvent]
AsyncChatStream: TypeAlias = AsyncEventStream[ChatCompletion, ChatCompletionChunk, ChatEvent]
AsyncCompletionChunks: TypeAlias = AsyncChunkStream[Completion, CompletionChunk, CompletionEvent]
AsyncCompletionStream: TypeAlias = AsyncEventStream[Completion, CompletionChunk, CompletionEvent]


class AsyncChatCompletions:
    """Chat: endpoints with task `llm/v1/chat`."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "AsyncRawChatCompletions":
        """The same methods, returning HTTP responses."""
        return AsyncRawChatCompletions(self._caller)

    @overload
    async def create(
        self, *, model: str, stream: Literal[False] = False, **arguments: Unpack[ChatArguments]
    ) -> ChatCompletion: ...

    @overload
    async def create(
        self, *, model: str, stream: Literal[True], **arguments: Unpack[ChatArguments]
    ) -> AsyncChatChunks: ...

    @overload
    async def create(
        self, *, model: str, stream: bool, **arguments: Unpack[ChatArguments]
    ) -> ChatCompletion | AsyncChatChunks: ...

    @public_method(ChatArguments)
    async def create(
        self, *, model: str, stream: bool = False, **arguments: Unpack[ChatArguments]
    ) -> ChatCompletion | AsyncChatChunks:
        """Answer a conversation.

        A parameter that is not given, or None, is not sent.

        Args:
            model: Name of the endpoint.
            stream: Return the chunks as they come instead of the whole answer.
            **arguments: The parameters of a chat request, documented on `ChatParams`, and the
                options of every call, documented on `CallOptions`.

        Raises:
            InvalidRequestError: Before anything is sent, naming the argument.
            APIConnectionError: When no answer came.
            APIStatusError: When the server answered with an error.
            InvalidResponseError: When the answer is not what the contract says.
        """
        if stream:
            return await self._caller.stream(CHAT, model, arguments)
        return await self._caller.reply(CHAT, model, arguments)

    @public_method(ChatArguments)
    def stream(self, *, model: str, **arguments: Unpack[ChatArguments]) -> AsyncChatStream:
        """Answer a conversation with typed events, in a context manager that sends on entry.

        Takes what `create` takes, and raises what it raises on entry. Reading the stream raises
        StreamInterruptedError or StreamServerError when it breaks.
        """
        return AsyncEventStream(lambda: self._caller.stream(CHAT, model, arguments))


class AsyncRawChatCompletions:
    """Chat, returning HTTP responses."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @public_method(ChatArguments)
    async def create(
        self, *, model: str, **arguments: Unpack[ChatArguments]
    ) -> RawResponse[ChatCompletion]:
        """Answer a conversation; takes and raises what `AsyncChatCompletions.create` does."""
        return await self._caller.raw(CHAT, model, arguments)


class AsyncChat:
    """Holds `completions`, where users of other clients look for it."""

    def __init__(self, caller: AsyncCaller) -> None:
        self.completions: AsyncChatCompletions = AsyncChatCompletions(caller)


class AsyncCompletions:
    """Text completion: endpoints with task `llm/v1/completions`."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "AsyncRawCompletions":
        """The same methods, returning HTTP responses."""
        return AsyncRawCompletions(self._caller)

    @overload
    async def create(
        self,
        *,
        model: str,
        stream: Literal[False] = False,
        **arguments: Unpack[CompletionArguments],
    ) -> Completion: ...

    @overload
    async def create(
        self, *, model: str, stream: Literal[True], **arguments: Unpack[CompletionArguments]
    ) -> AsyncCompletionChunks: ...

    @overload
    async def create(
        self, *, model: str, stream: bool, **arguments: Unpack[CompletionArguments]
    ) -> Completion | AsyncCompletionChunks: ...

    @public_method(CompletionArguments)
    async def create(
        self, *, model: str, stream: bool = False, **arguments: Unpack[CompletionArguments]
    ) -> Completion | AsyncCompletionChunks:
        """Continue a prompt; raises what `AsyncChatCompletions.create` raises.

        A parameter that is not given, or None, is not sent.

        Args:
            model: Name of the endpoint.
            stream: Return the chunks as they come instead of the whole completion.
            **arguments: The parameters of a completion request, documented on `CompletionParams`,
                and the options of every call, documented on `CallOptions`.
        """
        if stream:
            return await self._caller.stream(COMPLETION, model, arguments)
        return await self._caller.reply(COMPLETION, model, arguments)

    @public_method(CompletionArguments)
    def stream(
        self, *, model: str, **arguments: Unpack[CompletionArguments]
    ) -> AsyncCompletionStream:
        """Continue a prompt with typed events; as `AsyncChatCompletions.stream`."""
        return AsyncEventStream(lambda: self._caller.stream(COMPLETION, model, arguments))


class AsyncRawCompletions:
    """Text completion, returning HTTP responses."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @public_method(CompletionArguments)
    async def create(
        self, *, model: str, **arguments: Unpack[CompletionArguments]
    ) -> RawResponse[Completion]:
        """Continue a prompt; takes and raises what `AsyncCompletions.create` does."""
        return await self._caller.raw(COMPLETION, model, arguments)


class AsyncEmbeddings:
    """Embeddings: endpoints with task `llm/v1/embeddings`."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "AsyncRawEmbeddings":
        """The same methods, returning HTTP responses."""
        return AsyncRawEmbeddings(self._caller)

    @public_method(EmbeddingArguments)
    async def create(
        self, *, model: str, **arguments: Unpack[EmbeddingArguments]
    ) -> EmbeddingResponse:
        """Embed one text or several; raises what `AsyncChatCompletions.create` raises.

        A parameter that is not given, or None, is not sent.

        Args:
            model: Name of the endpoint.
            **arguments: The parameters of an embedding request, documented on `EmbeddingParams`,
                and the options of every call, documented on `CallOptions`.
        """
        return await self._caller.reply(EMBEDDING, model, arguments)


class AsyncRawEmbeddings:
    """Embeddings, returning HTTP responses."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @public_method(EmbeddingArguments)
    async def create(
        self, *, model: str, **arguments: Unpack[EmbeddingArguments]
    ) -> RawResponse[EmbeddingResponse]:
        """Embed one text or several; takes and raises what `AsyncEmbeddings.create` does."""
        return await self._caller.raw(EMBEDDING, model, arguments)


class AsyncAuth:
    """How a client logs in."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    @forgetful
    async def describe(self) -> str:
        """Tell which workspace and which source of tokens were found, where, and why no other.

        Reads the profile if need be, and sends nothing. There is no secret in it.

        Raises:
            ConfigError: When there is no workspace or no credential.
        """
        return "\n".join((await self._caller.credentials.resolved(None)).report)

    @forgetful
    async def headers(self) -> dict[str, str]:
        """Return the headers that authorise a request now; they hold the token.

        They are for other programs and clients that speak to the same workspace. A token is fetched
        if need be, so this also tells whether the login works.

        Raises:
            TokenError: When there is no token.
            ConfigError: When there is no workspace or no credential.
        """
        await self._caller.credentials.resolved(None)
        return dict((await self._caller.credentials.take(None)).headers.reveal())
