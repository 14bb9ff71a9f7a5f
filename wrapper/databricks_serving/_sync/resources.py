"""What the blocking client offers, task by task."""

from typing import Literal, TypeAlias, Unpack, overload

from databricks_serving._core.arguments import (
    ChatArguments,
    CompletionArguments,
    EmbeddingArguments,
    public_method,
)
from databricks_serving._core.boundary import forgetful
from databricks_serving._core.operations import CHAT, COMPLETION, EMBEDDING
from databricks_serving._core.raw import RawResponse
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.stream import ChunkStream, EventStream
from databricks_serving.events import ChatEvent, CompletionEvent
from databricks_serving_api.models import (
    ChatCompletion,
    ChatCompletionChunk,
    Completion,
    CompletionChunk,
    EmbeddingResponse,
)

ChatChunks: TypeAlias = ChunkStream[ChatCompletion, ChatCompletionChunk, ChatEvent]
ChatStream: TypeAlias = EventStream[ChatCompletion, ChatCompletionChunk, ChatEvent]
CompletionChunks: TypeAlias = ChunkStream[Completion, CompletionChunk, CompletionEvent]
CompletionStream: TypeAlias = EventStream[Completion, CompletionChunk, CompletionEvent]


class ChatCompletions:
    """Chat: endpoints with task `llm/v1/chat`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "RawChatCompletions":
        """The same methods, returning HTTP responses."""
        return RawChatCompletions(self._caller)

    @overload
    def create(
        self, *, model: str, stream: Literal[False] = False, **arguments: Unpack[ChatArguments]
    ) -> ChatCompletion: ...

    @overload
    def create(
        self, *, model: str, stream: Literal[True], **arguments: Unpack[ChatArguments]
    ) -> ChatChunks: ...

    @overload
    def create(
        self, *, model: str, stream: bool, **arguments: Unpack[ChatArguments]
    ) -> ChatCompletion | ChatChunks: ...

    @public_method(ChatArguments)
    def create(
        self, *, model: str, stream: bool = False, **arguments: Unpack[ChatArguments]
    ) -> ChatCompletion | ChatChunks:
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
            return self._caller.stream(CHAT, model, arguments)
        return self._caller.reply(CHAT, model, arguments)

    @public_method(ChatArguments)
    def stream(self, *, model: str, **arguments: Unpack[ChatArguments]) -> ChatStream:
        """Answer a conversation with typed events, in a context manager that sends on entry.

        Takes what `create` takes, and raises what it raises on entry. Reading the stream raises
        StreamInterruptedError or StreamServerError when it breaks.
        """
        return EventStream(lambda: self._caller.stream(CHAT, model, arguments))


class RawChatCompletions:
    """Chat, returning HTTP responses."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @public_method(ChatArguments)
    def create(
        self, *, model: str, **arguments: Unpack[ChatArguments]
    ) -> RawResponse[ChatCompletion]:
        """Answer a conversation; takes and raises what `ChatCompletions.create` does."""
        return self._caller.raw(CHAT, model, arguments)


class Chat:
    """Holds `completions`, where users of other clients look for it."""

    def __init__(self, caller: Caller) -> None:
        self.completions: ChatCompletions = ChatCompletions(caller)


class Completions:
    """Text completion: endpoints with task `llm/v1/completions`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "RawCompletions":
        """The same methods, returning HTTP responses."""
        return RawCompletions(self._caller)

    @overload
    def create(
        self,
        *,
        model: str,
        stream: Literal[False] = False,
        **arguments: Unpack[CompletionArguments],
    ) -> Completion: ...

    @overload
    def create(
        self, *, model: str, stream: Literal[True], **arguments: Unpack[CompletionArguments]
    ) -> CompletionChunks: ...

    @overload
    def create(
        self, *, model: str, stream: bool, **arguments: Unpack[CompletionArguments]
    ) -> Completion | CompletionChunks: ...

    @public_method(CompletionArguments)
    def create(
        self, *, model: str, stream: bool = False, **arguments: Unpack[CompletionArguments]
    ) -> Completion | CompletionChunks:
        """Continue a prompt; raises what `ChatCompletions.create` raises.

        A parameter that is not given, or None, is not sent.

        Args:
            model: Name of the endpoint.
            stream: Return the chunks as they come instead of the whole completion.
            **arguments: The parameters of a completion request, documented on `CompletionParams`,
                and the options of every call, documented on `CallOptions`.
        """
        if stream:
            return self._caller.stream(COMPLETION, model, arguments)
        return self._caller.reply(COMPLETION, model, arguments)

    @public_method(CompletionArguments)
    def stream(self, *, model: str, **arguments: Unpack[CompletionArguments]) -> CompletionStream:
        """Continue a prompt with typed events; as `ChatCompletions.stream`."""
        return EventStream(lambda: self._caller.stream(COMPLETION, model, arguments))


class RawCompletions:
    """Text completion, returning HTTP responses."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @public_method(CompletionArguments)
    def create(
        self, *, model: str, **arguments: Unpack[CompletionArguments]
    ) -> RawResponse[Completion]:
        """Continue a prompt; takes and raises what `Completions.create` does."""
        return self._caller.raw(COMPLETION, model, arguments)


class Embeddings:
    """Embeddings: endpoints with task `llm/v1/embeddings`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @property
    def with_raw_response(self) -> "RawEmbeddings":
        """The same methods, returning HTTP responses."""
        return RawEmbeddings(self._caller)

    @public_method(EmbeddingArguments)
    def create(self, *, model: str, **arguments: Unpack[EmbeddingArguments]) -> EmbeddingResponse:
        """Embed one text or several; raises what `ChatCompletions.create` raises.

        A parameter that is not given, or None, is not sent.

        Args:
            model: Name of the endpoint.
            **arguments: The parameters of an embedding request, documented on `EmbeddingParams`,
                and the options of every call, documented on `CallOptions`.
        """
        return self._caller.reply(EMBEDDING, model, arguments)


class RawEmbeddings:
    """Embeddings, returning HTTP responses."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @public_method(EmbeddingArguments)
    def create(
        self, *, model: str, **arguments: Unpack[EmbeddingArguments]
    ) -> RawResponse[EmbeddingResponse]:
        """Embed one text or several; takes and raises what `Embeddings.create` does."""
        return self._caller.raw(EMBEDDING, model, arguments)


class Auth:
    """How a client logs in."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @forgetful
    def describe(self) -> str:
        """Tell which workspace and which source of tokens were found, where, and why no other.

        Reads the profile if need be, and sends nothing. There is no secret in it.

        Raises:
            ConfigError: When there is no workspace or no credential.
        """
        return "\n".join((self._caller.credentials.resolved(None)).report)

    @forgetful
    def headers(self) -> dict[str, str]:
        """Return the headers that authorise a request now; they hold the token.

        They are for other programs and clients that speak to the same workspace. A token is fetched
        if need be, so this also tells whether the login works.

        Raises:
            TokenError: When there is no token.
            ConfigError: When there is no workspace or no credential.
        """
        self._caller.credentials.resolved(None)
        return dict((self._caller.credentials.take(None)).headers.reveal())
