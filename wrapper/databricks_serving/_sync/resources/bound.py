# Written by scripts/unasync from _async/resources/bound.py: do not edit.
"""Handles for one endpoint, as the blocking client makes them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, Unpack

from databricks_serving._core.arguments import (
    BoundChatArguments,
    BoundCompletionArguments,
    PredictionArguments,
    ResponsesArguments,
    TextArguments,
    public_method,
)
from databricks_serving._core.bound import Asking, Binding, found
from databricks_serving._core.boundary import forgetful
from databricks_serving._core.operations import (
    GET_ENDPOINT,
    PREDICTION,
)
from databricks_serving._core.prediction import Prediction
from databricks_serving._core.subjects import as_items
from databricks_serving._core.text import as_stops, checked_prompt
from databricks_serving._shell.bound import BaseEndpoint
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.resources.agents import AgentStream
from databricks_serving._sync.resources.bound_base import BoundEndpoint
from databricks_serving._sync.resources.bound_chat import ChatEndpoint
from databricks_serving._sync.resources.bound_embeddings import EmbeddingEndpoint
from databricks_serving._sync.resources.completions import CompletionStream
from databricks_serving._sync.resources.predictions import PredictionStream
from databricks_serving._sync.resources.responses import Items, ResponsesStream
from databricks_serving._sync.stream import EventStream
from databricks_serving_api.params import MessageDict

ResultT = TypeVar("ResultT")


class CompletionEndpoint(BoundEndpoint[ResultT]):
    """A handle for one completion endpoint."""

    __slots__ = ()

    @public_method(BoundCompletionArguments)
    def invoke(
        self,
        prompt: str | list[str] | tuple[str, ...],
        **arguments: Unpack[BoundCompletionArguments],
    ) -> ResultT:
        """Continue a prompt; raises what `completions.create` raises.

        Args:
            prompt: The prompt, or several.
            **arguments: The parameters of a completion request, documented on
                `CompletionSettings`, and the options of every call, documented on `CallOptions`;
                they go before the defaults.
        """
        return self._invoke({"prompt": prompt}, arguments)

    @public_method(BoundCompletionArguments)
    def stream(
        self,
        prompt: str | list[str] | tuple[str, ...],
        **arguments: Unpack[BoundCompletionArguments],
    ) -> CompletionStream:
        """Continue a prompt with typed events, as `completions.stream` does.

        Takes what `invoke` takes. `transform_output` does not apply.
        """
        return self._stream({"prompt": prompt}, arguments)


class ResponsesEndpoint(BoundEndpoint[ResultT]):
    """A handle for one agent, or for one model on the Responses routes."""

    __slots__ = ()

    @public_method(ResponsesArguments)
    def invoke(self, input: Items, **arguments: Unpack[ResponsesArguments]) -> ResultT:
        """Have an agent answer; raises what `responses.create` raises.

        Args:
            input: What the user says, or the items of the conversation.
            **arguments: The parameters of a request, documented on `ResponsesParams`, and the
                options of every call, documented on `CallOptions`; they go before the defaults.
        """
        return self._invoke({"input": as_items(input)}, arguments)

    @public_method(ResponsesArguments)
    def stream(self, input: Items, **arguments: Unpack[ResponsesArguments]) -> ResponsesStream:
        """Have an agent answer with typed events, as `responses.stream` does.

        Takes what `invoke` takes. `transform_output` does not apply.
        """
        return self._stream({"input": as_items(input)}, arguments)


class AgentEndpoint(BoundEndpoint[ResultT]):
    """A handle for one agent of the older kind."""

    __slots__ = ()

    @public_method(BoundChatArguments)
    def invoke(
        self, messages: str | Sequence[MessageDict], **arguments: Unpack[BoundChatArguments]
    ) -> ResultT:
        """Have an agent answer; raises what `agents.create` raises.

        Args:
            messages: The conversation, or what the user says.
            **arguments: The parameters of a chat request, documented on `ChatSettings`, and the
                options of every call, documented on `CallOptions`; they go before the defaults.
        """
        return self._invoke({"messages": as_items(messages)}, arguments)

    @public_method(BoundChatArguments)
    def stream(
        self, messages: str | Sequence[MessageDict], **arguments: Unpack[BoundChatArguments]
    ) -> AgentStream:
        """Have an agent answer with typed events, as `agents.stream` does.

        Takes what `invoke` takes. `transform_output` does not apply.
        """
        return self._stream({"messages": as_items(messages)}, arguments)


class PredictionEndpoint(BoundEndpoint[ResultT]):
    """A handle for one custom model."""

    __slots__ = ()

    @public_method(PredictionArguments)
    def invoke(
        self,
        rows: Any,
        *,
        form: Literal["dataframe_split", "dataframe_records", "instances", "inputs"] | None = None,
        **arguments: Unpack[PredictionArguments],
    ) -> ResultT:
        """Predict from rows or tensors; raises what `predict` of the client raises.

        Args:
            rows: A frame, or a list of dicts, one for each row; for another form what `predict`
                takes for it.
            form: One of the four forms of MLflow; `dataframe_split` for a frame and
                `dataframe_records` for anything else, unless it is given.
            **arguments: `params` and the rest, documented on `PredictionParams`, and the options of
                every call, documented on `CallOptions`; they go before the defaults.
        """
        prepared = self._binding.rows(rows, form, arguments, stream=False)
        reply = self._caller.reply(PREDICTION, self.name, prepared.arguments)
        return self._binding.output(Prediction(reply, prepared.index))

    @public_method(PredictionArguments)
    def stream(
        self,
        rows: Any,
        *,
        form: Literal["dataframe_split", "dataframe_records", "instances", "inputs"] | None = None,
        **arguments: Unpack[PredictionArguments],
    ) -> PredictionStream:
        """Stream what a custom model predicts, as `predict_stream` of the client does.

        Takes what `invoke` takes. `transform_output` does not apply.
        """
        events = EventStream(
            lambda: self._caller.stream(
                PREDICTION,
                self.name,
                self._binding.rows(rows, form, arguments, stream=True).arguments,
            )
        )
        return PredictionStream(events)


class TextEndpoint(BoundEndpoint[ResultT]):
    """A handle for one model, or app on a cluster, with the legacy completion contract."""

    __slots__ = ()

    @public_method(TextArguments)
    def invoke(self, prompt: str, **arguments: Unpack[TextArguments]) -> ResultT:
        """Continue a prompt; raises what `completions.create` raises.

        Args:
            prompt: The prompt.
            **arguments: `stop` and the rest, documented on `TextArguments`, and the options of
                every call, documented on `CallOptions`; they go before the defaults. `extra_body`
                has further parameters.

        Raises:
            InvalidResponseError: When the answer is no text, and there is no `transform_output`.
        """
        given = as_stops(self._binding.merged(arguments))
        reply = self._reply({"prompt": checked_prompt(prompt)}, given)
        return self._binding.output(reply.value)


class InferredEndpoint(BaseEndpoint[Caller, ResultT]):
    """A handle for one endpoint whose task the first call asks the workspace for."""

    __slots__ = ("_known",)

    _known: dict[str, Any]

    def __init__(self, caller: Caller, binding: Binding[ResultT]) -> None:
        super().__init__(caller, binding)
        object.__setattr__(self, "_known", {})

    @property
    def task(self) -> str:
        """What the endpoint does, as `client.endpoint` takes it; `infer` before the first call."""
        return next((one.task for one in self._known.values()), self._binding.task)

    @forgetful
    def invoke(self, subject: Any, **arguments: Any) -> ResultT:
        """Call the endpoint by its task, having asked for that once.

        Calls that begin before the answer is there ask as well.

        Args:
            subject: What `invoke` of the task's handle takes first.
            **arguments: What it takes besides.

        Raises:
            InvalidRequestError: When there is no handle for the task.
            ServingError: As the handle of the task does.
        """
        if self.name not in self._known:
            asking = Asking(self._binding.merged(arguments), self._now())
            described = self._caller.reply(GET_ENDPOINT, self.name, asking.options)
            binding = found(self._binding, described.task)
            self._known[self.name] = ENDPOINTS[binding.task](self._caller, binding)
            arguments |= asking.rest(self._now())
        result: ResultT = self._known[self.name].invoke(subject, **arguments)
        return result

    def _now(self) -> float:
        return self._caller.credentials.clocks.monotonic()


ENDPOINTS: Final[Mapping[str, type[Any]]] = {
    "chat": ChatEndpoint,
    "completions": CompletionEndpoint,
    "embeddings": EmbeddingEndpoint,
    "responses": ResponsesEndpoint,
    "agents": AgentEndpoint,
    "custom": PredictionEndpoint,
    "text": TextEndpoint,
    "infer": InferredEndpoint,
}
