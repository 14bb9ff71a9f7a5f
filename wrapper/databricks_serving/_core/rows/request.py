"""What a call of a custom model sends: rows in one form, or a whole request."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from databricks_serving._core.arguments import PredictionArguments, names_of, refuse_unknown
from databricks_serving._core.json_codec import is_mapping, is_sequence, kind_of
from databricks_serving._core.rows.forms import write_rows
from databricks_serving._core.subjects import FORMS
from databricks_serving.errors import InvalidRequestError
from databricks_serving_api.params import PredictionParams

# Keys of which one makes a dict a whole request; `input` does as well, by its value.
_WHOLE: Final = frozenset({"messages", "prompt", *FORMS})
_OF_ITEMS: Final = frozenset({"role", "type"})
_CHOICE: Final = f"give one of {', '.join(f'{form}=' for form in FORMS)}"


class Given(NamedTuple):
    """What was given for each of the four forms; None means not given."""

    dataframe_split: Any
    dataframe_records: Any
    instances: Any
    inputs: Any


class Prepared(NamedTuple):
    """The arguments of a call with its rows written, and the index of the frame that they were."""

    arguments: dict[str, Any]
    index: Any = None


def prepare(rows: Given, arguments: Mapping[str, Any], *, stream: bool = False) -> Prepared:
    """Write the rows of a call.

    Args:
        rows: What was given for each of the four forms.
        arguments: The other keyword arguments.
        stream: Whether the call streams.

    Raises:
        InvalidRequestError: When not exactly one form is given, or one cannot be sent.
    """
    refuse_unknown(arguments, names_of(PredictionArguments))
    given = {form: value for form, value in rows._asdict().items() if value is not None}
    if not given:
        raise InvalidRequestError(f"there is nothing to predict from: {_CHOICE}")
    if len(given) > 1:
        raise InvalidRequestError(f"{_CHOICE}, not {' and '.join(given)}")
    extra = _extra(arguments)
    for name in FORMS:
        if name in extra:
            raise InvalidRequestError(f"give {name}= instead of extra_body")
    form, value = next(iter(given.items()))
    if form == "inputs" and is_mapping(value) and _is_whole(value):
        return _whole(value, arguments, extra, stream=stream)
    data, index = write_rows(form, value)
    return Prepared({**arguments, form: data}, index)


def _is_whole(inputs: Mapping[Any, Any]) -> bool:
    if inputs.keys() & _WHOLE:
        return True
    value = inputs.get("input")
    if isinstance(value, str):
        return True
    return is_sequence(value) and bool(value) and all(map(_is_item, value))


def _is_item(value: object) -> bool:
    return isinstance(value, str) or (is_mapping(value) and not _OF_ITEMS.isdisjoint(value))


def _whole(
    inputs: Mapping[Any, Any],
    arguments: Mapping[str, Any],
    extra: Mapping[str, Any],
    *,
    stream: bool,
) -> Prepared:
    body = {key: value for key, value in inputs.items() if key != "stream"}
    if inputs.get("stream") and not stream:
        raise InvalidRequestError("inputs must not set stream: use predict_stream")
    for key in body:
        if not isinstance(key, str):
            raise InvalidRequestError(f"inputs has a key of type {type(key).__name__}")
        if key in PredictionParams.__annotations__ and arguments.get(key) is not None:
            raise InvalidRequestError(f"{key} is given twice: in inputs, and as {key}=")
    forms = [form for form in FORMS if form in body]
    if len(forms) > 1:
        raise InvalidRequestError(f"inputs: {_CHOICE}, not {' and '.join(forms)}")
    index = None
    for form in forms:
        body[form], index = write_rows(form, body[form])
    return Prepared({**arguments, "extra_body": {**body, **extra}}, index)


def _extra(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    extra: Any = arguments.get("extra_body") or {}
    if not isinstance(extra, Mapping):
        raise InvalidRequestError(f"extra_body must be a dict, not {kind_of(extra)}")
    return extra  # pyright: ignore[reportUnknownVariableType] - its keys are checked where used
