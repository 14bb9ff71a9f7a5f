"""The one door to the generated operations: what each task sends, and how its replies are read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from databricks_serving._core import agent_shapes, endpoint_shapes, shapes, subjects
from databricks_serving._core.accumulate import (
    Accumulator,
    ChatAccumulator,
    CompletionAccumulator,
    JsonAccumulator,
    JsonEvent,
    events_of,
    values_of,
)
from databricks_serving._core.agent_messages import AgentAccumulator
from databricks_serving._core.arguments import (
    ChatArguments,
    CompletionArguments,
    CreateEndpointArguments,
    EmbeddingArguments,
    PredictionFields,
    ResponsesFields,
)
from databricks_serving._core.choices import Told
from databricks_serving._core.responses import ResponsesAccumulator
from databricks_serving._core.units import MIB
from databricks_serving.errors import PartialReply
from databricks_serving.events import (
    AgentEvent,
    ChatEvent,
    CompletionEvent,
    ResponsesStreamEvent,
)
from databricks_serving.options import RequestOptions
from databricks_serving_api.api.agents import create_agent_reply
from databricks_serving_api.api.chat import create_chat_completion
from databricks_serving_api.api.completions import create_completion
from databricks_serving_api.api.embeddings import create_embedding
from databricks_serving_api.api.endpoints import (
    create_endpoint,
    get_endpoint,
    get_endpoint_openapi,
    list_endpoints,
)
from databricks_serving_api.api.predictions import create_prediction
from databricks_serving_api.api.responses import create_response
from databricks_serving_api.models import (
    AgentChunk,
    AgentReply,
    ChatCompletion,
    ChatCompletionChunk,
    Completion,
    CompletionChunk,
    EmbeddingResponse,
    EndpointOpenApi,
    PredictionResponse,
    ResponsesEvent,
    ResponsesReply,
    ServingEndpoint,
    ServingEndpointList,
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


def _unknown_count(_body: Mapping[str, Any]) -> None:
    """Return how many parts a reply must have that has none to count."""


def _no_body(_given: Mapping[str, Any]) -> None:
    """Take what a request without a body is given: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[ReplyT]):
    """One task: what it takes, how its request is addressed and how its whole reply is read."""

    arguments: type[Any]
    check_request: Callable[[Mapping[str, Any]], None]
    get_kwargs: Callable[..., dict[str, Any]]
    check: Callable[[JsonObject, int | None], None]
    """Takes a decoded reply, and the number that `count_parts` returned for the request."""
    parse: Callable[[Mapping[str, Any]], ReplyT]
    count_parts: Callable[[Mapping[str, Any]], int | None] = _unknown_count
    """Takes the body of a request; returns how many parts its reply must have, if that is known."""
    path: str | None = None
    """Its name on routes on which the body names the endpoint; None where it has none."""
    adapts: bool = False
    """Whether its requests are made to suit the family of the model."""
    max_reply_bytes: int = 64 * MIB
    endpoint_argument: str = "model"
    """The argument of the public method that names the endpoint."""
    on_host: bool = False
    """Whether it goes to a path of the workspace that has nothing to do with endpoints."""
    any_json: bool = False
    """Whether its reply may be any JSON, which stands under `value` when it is checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamingOperation(Operation[TextReplyT], Generic[TextReplyT, ChunkT, EventT]):
    """A task that streams: how its events are read and put together."""

    check_event: Callable[[JsonObject], None]
    parse_event: Callable[[JsonObject], ChunkT]
    as_event: Callable[[JsonObject], JsonObject]
    accumulator: Callable[[], Accumulator[TextReplyT]] = field(repr=False)
    events: Callable[[ChunkT, Told], Iterable[EventT]] = events_of
    """Takes a chunk, and what is new in it."""
    named_events: bool = False
    """Whether events have names of their own, beside `message`."""
    free_form: bool = False
    """Whether events are any JSON, and the end of the body is the end of the stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementOperation(Operation[ReplyT]):
    """A request about endpoints, to the control plane of the workspace."""

    arguments: type[Any] = RequestOptions
    check_request: Callable[[Mapping[str, Any]], None] = _no_body
    names_endpoint: bool = True
    """Whether its address names the endpoint."""
    has_body: bool = False
    idempotent: bool = True


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
    path="chat/completions",
    adapts=True,
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
    path="completions",
)

EMBEDDING: Operation[EmbeddingResponse] = Operation(
    arguments=EmbeddingArguments,
    check_request=subjects.check_embedding,
    get_kwargs=create_embedding.get_kwargs,
    check=shapes.check_embeddings,
    parse=create_embedding.parse,
    count_parts=subjects.count_texts,
    path="embeddings",
    # 2,048 vectors of 4,096 numbers have 160 MB.
    max_reply_bytes=256 * MIB,
)

LIST_ENDPOINTS: ManagementOperation[ServingEndpointList] = ManagementOperation(
    get_kwargs=list_endpoints.get_kwargs,
    check=endpoint_shapes.check_endpoint_list,
    parse=list_endpoints.parse,
    names_endpoint=False,
)

GET_ENDPOINT: ManagementOperation[ServingEndpoint] = ManagementOperation(
    get_kwargs=get_endpoint.get_kwargs,
    check=endpoint_shapes.check_endpoint,
    parse=get_endpoint.parse,
)

GET_OPENAPI: ManagementOperation[EndpointOpenApi] = ManagementOperation(
    get_kwargs=get_endpoint_openapi.get_kwargs,
    check=endpoint_shapes.check_openapi,
    parse=get_endpoint_openapi.parse,
)

CREATE_ENDPOINT: ManagementOperation[ServingEndpoint] = ManagementOperation(
    arguments=CreateEndpointArguments,
    check_request=subjects.check_new_endpoint,
    get_kwargs=create_endpoint.get_kwargs,
    check=endpoint_shapes.check_endpoint,
    parse=create_endpoint.parse,
    names_endpoint=False,
    has_body=True,
    # A second try of one that came through would find the name taken.
    idempotent=False,
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
    events=values_of,
    free_form=True,
    count_parts=subjects.count_predictions,
    endpoint_argument="endpoint",
)

RESPONSES: StreamingOperation[ResponsesReply, ResponsesEvent, ResponsesStreamEvent] = (
    StreamingOperation(
        arguments=ResponsesFields,
        check_request=subjects.check_response,
        get_kwargs=create_response.get_kwargs,
        check=agent_shapes.check_response,
        parse=create_response.parse,
        check_event=agent_shapes.check_response_event,
        parse_event=create_response.parse_event,
        as_event=agent_shapes.response_as_event,
        accumulator=ResponsesAccumulator,
        named_events=True,
        path="responses",
    )
)

AGENT: StreamingOperation[AgentReply, AgentChunk, AgentEvent] = StreamingOperation(
    arguments=ChatArguments,
    check_request=subjects.check_chat,
    get_kwargs=create_agent_reply.get_kwargs,
    check=agent_shapes.check_agent_reply,
    parse=create_agent_reply.parse,
    check_event=agent_shapes.check_agent_chunk,
    parse_event=create_agent_reply.parse_event,
    as_event=agent_shapes.agent_reply_as_chunk,
    accumulator=AgentAccumulator,
    free_form=True,
)
