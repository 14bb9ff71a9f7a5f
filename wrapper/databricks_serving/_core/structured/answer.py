"""The type that an answer is to have: how the model is asked for it, and how it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast, get_origin

from databricks_serving._core.json_codec import JSONDecodeError, decode, is_object, kind_of
from databricks_serving._core.structured.converters import Converter, converter_of, name_of
from databricks_serving._core.structured.form import Form
from databricks_serving._core.structured.misfit import MisfitError
from databricks_serving._core.structured.schema_check import plain
from databricks_serving._core.structured.schema_parts import moved
from databricks_serving._core.structured.texts import json_text
from databricks_serving._tool_runs import total_usage
from databricks_serving.errors import (
    ContentFilterFinishReasonError,
    InvalidRequestError,
    LengthFinishReasonError,
    ParseError,
    RefusalError,
)
from databricks_serving_api.models import ChatCompletion, FinishReason, Usage
from databricks_serving_api.params import ResponseFormatDict

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_WHOLE: Final = "whole"
_WIRE_FORMS: Final = frozenset({"json_object", "json_schema", "text"})


@dataclass(frozen=True, slots=True, repr=False)
class ParsedCompletion(Generic[T_co]):
    """An answer as an object of the type that was asked for.

    Attributes:
        parsed: The object.
        replies: All answers: the first one, and one for each time the model was asked again.
    """

    parsed: T_co
    replies: tuple[ChatCompletion, ...]

    def __repr__(self) -> str:
        kind = type(self.parsed).__name__
        return f"ParsedCompletion({kind}, finish_reason={self.finish_reason!r})"

    @property
    def completion(self) -> ChatCompletion:
        """The answer that was parsed, the last one."""
        return self.replies[-1]

    @property
    def text(self) -> str:
        """The text of that answer."""
        return self.completion.text

    @property
    def finish_reason(self) -> FinishReason | str | None:
        """Why that answer ended."""
        return self.completion.finish_reason

    @property
    def usage(self) -> Usage | None:
        """The tokens of all answers; None if none were counted."""
        return total_usage([reply.usage for reply in self.replies])


class AnswerType(Generic[T]):
    """A type, or a JSON Schema as a dict, for an answer.

    Args:
        hint: The type.
        strict: Whether to ask for strict mode; None where the type has a strict form.

    Raises:
        InvalidRequestError: When it has no JSON form, naming the field.
    """

    def __init__(self, hint: Any, strict: bool | None) -> None:
        _refuse_no_type(hint)
        self.name: str = name_of(hint)
        self._converter: Converter[T] = converter_of(hint, self.name)
        fault: str | None = None
        try:
            self.key, self._form = _form_of(self._converter.schema, self.name, strict)
        except (AttributeError, KeyError, TypeError) as error:
            if not isinstance(hint, Mapping):
                raise
            fault = f"response_format is a dict, and no JSON Schema: {error}"
        if fault is not None:
            raise InvalidRequestError(fault)
        self._strict = self._form.strict if strict is None else strict

    @property
    def response_format(self) -> ResponseFormatDict:
        """What is sent."""
        strict = {"strict": True} if self._strict else {}
        named: Any = {"name": self.name, "schema": self._form.schema, **strict}
        return {"type": "json_schema", "json_schema": named}

    def read(self, replies: Sequence[ChatCompletion]) -> ParsedCompletion[T]:
        """Return what the last answer stands for.

        Raises:
            StructuredOutputError: One of its kinds, with all answers.
        """
        reply = replies[-1]
        self._refuse_unfinished(reply, replies)
        try:
            return ParsedCompletion(self._object(json_text(reply.text)), tuple(replies))
        except JSONDecodeError as error:
            fault, path, expected = f"is not JSON: {error}", None, None
        except MisfitError as error:
            fault, path, expected = f"does not fit: {error}", error.path, error.expected
        if not reply.text and reply.tool_calls:
            fault = "calls tools instead, which run_tools can make"
        raise ParseError(
            f"the answer for {self.name} {fault}",
            path=path,
            expected=expected,
            replies=replies,
            usage=_usage(replies),
        )

    def complaint(self, reply: ChatCompletion) -> str:
        """Say what is wrong with an answer, to the model that wrote it."""
        try:
            self._object(json_text(reply.text))
        except MisfitError as error:
            fault = error.detail if self.key is None else error.below(self.key).detail
        except JSONDecodeError as error:
            fault = f"it is not JSON: {error}"
        else:
            fault = "it is not the object that was asked for"
        return f"Your answer cannot be used: {fault}. Give the whole answer again, as JSON alone."

    def unwrapped(self, value: Any) -> Any:
        """Return the part of a decoded answer that stands for the type; None if it is not there."""
        if self.key is None:
            return value
        return value.get(self.key) if is_object(value) else None

    def _object(self, text: str) -> T:
        return cast("T", self._form.read(decode(text), self._convert))

    def _convert(self, value: Any) -> T:
        if self.key is None:
            return self._converter.read(value)
        if not is_object(value) or self.key not in value:
            raise MisfitError("$", f"Object missing required field `{self.key}`")
        return self._converter.read(value[self.key])

    def _refuse_unfinished(self, reply: ChatCompletion, replies: Sequence[ChatCompletion]) -> None:
        usage = _usage(replies)
        if reply.finish_reason == "length":
            raise LengthFinishReasonError(
                f"the answer for {self.name} was cut off before its end; raise max_tokens",
                replies=replies,
                usage=usage,
            )
        if reply.finish_reason == "content_filter":
            raise ContentFilterFinishReasonError(
                "a content filter stopped the answer", replies=replies, usage=usage
            )
        if reply.message is not None and reply.message.refusal:
            raise RefusalError("the model refused to answer", replies=replies, usage=usage)


def _usage(replies: Sequence[ChatCompletion]) -> Usage | None:
    return total_usage([reply.usage for reply in replies])


def _form_of(raw: Mapping[str, Any], name: str, strict: bool | None) -> tuple[str | None, Form]:
    """Return the form of a schema, and the key of it that stands for the type."""
    root, key = plain(raw, raw), None
    # fact: an answer is an object; anything else is asked for as a key of one.
    if root.get("type") != "object" and "properties" not in root:
        key = "items" if root.get("type") == "array" else "value"
        raw = _wrapped(raw, key)
    return key, Form.of(raw, name, strict=strict, tool=False)


def _wrapped(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    whole = moved(raw, lambda reference: reference.replace("#", f"#/$defs/{_WHOLE}", 1))
    inner = {"$ref": f"#/$defs/{_WHOLE}"}
    defs = {_WHOLE: whole}
    return {"type": "object", "properties": {key: inner}, "required": [key], "$defs": defs}


def _refuse_no_type(hint: Any) -> None:
    if is_object(hint) and str(hint.get("type")) in _WIRE_FORMS:
        raise InvalidRequestError(
            "response_format must be a type or a JSON Schema; create() takes the form of the wire"
        )
    if is_object(hint) and is_object(hint.get("schema")) and "name" in hint:
        raise InvalidRequestError("response_format must be the JSON Schema itself, under no key")
    # Any, what NewType and `type X = ...` make, and everything with brackets.
    named = hasattr(hint, "__supertype__") or hasattr(hint, "__value__")
    special = hint is Any or named or get_origin(hint) is not None
    if not special and not isinstance(hint, type | Mapping):
        raise InvalidRequestError(
            f"response_format must be a type or a JSON Schema, not {kind_of(hint)}"
        )
