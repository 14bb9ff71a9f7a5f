"""The one door to the generated operations: what each task sends, and how its replies are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from databricks_serving._core import shapes, subjects
from databricks_serving._core.accumulate import (
    Accumulator,
    ChatAccumulator,
    CompletionAccumulator,
    JsonAccumulator,
    JsonEvent,
)
from databricks_serving._core.arguments import (
    ChatArguments,
    CompletionArguments,
    EmbeddingArguments,
    PredictionFields,
)
from databricks_serving._core.units import MIB
from databricks_serving.errors import PartialReply
from databricks_serving.events import ChatEvent, CompletionEvent
from databricks_serving_api.api.chat import create_chat_completion
from databricks_serving_api.api.completions import create_completion
from databricks_serving_api.api.embeddings import create_embedding
from databricks_serving_api.api.predictions import create_prediction
from databricks_serving_api.models import (
    ChatCompletion,
    ChatCompletionChunk,
    Completion,
    CompletionChunk,
    EmbeddingResponse,
    PredictionResponse,
)
from databricks_serving_api.types import ReplyMeta


class Reply(Protocol):
    """What every whole reply is (schemas marked `x-sdk-reply` in the contract)."""

    meta: ReplyMeta | None


class TextReply(Reply, PartialReply, Protocol):
    """A whole reply that can also be streamed."""


ReplyT = TypeVar("ReplyT", bound=Reply)
TextReplyT = TypeVar("TextReplyT", bound=TextReply)
ChunkT = TypeVar("ChunkT")
EventT = TypeVar("EventT")

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[ReplyT]):
    """One task: what it takes, how its request is addressed and how its whole reply is read."""

    arguments: type[Any]
    check_request: Callable[[Mapping[str, Any]], None]
    get_kwargs: Callable[..., dict[str, Any]]
    check: Callable[[JsonObject, int | None], None]
    """Takes a decoded reply, and the number that `count_parts` returned for the request."""
    parse: Callable[[Mapping[str, Any]], ReplyT]
    count_parts: Callable[[Mapping[str, Any]], int | None]
    """Takes the body of a request; returns how many parts its reply must have, if that is known."""
    max_reply_bytes: int = 64 * MIB
    endpoint_argument: str = "model"
    """The argument of the public method that names the endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamingOperation(Operation[TextReplyT], Generic[TextReplyT, ChunkT, EventT]):
    """A task that streams: how its events are read and put together."""

    check_event: Callable[[JsonObject], None]
    parse_event: Callable[[JsonObject], ChunkT]
    as_event: Callable[[JsonObject], JsonObject]
    accumulator: Callable[[], Accumulator[ChunkT, EventT, TextReplyT]] = field(repr=False)
    free_form: bool = False
    """Whether events are any JSON, and the end of the body is the end of the stream."""


CHAT: StreamingOperation[ChatCompletion, ChatCompletionChunk, ChatEvent] = StreamingOperation(
    arguments=ChatArguments,
    check_request=subjects.check_chat,
    get_kwargs=create_chat_completion.get_kwargs,
    check=shapes.check_chat_completion,
    parse=create_chat_completion.parse,
    check_event=shapes.check_chat_chunk,
    parse_event=create_chat_completion.parse_event,
    as_event=shapes.chat_completion_as_chunk,
    accumulator=ChatAccumulator,
    count_parts=subjects.count_answers,
)

COMPLETION: StreamingOperation[Completion, CompletionChunk, CompletionEvent] = StreamingOperation(
    arguments=CompletionArguments,
    check_request=subjects.check_completion,
    get_kwargs=create_completion.get_kwargs,
    check=shapes.check_completion,
    parse=create_completion.parse,
    check_event=shapes.check_completion_chunk,
    parse_event=create_completion.parse_event,
    as_event=shapes.completion_as_chunk,
    accumulator=CompletionAccumulator,
    count_parts=subjects.count_completions,
)

EMBEDDING: Operation[EmbeddingResponse] = Operation(
    arguments=EmbeddingArguments,
    check_request=subjects.check_embedding,
    get_kwargs=create_embedding.get_kwargs,
    check=shapes.check_embeddings,
    parse=create_embedding.parse,
    count_parts=subjects.count_texts,
    # 2,048 vectors of 4,096 numbers have 160 MB.
    max_reply_bytes=256 * MIB,
)

PREDICTION: StreamingOperation[PredictionResponse, JsonEvent, Any] = StreamingOperation(
    arguments=PredictionFields,
    check_request=subjects.check_prediction,
    get_kwargs=create_prediction.get_kwargs,
    check=shapes.check_prediction,
    parse=create_prediction.parse,
    check_event=shapes.check_any,
    parse_event=JsonEvent,
    as_event=shapes.prediction_as_event,
    accumulator=JsonAccumulator,
    free_form=True,
    count_parts=subjects.count_predictions,
    endpoint_argument="endpoint",
)
