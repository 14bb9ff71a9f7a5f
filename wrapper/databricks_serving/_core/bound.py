"""What a handle for one endpoint does around its calls: merging, transforming, unwrapping."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeAlias, TypeVar

from databricks_serving._core.argument_types import check_types
from databricks_serving._core.arguments import (
    OPTION_NAMES,
    BoundChatArguments,
    BoundCompletionArguments,
    BoundEmbeddingArguments,
    PredictionArguments,
    ResponsesArguments,
    names_of,
    refuse_unknown,
)
from databricks_serving._core.boundary import theirs
from databricks_serving._core.json_codec import is_mapping, is_sequence, kind_of
from databricks_serving._core.operations import (
    AGENT,
    CHAT,
    COMPLETION,
    EMBEDDING,
    GET_ENDPOINT,
    PREDICTION,
    RESPONSES,
    Operation,
)
from databricks_serving._core.prediction import Prediction
from databricks_serving._core.requests import in_json, mapping_of
from databricks_serving._core.rows.arrays import is_array
from databricks_serving._core.rows.cells import is_frame
from databricks_serving._core.rows.request import Given, Prepared, prepare
from databricks_serving._core.subjects import FORMS
from databricks_serving.errors import InvalidRequestError
from databricks_serving.options import RequestOptions
from databricks_serving_api.models import (
    AgentReply,
    ChatCompletion,
    Completion,
    EmbeddingResponse,
    EndpointTask,
    ResponsesReply,
)
from databricks_serving_api.types import Model

ResultT = TypeVar("ResultT")

# Seconds; a deadline that is over is no error of the argument.
_SHORTEST: Final = 1e-6

AnyReply: TypeAlias = (
    ChatCompletion | Completion | EmbeddingResponse | ResponsesReply | AgentReply | Prediction
)

# Where other keywords stand that people look for in the calls of a handle.
_ELSEWHERE: Final = {
    "model": "the handle has its endpoint; client.endpoint() makes one for another",
    "stream": "stream() of the handle streams, where the task does",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a handle calls, and the keywords that its calls take beside their subject."""

    operation: Operation[Any]
    arguments: type[Any]


KINDS: Final[Mapping[str, Kind]] = {
    "chat": Kind(CHAT, BoundChatArguments),
    "completions": Kind(COMPLETION, BoundCompletionArguments),
    "embeddings": Kind(EMBEDDING, BoundEmbeddingArguments),
    "responses": Kind(RESPONSES, ResponsesArguments),
    "agents": Kind(AGENT, BoundChatArguments),
    "custom": Kind(PREDICTION, PredictionArguments),
}

# What a handle calls that is yet to find out what its endpoint does.
INFER: Final = Kind(GET_ENDPOINT, RequestOptions)

# What the workspace calls the tasks; custom models have none.
KIND_OF_TASK: Final[Mapping[str | None, str]] = {
    "llm/v1/chat": "chat",
    "llm/v1/completions": "completions",
    "llm/v1/embeddings": "embeddings",
    "agent/v1/chat": "chat",
    "agent/v1/responses": "responses",
    "agent/v2/chat": "agents",
    None: "custom",
}


