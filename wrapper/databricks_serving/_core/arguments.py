"""Keyword arguments of the public methods: their types, and what they become on the wire.

The parameters come from the contract: each method takes the generated parameters of its task and
the options of every call, typed by unpacking one dictionary type. A parameter added to the contract
is thereby a parameter of the method.
"""

import difflib
import inspect
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, Literal

from databricks_serving._core.boundary import CallableT, forgetful
from databricks_serving.errors import InvalidRequestError
from databricks_serving.options import CallOptions, RequestOptions
from databricks_serving_api.params import (
    ChatCommonParams,
    ChatParams,
    ChatSettings,
    CompletionParams,
    CompletionSettings,
    CreateEndpointParams,
    EmbeddingParams,
    EmbeddingSettings,
    PredictionParams,
    ResponsesParams,
)

# Names that people look for here and that stand somewhere else.
_ELSEWHERE = {
    "api_key": "the token is an option of the client",
    "chunk_size": "batch_size= and batch_bytes= of embed_documents limit requests",
    "default_headers": "use extra_headers=, or with_options(default_headers=...)",
    "endpoint": "the endpoint is named by model=",
    "functions": "functions are given as tools=, and run_tools calls them",
    "max_concurrency": "use concurrency=",
    "max_retries": "use with_options(max_retries=...)",
    "model": "the name of the endpoint comes first, as endpoint",
    "stream": "create() of the plain resource takes it; stream(), parse_stream(), stream_tools() "
    "and predict_stream() stream without it",
    "text_format": "the type of the answer is response_format= of parse and parse_stream",
    "token": "the token is an option of the client",
}

# What a call is about, as the tasks name it.
_SUBJECTS = {
    "messages": "the conversation is messages=",
    "prompt": "the text is prompt=",
    "input": "what is asked or embedded is input=",
    "texts": "the texts come first",
    "text": "the text comes first",
}

OPTION_NAMES = frozenset(CallOptions.__annotations__)


class ChatArguments(ChatParams, CallOptions, total=False):
    """Keyword arguments of a chat call."""


class ChatCommonArguments(ChatCommonParams, CallOptions, total=False):
    """Keyword arguments of a chat call that has another type for its tools or its answer."""


class CompletionArguments(CompletionParams, CallOptions, total=False):
    """Keyword arguments of a completion call."""


class EmbeddingArguments(EmbeddingParams, CallOptions, total=False):
    """Keyword arguments of an embedding call."""


class _EmbedArguments(CallOptions, total=False):
    """Keyword arguments that the helpers for embeddings share."""

    instruction: str | None
    """Instruction put before each text, for models that know one; BGE, Qwen3."""
    dimensions: int | None
    """Length of the vectors, where the model can shorten them."""
    encoding_format: Literal["float", "base64"] | None
    """How vectors are sent; what is returned are numbers in either case."""


class QueryArguments(_EmbedArguments, total=False):
    """Keyword arguments of `embed_query`."""

    query_params: Mapping[str, Any] | None
    """Further parameters of the request, as `EmbeddingParams` has them; keywords go before."""


class DocumentsArguments(_EmbedArguments, total=False):
    """Keyword arguments of `embed_documents`. A deadline is for all batches together."""

    documents_params: Mapping[str, Any] | None
    """Further parameters of the requests, as `EmbeddingParams` has them; keywords go before."""
    batch_size: int | None
    """Largest number of texts in a request, 96 by default."""
    batch_bytes: int | None
    """Largest size of the texts in a request as JSON, 2 MiB by default; a longer one goes alone."""
    concurrency: int | None
    """How many requests are under way at once, 1 to 1000, by default 4."""
    on_progress: Callable[[int, int], object] | None
    """Called after each batch with the number of texts that are done and that of all: one call at a
    time, from whichever thread had the batch."""


class CreateEndpointArguments(CreateEndpointParams, RequestOptions, total=False):
    """Keyword arguments of a request that creates an endpoint."""


class PredictionArguments(PredictionParams, CallOptions, total=False):
    """Keyword arguments of a custom model's call, beside its rows."""


class PredictionFields(PredictionArguments, total=False):
    """The same with the rows, written as JSON; one of the four forms, or none."""

    dataframe_split: Any
    dataframe_records: Any
    instances: Any
    inputs: Any


