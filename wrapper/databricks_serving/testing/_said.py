"""What a scripted answer says, whatever it looks like on the wire."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from databricks_serving._core import json_codec
from databricks_serving._core.json_codec import is_list, is_mapping
from databricks_serving.errors import InvalidRequestError
from databricks_serving.testing._options import check_is
from databricks_serving.testing._requests import RecordedRequest

_WORD: Final = re.compile(r"\s*\S+|\s+$")
CREATED: Final = 1_790_000_000


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an answer says.

    Attributes:
        pieces: Its text, as a stream brings it.
        reasoning: What the model thought before.
        refusal: Why it does not answer.
        calls: The tools that it calls.
        finish_reason: Why it ends.
        usage: Token counts over those that are counted.
    """

    pieces: tuple[str, ...] = ()
    reasoning: str | None = None
    refusal: str | None = None
    calls: tuple[Call, ...] = ()
    finish_reason: str = "stop"
    usage: Mapping[str, Any] | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    def usage_for(self, request: RecordedRequest) -> dict[str, Any]:
        """Return token counts: of words, unless they were given."""
        said = [request.text, *request.texts[1:]]
        counts: dict[str, Any] = {
            "prompt_tokens": sum(map(_words, said)),
            "completion_tokens": _words(self.text) + _words(self.reasoning or ""),
            **(self.usage or {}),
        }
        total = counts["prompt_tokens"] + counts["completion_tokens"]
        return {**counts, "total_tokens": counts.get("total_tokens", total)}


def said(
    pieces: tuple[str, ...],
    *,
    reasoning: str | None = None,
    refusal: str | None = None,
    calls: tuple[Call, ...] = (),
    finish_reason: str | None = None,
    usage: Mapping[str, int] | None = None,
) -> Said:
    """Check what an answer is to say; raises InvalidRequestError, naming the argument."""
    check_is("reasoning", reasoning, str, "a text")
    check_is("refusal", refusal, str, "a text")
    check_is("finish_reason", finish_reason, str, "a text")
    _check_usage(usage)
    return Said(
        pieces=pieces,
        reasoning=reasoning,
        refusal=refusal,
        calls=calls,
        finish_reason=finish_reason or ("tool_calls" if calls else "stop"),
        usage=usage,
    )


def pieces_of_stream(pieces: Iterable[str]) -> tuple[str, ...]:
    """Check the pieces of a stream."""
    if isinstance(pieces, str | bytes) or not isinstance(pieces, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
        raise InvalidRequestError(f"pieces must be a list of texts, not {type(pieces).__name__}")
    given = tuple(pieces)
    for position, piece in enumerate(given):
        check_is(f"pieces[{position}]", piece, str, "a text")
    return given


def calls_of(calls: Sequence[tuple[str, Any]]) -> tuple[Call, ...]:
    """Check calls of tools: pairs of a name and arguments, which a text gives as they are."""
    if not calls:
        raise InvalidRequestError("calls must have at least one (name, arguments)")
    found: list[Call] = []
    for position, one in enumerate(calls):
        match one:
            case (str(name), str(arguments)):
                written = arguments
            case (str(name), arguments) if is_mapping(arguments):
                written = in_json(f"calls[{position}]", arguments)
            case _:
                raise InvalidRequestError(
                    f"calls[{position}] must be the name of a function and its arguments, "
                    "as a dict or as a text that stands as it is"
                )
        found.append(Call(f"call_{position + 1}", name, written))
    return tuple(found)


def in_json(name: str, value: object) -> str:
    """Write a value as JSON; raises InvalidRequestError for what is none."""
    try:
        return json_codec.encode(value).decode()
    except json_codec.JSONEncodeError as error:
        raise InvalidRequestError(f"{name} is not JSON: {error}") from None


def words_of(text: str) -> tuple[str, ...]:
    """Cut a text as a stream brings it."""
    return tuple(_WORD.findall(text))


def pieces_of(text: object) -> tuple[str, ...]:
    """Return the pieces of a text, or of what stands as JSON; raises InvalidRequestError."""
    if is_list(text) or is_mapping(text):
        return words_of(in_json("text", text))
    check_is("text", text, str, "a text, or a dict or list that stands as JSON")
    return words_of(text) if isinstance(text, str) else ()


def _check_usage(usage: Any) -> None:
    check_is("usage", usage, Mapping, "a dict of token counts")
    given: Mapping[str, Any] = usage or {}
    for key, value in given.items():
        if not (is_mapping(value) or type(value) is int):
            raise InvalidRequestError(f"usage[{key!r}] must be a whole number")


def _words(text: str) -> int:
    return len(text.split())