@dataclass(frozen=True, slots=True, repr=False)
class Binding(Generic[ResultT]):
    """What is bound to a handle.

    Attributes:
        name: What it is for, as errors and its repr show it.
        task: What the endpoint does.
        kind: How it is called.
        defaults: Parameters and options of every call.
        transform_input: Makes the parameters of a request of those that were given.
        transform_output: Makes the result of a reply.
    """

    name: str
    task: str
    kind: Kind
    defaults: Mapping[str, Any]
    transform_input: Callable[..., Any] | None = None
    transform_output: Callable[[Any], ResultT] | None = None

    def merged(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keywords of a call over those of every call; None means not given."""
        return {**self.defaults, **{key: v for key, v in given.items() if v is not None}}

    def call(self, subject: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call.

        Args:
            subject: What the call is about.
            given: Its keywords.

        Raises:
            InvalidRequestError: When there is no such keyword, or `transform_input` returns what
                cannot be parameters.
        """
        refuse_unknown(given, names_of(self.kind.arguments), _ELSEWHERE)
        arguments = {**subject, **self.merged(given)}
        if self.transform_input is None:
            return arguments
        return self._transformed(arguments, self.transform_input)

    def rows(
        self, rows: Any, form: str | None, given: Mapping[str, Any], *, stream: bool
    ) -> Prepared:
        """Return the arguments of a custom model's call; raises as `call` and `prepare` do."""
        if form is not None and form not in FORMS:
            raise InvalidRequestError(f"form must be one of {', '.join(FORMS)}, not {form!r:.80}")
        named = form or ("dataframe_split" if is_frame(rows) else "dataframe_records")
        arguments = self.call({named: rows}, given)
        given_rows = Given(*(arguments.pop(name, None) for name in FORMS))
        return prepare(given_rows, arguments, stream=stream)

    def before_defaults(self, given: Mapping[str, Any], known: type[Any]) -> dict[str, Any]:
        """Return the keywords of another method before those of every call that it takes.

        Args:
            given: The keywords of its call.
            known: Its dictionary type.

        Raises:
            InvalidRequestError: When there are transforms, which it has no place for.
        """
        if self.transform_input or self.transform_output:
            raise InvalidRequestError(
                "transforms are for invoke: make a handle without them for its other methods"
            )
        names = names_of(known)
        own = {key: value for key, value in self.defaults.items() if key in names}
        return own | {key: value for key, value in given.items() if value is not None}

    def helped(self, given: Mapping[str, Any], known: type[Any], further: str) -> dict[str, Any]:
        """Return the same, the other keywords of every call under one that takes them.

        Args:
            given: The keywords of its call.
            known: Its dictionary type.
            further: The keyword of it that has further parameters of the request.

        Raises:
            InvalidRequestError: As `before_defaults` does.
        """
        mine = self.before_defaults(given, known)
        names = names_of(known)
        others = {key: value for key, value in self.defaults.items() if key not in names}
        return {**mine, further: {**others, **mapping_of(mine, further)}}

    def output(self, reply: Any) -> ResultT:
        """Return what a call returns for a reply."""
        if self.transform_output is None:
            result: ResultT = reply
            return result
        return theirs(self.transform_output, reply)

    def _transformed(
        self, arguments: dict[str, Any], transform: Callable[..., Any]
    ) -> dict[str, Any]:
        options = {name: arguments.pop(name) for name in OPTION_NAMES & arguments.keys()}
        # A mistake in what was given is not to look like one of the transform.
        self.kind.operation.check_request(arguments)
        request = {**arguments, **mapping_of(options, "extra_body")}
        for key in request:
            if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
                raise InvalidRequestError(f"extra_body has a key of type {type(key).__name__}")
        copy = in_json(request, lambda: copied(request))
        made = theirs(transform, **copy)
        if not is_mapping(made) or not all(isinstance(key, str) for key in made):
            raise InvalidRequestError(
                "transform_input must return a dict of the request's parameters, not "
                f"{kind_of(made)}"
            )
        known = {*names_of(self.kind.operation.arguments)} - OPTION_NAMES
        parameters = {key: value for key, value in made.items() if key in known}
        others = {key: value for key, value in made.items() if key not in known}
        return {**options, **parameters, "extra_body": others}


def copied(value: Any) -> Any:
    """Return a copy with models as plain dicts, as deep as a request is."""
    if is_mapping(value):
        return {key: copied(item) for key, item in value.items()}
    if is_sequence(value):
        return [copied(item) for item in value]
    if isinstance(value, Model):
        return value.to_dict()
    # These can be written to; anything else stays as it is.
    return deepcopy(value) if is_frame(value) or is_array(value) else value


def found(binding: Binding[ResultT], task: EndpointTask | str | None) -> Binding[ResultT]:
    """Return what is bound to a handle whose endpoint has turned out to have a task.

    Raises:
        InvalidRequestError: When there is no handle for it, or its calls do not take the defaults.
    """
    known = KIND_OF_TASK.get(None if task is None else str(task))
    if known is None:
        raise InvalidRequestError(
            f"endpoint {binding.name!r} has the task {str(task)!r:.80}, for which there is no "
            f"handle: give task= one of {', '.join(KINDS)} or text"
        )
    kind = KINDS[known]
    check_defaults(binding.defaults, kind)
    return replace(binding, task=known, kind=kind)


class Asking:
    """A call that first asks what its endpoint does: the deadline is for both requests.

    Args:
        arguments: The keywords of the call, with those of every call.
        now: The monotonic time.
    """

    def __init__(self, arguments: Mapping[str, Any], now: float) -> None:
        names = names_of(RequestOptions)
        self.options: dict[str, Any] = {k: v for k, v in arguments.items() if k in names}
        self._began = now

    def rest(self, now: float) -> dict[str, float]:
        """Return the deadline of what is left to do, if there is one."""
        deadline = self.options.get("deadline")
        if deadline is None:
            return {}
        return {"deadline": max(deadline - (now - self._began), _SHORTEST)}


def check_defaults(defaults: Mapping[str, Any], kind: Kind) -> None:
    """Refuse keywords of every call that calls do not take, and values of other types."""
    try:
        refuse_unknown(defaults, names_of(kind.arguments), _ELSEWHERE)
        check_types(kind.arguments, defaults)
    except InvalidRequestError as error:
        raise InvalidRequestError(f"defaults: {error}") from None
