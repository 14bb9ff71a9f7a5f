# Written by scripts/unasync from _async/resources/endpoints.py: do not edit.
"""The endpoints of a workspace, as the blocking client manages them."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, Unpack

from databricks_serving._core.arguments import public_method
from databricks_serving._core.callbacks import check_callback
from databricks_serving._core.external_models import new_external_endpoint
from databricks_serving._core.operations import (
    CREATE_ENDPOINT,
    GET_ENDPOINT,
    GET_OPENAPI,
    LIST_ENDPOINTS,
)
from databricks_serving._core.readiness import ReadyWait, patience_of
from databricks_serving._sync.caller import Caller
from databricks_serving.errors import ServingError
from databricks_serving.options import RequestOptions
from databricks_serving_api.models import (
    EndpointOpenApi,
    EndpointTask,
    ExternalProvider,
    ServingEndpoint,
)

# Named here, since a method below is called `list`.
EndpointList: TypeAlias = list[ServingEndpoint]


class Endpoints:
    """The endpoints themselves: which there are, what they serve, and whether they are ready.

    These are requests to the workspace, and none of them is made behind your back.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @public_method(RequestOptions)
    def list(self, **options: Unpack[RequestOptions]) -> EndpointList:
        """List the endpoints of the workspace that the login may see, in short.

        Raises:
            APIConnectionError: When no answer came.
            APIStatusError: When the server answered with an error.
            InvalidResponseError: When the answer is not what the contract says.
        """
        return (self._caller.reply(LIST_ENDPOINTS, "", options)).endpoints

    @public_method(RequestOptions)
    def get(self, name: str, **options: Unpack[RequestOptions]) -> ServingEndpoint:
        """Describe one endpoint; raises what `list` raises.

        Args:
            name: Name of the endpoint.
            **options: The options of a request, documented on `RequestOptions`.
        """
        return self._caller.reply(GET_ENDPOINT, name, options)

    @public_method(RequestOptions)
    def get_openapi(self, name: str, **options: Unpack[RequestOptions]) -> EndpointOpenApi:
        """Return the OpenAPI document of one endpoint; raises what `list` raises.

        Args:
            name: Name of the endpoint.
            **options: The options of a request, documented on `RequestOptions`.
        """
        return self._caller.reply(GET_OPENAPI, name, options)

    @public_method(RequestOptions)
    def wait_ready(
        self,
        name: str,
        *,
        on_poll: Callable[[ServingEndpoint], object] | None = None,
        **options: Unpack[RequestOptions],
    ) -> ServingEndpoint:
        """Ask for an endpoint until it takes requests, and return its description.

        Errors that may pass, such as a broken connection, do not end the wait.

        Args:
            name: Name of the endpoint.
            on_poll: A plain function, called with each description, for instance to show it.
            **options: The options of a request, documented on `RequestOptions`; `deadline` bounds
                the whole wait, and is twenty minutes unless given.

        Raises:
            InvalidRequestError: When an argument cannot be used.
            EndpointWaitError: When the time is over, or what the endpoint was to serve has failed.
            APIStatusError: When the server answered with an error that does not pass.
        """
        check_callback("on_poll", on_poll)
        clocks = self._caller.credentials.clocks
        wait = ReadyWait(name, clocks.monotonic(), patience_of(options))
        while True:
            options["deadline"] = wait.left(clocks.monotonic())
            try:
                described = self._caller.reply(GET_ENDPOINT, name, options)
            except ServingError as error:
                wait.forgive(error)
            else:
                if on_poll is not None:
                    on_poll(described)
                if wait.is_over(described, clocks.monotonic()):
                    return described
            clocks.sleep(wait.pause(clocks.monotonic(), clocks.rand()))

    @public_method(RequestOptions)
    def create_external(
        self,
        *,
        name: str,
        model: str,
        provider: ExternalProvider | str,
        task: EndpointTask | str,
        config: Mapping[str, Any],
        served_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        allow_plaintext: bool = False,
        **options: Unpack[RequestOptions],
    ) -> ServingEndpoint:
        """Create an endpoint that stands for a model of another provider.

        It is not tried again where it may have come through. `wait_ready` waits for the endpoint.

        Args:
            name: Name of the new endpoint.
            model: The provider's name of the model.
            provider: Whose model it is.
            task: What the endpoint does, such as `llm/v1/chat`.
            config: How the provider is called, by the keys of its configuration, such as
                `{"openai_api_key": "{{secrets/scope/key}}"}`. A secret is given as a reference.
            served_name: Name of the served entity, which `served_model=` takes.
            tags: Labels by name.
            allow_plaintext: Whether keys that end in `_plaintext` may hold secrets themselves.
            **options: The options of a request, documented on `RequestOptions`.

        Raises:
            InvalidRequestError: Before anything is sent, for a secret in plain text among others.
            APIStatusError: When the server answered with an error.
        """
        body = new_external_endpoint(
            name=name,
            model=model,
            provider=provider,
            task=task,
            config=config,
            served_name=served_name,
            tags=tags,
            allow_plaintext=allow_plaintext,
        )
        return self._caller.reply(CREATE_ENDPOINT, name, {**body, **options})
