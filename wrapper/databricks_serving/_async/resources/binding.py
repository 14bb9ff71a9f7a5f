"""How the asynchronous client makes handles for one endpoint."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, Unpack, overload

from databricks_serving._async.caller import AsyncCaller
from databricks_serving._async.resources.bound import (
    ENDPOINTS,
    AsyncAgentEndpoint,
    AsyncCompletionEndpoint,
    AsyncInferredEndpoint,
    AsyncPredictionEndpoint,
    AsyncResponsesEndpoint,
    AsyncTextEndpoint,
)
from databricks_serving._async.resources.bound_chat import AsyncChatEndpoint
from databricks_serving._async.resources.bound_embeddings import AsyncEmbeddingEndpoint
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
from databricks_serving_api.models import (
    AgentReply,
    ChatCompletion,
    Completion,
    EmbeddingResponse,
    ResponsesReply,
)

ResultT = TypeVar("ResultT")


class AsyncBindingEndpoints:
    """What a client offers for calls of one endpoint, again and again."""

    _caller: AsyncCaller

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["chat"] = "chat",
        defaults: BoundChatArguments | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> AsyncChatEndpoint[ChatCompletion]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["chat"] = "chat",
        defaults: BoundChatArguments | None = None,
        transform_output: Callable[[ChatCompletion], ResultT],
        **options: Unpack[HandleOptions],
    ) -> AsyncChatEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["completions"],
        defaults: BoundCompletionArguments | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> AsyncCompletionEndpoint[Completion]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["completions"],
        defaults: BoundCompletionArguments | None = None,
        transform_output: Callable[[Completion], ResultT],
        **options: Unpack[HandleOptions],
    ) -> AsyncCompletionEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["embeddings"],
        defaults: BoundEmbeddingArguments | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> AsyncEmbeddingEndpoint[EmbeddingResponse]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["embeddings"],
        defaults: BoundEmbeddingArguments | None = None,
        transform_output: Callable[[EmbeddingResponse], ResultT],
        **options: Unpack[HandleOptions],
    ) -> AsyncEmbeddingEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["responses"],
        defaults: ResponsesArguments | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> AsyncResponsesEndpoint[ResponsesReply]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["responses"],
        defaults: ResponsesArguments | None = None,
        transform_output: Callable[[ResponsesReply], ResultT],
        **options: Unpack[HandleOptions],
    ) -> AsyncResponsesEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["agents"],
        defaults: BoundChatArguments | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> AsyncAgentEndpoint[AgentReply]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["agents"],
        defaults: BoundChatArguments | None = None,
        transform_output: Callable[[AgentReply], ResultT],
        **options: Unpack[HandleOptions],
    ) -> AsyncAgentEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["custom"],
        defaults: PredictionArguments | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> AsyncPredictionEndpoint[Prediction]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["custom"],
        defaults: PredictionArguments | None = None,
        transform_output: Callable[[Prediction], ResultT],
        **options: Unpack[HandleOptions],
    ) -> AsyncPredictionEndpoint[ResultT]: ...

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
    ) -> AsyncTextEndpoint[str]: ...

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
    ) -> AsyncTextEndpoint[ResultT]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["infer"],
        defaults: Mapping[str, Any] | None = None,
        transform_output: None = None,
        **options: Unpack[HandleOptions],
    ) -> AsyncInferredEndpoint[AnyReply]: ...

    @overload
    def endpoint(
        self,
        name: str,
        *,
        task: Literal["infer"],
        defaults: Mapping[str, Any] | None = None,
        transform_output: Callable[[AnyReply], ResultT],
        **options: Unpack[HandleOptions],
    ) -> AsyncInferredEndpoint[ResultT]: ...

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
    ) -> AsyncTextEndpoint[str]: ...

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
    ) -> AsyncTextEndpoint[ResultT]: ...

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
