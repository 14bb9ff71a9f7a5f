"""What the helpers for embeddings are given, checked before anything is sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from databricks_serving._core.argument_types import check_types
from databricks_serving._core.arguments import (
    OPTION_NAMES,
    QueryArguments,
    names_of,
    refuse_unknown,
)
from databricks_serving._core.callbacks import check_callback
from databricks_serving._core.json_codec import kind_of
from databricks_serving._core.requests import mapping_of
from databricks_serving._core.units import MIB
from databricks_serving.errors import InvalidRequestError
from databricks_serving_api.params import EmbeddingParams

_MOST_AT_ONCE: Final = 1000
_PARAMETERS: Final = [name for name in names_of(EmbeddingParams) if name != "input"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How `embed_documents` is to go about it.

    Attributes:
        fail_on_error: Whether the first error ends it.
        batch_size: The largest number of texts in a request.
        batch_bytes: The largest size of the texts in a request, as JSON.
        concurrency: How many requests are under way at once.
        on_progress: Called with the number of texts that are done, and that of all.
    """

    fail_on_error: bool
    # fact: models that Databricks hosts take 150 texts; of those behind it, Cohere takes 96.
    batch_size: int = 96
    # fact: foundation models take requests of 4 MiB.
    batch_bytes: int = 2 * MIB
    concurrency: int = 4
    on_progress: Callable[[int, int], object] | None = None

    def __post_init__(self) -> None:
        _check_count("batch_size", self.batch_size, None)
        _check_count("batch_bytes", self.batch_bytes, None)
        _check_count("concurrency", self.concurrency, _MOST_AT_ONCE)
        _check_bool("fail_on_error", self.fail_on_error)
        check_callback("on_progress", self.on_progress)

    @classmethod
    def of(cls, arguments: Mapping[str, Any], *, fail_on_error: bool) -> "Plan":
        """Return the plan that the arguments of a call ask for."""
        given = {name: arguments.get(name) for name in cls.__slots__ if name in arguments}
        return cls(fail_on_error, **not_none(given))


def query_call(text: object, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the call that embeds a query; raises InvalidRequestError."""
    call = call_of(arguments, QueryArguments, "query_params")
    if not isinstance(text, str):
        raise InvalidRequestError(
            f"text must be a str, not {kind_of(text)}; embed_documents takes several"
        )
    return {**call, "input": text}


def call_of(arguments: Mapping[str, Any], known: type[Any], name: str) -> dict[str, Any]:
    """Return what a helper was given as the arguments of a call, without its texts.

    Args:
        arguments: The keywords of the helper.
        known: Its dictionary type.
        name: The keyword that has further parameters.

    Raises:
        InvalidRequestError: Naming what cannot be sent.
    """
    refuse_unknown(arguments, names_of(known))
    given = not_none(arguments)
    more = mapping_of(given, name)
    try:
        refuse_unknown(more, _PARAMETERS)
    except InvalidRequestError as error:
        raise InvalidRequestError(f"{name}: {error}") from None
    if "input" in mapping_of(given, "extra_body"):
        raise InvalidRequestError("extra_body must not set input: the texts are given")
    parameters = not_none(more) | {key: given[key] for key in _PARAMETERS if key in given}
    check_types(EmbeddingParams, parameters)
    return parameters | {key: given[key] for key in OPTION_NAMES & given.keys()}


def not_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given."""
    return {name: value for name, value in values.items() if value is not None}


def _check_count(name: str, value: object, most: int | None) -> None:
    if type(value) is not int or value < 1 or (most is not None and value > most):
        upper = "" if most is None else f" to {most}"
        raise InvalidRequestError(f"{name} must be a whole number from 1{upper or ' on'}")


def _check_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise InvalidRequestError(f"{name} must be a bool, not {kind_of(value)}")
