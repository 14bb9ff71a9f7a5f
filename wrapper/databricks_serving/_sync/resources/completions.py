# Written by scripts/unasync from _async/resources/completions.py: do not edit.
"""Text completion, as the blocking client offers it."""

from typing import Literal, TypeAlias, Unpack, overload

from databricks_serving._core.arguments import CompletionArguments, public_method
from databricks_serving._core.operations import COMPLETION
from databricks_serving._core.raw import RawResponse
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.stream import ChunkStream, EventStream
from databricks_serving.events import CompletionEvent
from databricks_serving_api.models import Completion, CompletionChunk

CompletionChunks: TypeAlias = ChunkStream[Completion, CompletionChunk, CompletionEvent]
CompletionStream: TypeAlias = EventStream[Completion, CompletionChunk, CompletionEvent]


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
