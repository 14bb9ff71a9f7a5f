"""How replies are scripted, whatever they say."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from types import FrameType, MappingProxyType
from typing import Any, Final

from databricks_serving._core import json_codec
from databricks_serving._core.script import Head, Step
from databricks_serving.errors import InvalidRequestError, InvalidResponseError
from databricks_serving.testing._bodies import Form
from databricks_serving.testing._book import Scripted
from databricks_serving.testing._faults import Answer, event, steps_of
from databricks_serving.testing._options import (
    ENDS,
    STREAM_ONLY,
    AnyReplyOptions,
    StreamOptions,
    check_options,
)
from databricks_serving.testing._requests import RecordedRequest, shortened
from databricks_serving.testing._said import Said

JSON_TYPE: Final = ("content-type", "application/json")
EVENTS_TYPE: Final = ("content-type", "text/event-stream")
_LOWEST: Final = 100
_HIGHEST: Final = 599
Answering = Callable[[RecordedRequest], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply to be scripted.

    Attributes:
        label: What it is, for messages.
        kind: The dictionary type of its options.
        options: Its options.
        named: The other keywords of the method that scripts it.
        tasks: The tasks that it answers; None for all of endpoints.
        streamed: Whether it is for requests of streams alone.
        first: Whether it goes before all others.
    """

    label: str
    kind: type[Any]
    options: Mapping[str, Any] = field(repr=False)
    named: tuple[str, ...] = ()
    tasks: frozenset[str] | None = None
    streamed: bool = False
    first: bool = False


class Scripting(ABC):
    """What all ways to script a reply go through."""

    @abstractmethod
    def _add(self, scripted: Scripted) -> None: ...

    def _script(self, reply: Reply, answering: Answering) -> None:
        """Script a reply.

        Args:
            reply: For which requests it is, and what goes wrong.
            answering: Returns the answer to a request.
        """
        options = checked(reply)
        self._plan(
            reply,
            options,
            lambda request, number: dressed(answering(request), request, number, options),
        )

    def _plan(
        self,
        reply: Reply,
        options: Mapping[str, Any],
        steps: Callable[[RecordedRequest, int], Iterable[Step]],
    ) -> None:
        task = options.get("task")
        self._add(
            Scripted(
                label=reply.label,
                place=_place(),
                steps=steps,
                tasks=reply.tasks if task is None else frozenset({task}),
                endpoint=options.get("endpoint"),
                when=options.get("when"),
                times=options.get("times", 1),
                streamed=reply.streamed or not STREAM_ONLY.isdisjoint(options),
                first=reply.first,
            )
        )

    def _say(
        self,
        reply: Reply,
        form: Form,
        said: Said,
        stream: bool | None = None,
        check: Callable[[RecordedRequest], None] | None = None,
    ) -> None:
        """Script what a model says, as a stream or whole.

        Args:
            reply: For which requests it is, and what goes wrong.
            form: How it looks on the wire.
            said: What it says.
            stream: Whether it is a stream; as the request asks unless given.
            check: Raises for a request that cannot be answered so.
        """

        def answering(request: RecordedRequest) -> Answer:
            if check is not None:
                check(request)
            as_stream = request.stream if stream is None else stream
            if as_stream:
                return event_answer(form.events(said, request), marked=form.marked)
            return json_answer(form.whole(said, request))

        asked = sample(form)
        check_whole(form, form.whole(said, asked))
        events = list(form.events(said, asked))
        for one in events:
            check_event(form, one)
        if reply.streamed:
            check_count(checked(reply), len(events))
        self._script(reply, answering)


def reply_of(
    method: str,
    what: object,
    options: Any,
    named: tuple[str, ...],
    form: Form,
    kind: type[Any] = StreamOptions,
) -> Reply:
    """Return a reply to requests of one task."""
    return Reply(
        label=f"{method}({shortened(what)})",
        kind=kind,
        options={**options},
        named=named,
        tasks=frozenset({form.task}),
    )


def stream_of(method: str, what: object, options: Any, named: tuple[str, ...], form: Form) -> Reply:
    """Return a reply to requests of one task that ask for a stream."""
    return Reply(
        label=f"{method}({shortened(what)})",
        kind=StreamOptions,
        options={**options},
        named=named,
        tasks=frozenset({form.task}),
        streamed=True,
    )


def any_reply(label: str, options: Any, named: tuple[str, ...]) -> Reply:
    """Return a reply to requests of any task."""
    return Reply(label=label, kind=AnyReplyOptions, options={**options}, named=named)


def check_status(status: object, low: int = _LOWEST) -> None:
    """Refuse what is no HTTP status."""
    if type(status) is not int or not low <= status <= _HIGHEST:
        raise InvalidRequestError(f"status must be a whole number from {low} to {_HIGHEST}")


def checked(reply: Reply) -> Mapping[str, Any]:
    """Return the options of a reply as they are now; raises InvalidRequestError."""
    check_options(reply.kind, reply.options, reply.named)
    return {k: v for k, v in reply.options.items() if v is not None or k == "times"}


def sample(form: Form) -> RecordedRequest:
    """Return the least request of a task."""
    return RecordedRequest("POST", "/", "", "any", form.task, form.sample, {})


def check_whole(form: Form, body: dict[str, Any]) -> None:
    """Refuse a whole answer that does not fit the contract."""
    _checked(form.check, body)


def check_event(form: Form, data: Any) -> None:
    """Refuse an event that does not fit the contract."""
    _checked(form.check_event, data)


def check_count(options: Mapping[str, Any], units: int) -> None:
    """Refuse an end that comes after more events than there are."""
    for name in set(ENDS) - {"cut_at_byte"}:
        if name in options and options[name] > units:
            raise InvalidRequestError(f"{name}={options[name]}: the stream has {units} events")


def json_answer(body: object, status: int = 200) -> Answer:
    """Return a whole answer of JSON."""
    return Answer(Head(status, (JSON_TYPE,)), (json_codec.encode(body),))


def event_answer(events: Iterable[object], *, marked: bool) -> Answer:
    """Return a stream of JSON."""
    pieces = [event(one) for one in events]
    return Answer(Head(200, (EVENTS_TYPE,)), pieces, streamed=True, marked=marked)


def _checked(check: Callable[[Any], None], data: Any) -> None:
    try:
        check(deepcopy(data))
    except InvalidResponseError as error:
        raise InvalidRequestError(f"this cannot be sent: {error}") from None


def dressed(
    answer: Answer,
    request: RecordedRequest,
    number: int,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Iterable[Step]:
    """Return the steps of an answer, with the headers that every answer has.

    Args:
        answer: The answer.
        request: What it answers.
        number: The number of the request.
        options: What goes wrong, and headers over all others.
    """
    served = request.served_model or request.endpoint
    own = {
        "x-request-id": f"00000000-0000-4000-8000-{number:012d}",
        **({} if served is None else {"served-model-name": served}),
        **dict(answer.head.headers),
    }
    more: Mapping[str, str] = options.get("headers", {})
    given = {name.lower(): value for name, value in more.items()}
    head = Head(answer.head.status, tuple((own | given).items()))
    return steps_of(replace(answer, head=head), options)


def _place() -> str:
    frame: FrameType | None = inspect.currentframe()
    while frame is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    if frame is None:
        return "somewhere"
    name = frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{name}:{frame.f_lineno}"


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == "databricks_serving"
