"""What every scripted reply takes: for which request it is, how often, and what goes wrong."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias, TypedDict

from databricks_serving._core.argument_types import check_types
from databricks_serving._core.arguments import names_of, refuse_unknown
from databricks_serving._core.script import Breakage
from databricks_serving.errors import InvalidRequestError
from databricks_serving.testing._requests import TASKS, RecordedRequest, TaskName

When: TypeAlias = Callable[[RecordedRequest], object] | Mapping[str, Any]


class MatchOptions(TypedDict, total=False):
    """Which requests something is scripted for."""

    endpoint: str | None
    """Name of the endpoint that it is for; any unless given."""
    when: When | None
    """What a request must be for it: a function of the request, or a part of its body."""
    times: int | None
    """How many requests it answers, 1 unless given; None for any number."""
    delay: float
    """Seconds before the answer begins, or the connection fails."""


class ReplyOptions(MatchOptions, total=False):
    """Keyword arguments of every scripted reply.

    Where something happens `after` a number, that counts the events of a stream, and the bytes of
    an answer that comes whole.
    """

    headers: Mapping[str, str]
    """Headers of the answer, over its own."""
    drip: float
    """Seconds between two pieces: events, or 64 bytes of an answer that comes whole."""
    split: int
    """Bytes in a piece, so that pieces end within lines and characters."""
    stall_after: int
    """After how much nothing comes any more, on an open connection."""
    cut_after: int
    """After how much the connection is closed, before the end of the answer."""
    reset_after: int
    """After how much the connection is reset."""
    malformed_after: int
    """After how much comes what is no HTTP."""


class StreamOptions(ReplyOptions, total=False):
    """Keyword arguments of scripted streams."""

    first_event_after: float
    """Seconds before the first event, in which there are only comments to keep it alive."""
    keep_alive: float
    """Seconds between two of these comments, 5 unless given."""
    cut_at_byte: int
    """After how many bytes the connection is closed, wherever that is in an event."""
    ends_after: int
    """After how many events the stream ends, in good order but without its last events."""
    error_after: int
    """After how many events the server reports an error, and ends."""
    error: Mapping[str, Any] | str
    """What that event holds."""
    garbage_after: int
    """After how many events comes one that is no JSON."""
    done: bool
    """Whether `[DONE]` comes at the end; where such streams have it, it does unless given."""
    line_end: Literal["\n", "\r\n", "\r"]
    """What ends the lines of events."""


class FailureOptions(MatchOptions, total=False):
    """Keyword arguments of connections that fail."""

    task: TaskName | None
    """The task of the requests that it is for; any task of endpoints unless given. Requests about
    endpoints are `endpoints`, and those of logins are `token`."""


class AnyReplyOptions(ReplyOptions, FailureOptions, total=False):
    """Keyword arguments of replies that fit any task."""


class AnyStreamOptions(AnyReplyOptions, StreamOptions, total=False):
    """Keyword arguments of streams that fit any task."""


STREAM_ONLY: Final = frozenset(StreamOptions.__annotations__) - frozenset(
    ReplyOptions.__annotations__
)
BREAKAGES: Final[Mapping[str, Breakage]] = {
    "cut_after": "closed",
    "cut_at_byte": "closed",
    "reset_after": "reset",
    "malformed_after": "malformed",
}
ENDS: Final = (*BREAKAGES, "stall_after", "ends_after", "error_after", "garbage_after")
_SECONDS: Final = ("delay", "drip", "first_event_after", "keep_alive")
_LINE_ENDS: Final = ("\n", "\r\n", "\r")


def check_options(kind: type[Any], given: Mapping[str, Any], named: tuple[str, ...]) -> None:
    """Refuse options that a reply does not take, or that cannot work.

    Args:
        kind: The dictionary type of the options.
        given: The options.
        named: The other keywords of the method, for guesses at what was meant.

    Raises:
        InvalidRequestError: Naming the option.
    """
    known = names_of(kind)
    refuse_unknown({n: 0 for n in given if n not in known}, [*known, *named], {}, extra_body=False)
    check_types(kind, {name: value for name, value in given.items() if value is not None})
    given = {name: value for name, value in given.items() if value is not None}
    _check_numbers(given)
    when: Any = given.get("when")
    if not (when is None or callable(when) or isinstance(when, Mapping)):
        _refuse("when", "a function of the request or a part of its body", when)
    for name, value in given.get("headers", {}).items():
        check_is(f"headers[{name!r}]", value, str, "a text")
    if given.get("line_end", "\n") not in _LINE_ENDS:
        raise InvalidRequestError(f"line_end must be one of {_LINE_ENDS}")
    if given.get("task") not in {None, *TASKS}:
        raise InvalidRequestError(f"task must be one of {', '.join(TASKS)}")
    ends = [name for name in ENDS if name in given]
    if len(ends) > 1:
        raise InvalidRequestError(f"a reply ends in one way, not by {' and '.join(ends)}")
    if "error" in given and "error_after" not in given:
        raise InvalidRequestError("error= is what error_after= reports: give both")


def _check_numbers(given: dict[str, Any]) -> None:
    for name, value in given.items():
        low = 1 if name in {"times", "split"} else 0
        counts = name in {*ENDS, "times", "split"}
        if counts and value < low:
            raise InvalidRequestError(f"{name} must be at least {low}, not {value}")
        if name in _SECONDS and not value >= 0:
            raise InvalidRequestError(f"{name} must be seconds, from 0, not {value}")
    if given.get("keep_alive") == 0:
        raise InvalidRequestError("keep_alive must be more than 0 seconds")


def check_is(name: str, value: object, kind: type | tuple[type, ...], words: str) -> None:
    """Refuse a value of another type; None means not given."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
        _refuse(name, words, value)


def _refuse(name: str, words: str, value: object) -> None:
    raise InvalidRequestError(f"{name} must be {words}, not {type(value).__name__}")
