# Written by scripts/unasync from _async/resources/binding.py: do not edit.
"""How the blocking client makes handles for one endpoint."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, Unpack, overload

from databricks_serving._core.arguments import (
    BoundChatArguments,
    BoundCompletionArguments,
    BoundEmbeddingArguments,
    PredictionArguments,
    ResponsesArguments,
    TextArguments,
    public_method,
)
from databricks_serving._core.binding import (
    EndpointOptions,
    HandleOptions,
    TransformInput,
    bind,
)
from databricks_serving._core.bound import AnyReply
from databricks_serving._core.prediction import Prediction
from databricks_serving._sync.caller import Caller
from databricks_serving._sync.resources.bound import (
    ENDPOINTS,
    AgentEndpoint,
    CompletionEndpoint,
    InferredEndpoint,
    PredictionEndpoint,
    ResponsesEndpoint,
    TextEndpoint,
)
from databricks_serving._sync.resources.bound_chat import ChatEndpoint
from databricks_serving._sync.resources.bound_embeddings import EmbeddingEndpoint
from databricks_serving_api.models import (
    AgentReply,
    ChatCompletion,
    Completion,
    EmbeddingResponse,
    ResponsesReply,
)

ResultT = TypeVar("ResultT")


class BindingEndpoints:
    """What a client offers for calls of one endpoint, again and again."""

    _caller: Caller

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["chat"] = "chat",
        defaults: BoundChatArguments | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> ChatEndpoint[ChatCompletion]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["chat"] = "chat",
        defaults: BoundChatArguments | None = None,
        transform_output: Callable[[ChatCompletion], ResultT],
        **options: Unpack[HandleOptions],
    ) -> ChatEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["completions"],
        defaults: BoundCompletionArguments | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> CompletionEndpoint[Completion]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["completions"],
        defaults: BoundCompletionArguments | None = None,
        transform_output: Callable[[Completion], ResultT],
        **options: Unpack[HandleOptions],
    ) -> CompletionEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["embeddings"],
        defaults: BoundEmbeddingArguments | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> EmbeddingEndpoint[EmbeddingResponse]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["embeddings"],
        defaults: BoundEmbeddingArguments | None = None,
        transform_output: Callable[[EmbeddingResponse], ResultT],
        **options: Unpack[HandleOptions],
    ) -> EmbeddingEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["responses"],
        defaults: ResponsesArguments | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> ResponsesEndpoint[ResponsesReply]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["responses"],
        defaults: ResponsesArguments | None = None,
        transform_output: Callable[[ResponsesReply], ResultT],
        **options: Unpack[HandleOptions],
    ) -> ResponsesEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["agents"],
        defaults: BoundChatArguments | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> AgentEndpoint[AgentReply]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["agents"],
        defaults: BoundChatArguments | None = None,
        transform_output: Callable[[AgentReply], ResultT],
        **options: Unpack[HandleOptions],
    ) -> AgentEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["custom"],
        defaults: PredictionArguments | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> PredictionEndpoint[Prediction]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["custom"],
        defaults: PredictionArguments | None = None,
        transform_output: Callable[[Prediction], ResultT],
        **options: Unpack[HandleOptions],
    ) -> PredictionEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["text"],
        defaults: TextArguments | None = None,
        transform_output: None = None,
        wrap: Literal["dataframe_records"] | None = ...,
        **options: Unpack[HandleOptions],
    ) -> TextEndpoint[str]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["text"],
        defaults: TextArguments | None = None,
        transform_output: Callable[[Any], ResultT],
        wrap: Literal["dataframe_records"] | None = ...,
        **options: Unpack[HandleOptions],
    ) -> TextEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["infer"],
        defaults: Mapping[str, Any] | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> InferredEndpoint[AnyReply]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["infer"],
        defaults: Mapping[str, Any] | None = None,
        transform_output: Callable[[AnyReply], ResultT],
        **options: Unpack[HandleOptions],
    ) -> InferredEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        *,
        cluster_id: str,
        port: int,
        org_id: str = "0",
        path: str = "",
        task: Literal["text"] = "text",
        defaults: TextArguments | None = None,
        transform_input: TransformInput | None = None,
        transform_output: None = None,
    ) -> TextEndpoint[str]: ...

    @overload
    def endpoint(
        self,
        *,
        cluster_id: str,
        port: int,
        org_id: str = "0",
        path: str = "",
        task: Literal["text"] = "text",
        defaults: TextArguments | None = None,
        transform_input: TransformInput | None = None,
        transform_output: Callable[[Any], ResultT],
    ) -> TextEndpoint[ResultT]: ...

    @public_method(EndpointOptions)
    def endpoint(self, name: str = "", **options: Unpack[EndpointOptions]) -> Any:
        """Return a handle for one endpoint, or for one app on a cluster; nothing is sent.

        It goes over the connections of this client, does not change, and may be shared by threads
        and tasks. Its `invoke` takes what the call is about first, then the parameters of the task.

        Args:
            name: Name of the endpoint; left out with `cluster_id` and `port`.
            **options: `task` and the rest, documented on `EndpointOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be.
        """
        binding = bind(name, options)
        return ENDPOINTS[binding.task](self._caller, binding)