class ResponsesArguments(ResponsesParams, CallOptions, total=False):
    """Keyword arguments of an agent's call, beside its input."""


class ResponsesFields(ResponsesArguments, total=False):
    """The same with the input, as a list of items."""

    input: Any


class BoundChatArguments(ChatSettings, CallOptions, total=False):
    """Keyword arguments of a handle's chat call, beside its messages."""


class BoundCompletionArguments(CompletionSettings, CallOptions, total=False):
    """Keyword arguments of a handle's completion call, beside its prompt."""


class BoundEmbeddingArguments(EmbeddingSettings, CallOptions, total=False):
    """Keyword arguments of a handle's embedding call, beside its input."""


class TextArguments(CallOptions, total=False):
    """Keyword arguments of a call of a text endpoint, beside its prompt."""

    stop: str | list[str] | tuple[str, ...] | None
    """Text, or texts, that end the answer; sent as a list."""
    temperature: float | None
    """Randomness from 0 to 2."""
    max_tokens: int | None
    """Most tokens to generate, at least 1."""
    n: int | None
    """Number of answers, at least 1."""


class TextFields(TextArguments, total=False):
    """The same with the prompt."""

    prompt: str


def names_of(arguments: type[Any]) -> list[str]:
    """Return the keyword names of a dictionary type, those of its bases first."""
    return list(arguments.__annotations__)


def refuse_unknown(
    given: Mapping[str, Any],
    known: list[str],
    elsewhere: Mapping[str, str] = _ELSEWHERE,
    *,
    extra_body: bool = True,
) -> None:
    """Refuse keywords that the method does not take.

    Args:
        given: The keywords that were given.
        known: The names of those that it takes.
        elsewhere: Where other names stand that people look for here.
        extra_body: Whether the call takes it, so that it is a way around.

    Raises:
        InvalidRequestError: Naming the nearest known keyword, and the way around.
    """
    around = " (extra_body= sends keys that are not listed)" if extra_body else ""
    for name in given:
        if name not in known:
            where = _place_of(name, known, elsewhere)
            hint = f"{guess_of(name, known)}{around}" if where is None else f": {where}"
            raise InvalidRequestError(f"unknown parameter {name!r}{hint}")


def _place_of(name: str, known: list[str], elsewhere: Mapping[str, str]) -> str | None:
    if name in elsewhere or name not in _SUBJECTS:
        return elsewhere.get(name)
    return next((said for other, said in _SUBJECTS.items() if other in known), None)


def guess_of(name: str, known: list[str]) -> str:
    """Return a guess which of the known names an unknown one stands for; empty if none is near."""
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def public_method(
    arguments: type[Any], *, explain: bool = False
) -> Callable[[CallableT], CallableT]:
    """Make a method one that users call.

    Its unpacked keywords are shown one by one in `help()` and to `inspect.signature`, and no error
    of this package that leaves it brings along what the user gave (see `forgetful`).

    Args:
        arguments: The dictionary type that the keywords are unpacked from.
        explain: Refuse an unknown keyword before the language misses the one that it stands for.
    """

    def decorate(method: CallableT) -> CallableT:
        signature = inspect.signature(method)
        kept = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        keywords = _keywords(arguments)  # type: ignore[arg-type]  # mypy: a class has no hash
        known = [parameter.name for parameter in (*kept, *keywords)]
        shown = forgetful(method, partial(refuse_unknown, known=known) if explain else None)
        shown.__signature__ = signature.replace(parameters=[*kept, *keywords])  # type: ignore[attr-defined]
        return shown

    return decorate


@cache
def _keywords(arguments: type[Any]) -> list[inspect.Parameter]:
    return [_keyword(name, hint) for name, hint in arguments.__annotations__.items()]


def _keyword(name: str, hint: Any) -> inspect.Parameter:
    # The generated annotations are postponed, so that Required stands in their text.
    text = getattr(hint, "__forward_arg__", hint)
    required = isinstance(text, str) and text.startswith("Required[")
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if required else None,
        annotation=text.removeprefix("Required[").removesuffix("]") if required else text,
    )
