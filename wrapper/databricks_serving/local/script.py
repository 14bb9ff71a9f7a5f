"""Scripted replies: what an endpoint is to answer, in order or by what it is asked."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock
from typing import Any, Final

from databricks_serving.local.backends.deterministic.text import tokenize
from databricks_serving.local.checks import (
    any_text,
    anything,
    items,
    number,
    record,
    text,
    whole,
    wrong,
)
from databricks_serving.local.errors import RefusedError, bad_request, code_for, retry_header
from databricks_serving.local.faults import Fault, read_fault, strike
from databricks_serving.local.jsontypes import Json, is_list, is_object
from databricks_serving.local.log import holds
from databricks_serving.local.messages import HttpReply, event_reply, json_reply
from databricks_serving.local.pace import Pace
from databricks_serving.local.script_shapes import SPEAKING, events, reply
from databricks_serving.local.tasks import Task
from databricks_serving.testing._blocks import blocks_of

_CALL: Final = record({"name": text(), "arguments": anything, "id": text()}, "name")
_REPLY: Final = record(
    {
        "when": record({"last_user_contains": text(), "json": anything}),
        "times": whole(1, 1_000_000),
        "text": any_text,
        "pieces": items(any_text),
        "tool_call": _CALL,
        "tool_calls": items(_CALL),
        "status": whole(200, 599),
        "error_code": text(),
        "message": any_text,
        "retry_after": number(),
        "body": anything,
        "content_type": text(),
        "delay": number(),
        "fault": read_fault,
    }
)
_OF_ERRORS: Final = ("error_code", "message")
_SPOKEN: Final = ("text", "pieces", "tool_call", "tool_calls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """One reply of a script.

    Attributes:
        when: What the request must have for it: `last_user_contains`, a text, and `json`, keys with
            their values; empty for any request.
        times: How often it is given; None without end.
        text: The text of the answer.
        pieces: The same as it is cut in a stream; one word each unless told.
        tool_calls: Calls of tools.
        status: HTTP status; an error from 400 on.
        error_code: Code of the error.
        message: Text of the error.
        retry_after: Seconds that it asks to wait.
        body: The whole body instead: a text as it is, or JSON.
        content_type: Its content type.
        delay: Seconds before the reply.
        fault: What goes wrong with it.
    """

    when: Mapping[str, Any]
    times: int | None
    pieces: Sequence[str] = ()
    tool_calls: Sequence[Mapping[str, Any]] = ()
    status: int = HTTPStatus.OK
    error_code: str | None = None
    message: str | None = None
    retry_after: float | None = None
    body: Any = None
    content_type: str | None = None
    delay: float = 0.0
    fault: Fault | None = None

    @property
    def speaks(self) -> bool:
        """Whether it says something of its own."""
        return bool(self.pieces or self.tool_calls)

    def fits(self, request: Json) -> bool:
        """Tell whether a request is one that it answers."""
        words: str = self.when.get("last_user_contains", "")
        return words in last_user_text(request) and holds(request, self.when.get("json", {}))


def read_replies(value: Any, place: str, task: Task) -> tuple[Scripted, ...]:
    """Read a script.

    Raises:
        ConfigError: It makes no sense, or the task cannot say it.
    """
    if not is_list(value) or not value:
        raise wrong(place, "expected a list of replies")
    return tuple(_read(one, f"{place}[{position}]", task) for position, one in enumerate(value))


def _read(value: Any, place: str, task: Task) -> Scripted:
    given = _REPLY(value, place)
    if not given.keys() - {"when", "times"}:
        raise wrong(place, "a reply needs text, pieces, tool_call, body, status, delay or fault")
    spoken = [key for key in _SPOKEN if key in given]
    if {"text", "pieces"} <= given.keys() or {"tool_call", "tool_calls"} <= given.keys():
        raise wrong(place, f"give one of {' and '.join(spoken)}")
    if spoken and task not in SPEAKING:
        raise wrong(f"{place}.{spoken[0]}", f"endpoints of the task {task} need body instead")
    if spoken and task is Task.COMPLETION and "tool_call" in spoken[-1]:
        raise wrong(f"{place}.{spoken[-1]}", f"endpoints of the task {task} call no tools")
    status = given.get("status", HTTPStatus.OK)
    if (spoken or any(key in given for key in _OF_ERRORS)) and "body" in given:
        raise wrong(place, "a body is the whole reply: give nothing else to say")
    if spoken and status >= HTTPStatus.BAD_REQUEST:
        raise wrong(f"{place}.{spoken[0]}", "an error says nothing but its message")
    if status < HTTPStatus.BAD_REQUEST and any(key in given for key in _OF_ERRORS):
        raise wrong(f"{place}.status", "an error has a status from 400 on")
    if "text" in given:
        given["pieces"] = tokenize(given.pop("text")) or [""]
    if "tool_call" in given:
        given["tool_calls"] = [given.pop("tool_call")]
    when = given.pop("when", {})
    return Scripted(when=when, times=given.pop("times", None if when else 1), **given)


class Script:
    """Chooses replies of a script.

    Args:
        replies: The replies; the first that fits and is not used up answers.
        endpoint: Name of the endpoint.
    """

    def __init__(self, replies: Sequence[Scripted], endpoint: str) -> None:
        self._replies = replies
        self._endpoint = endpoint
        self._lock = Lock()
        self._left = [reply.times for reply in replies]

    def choose(self, request: Json) -> Scripted:
        """Return the reply to a request.

        Raises:
            RefusedError: With status 400 when there is none left.
        """
        with self._lock:
            for position, one in enumerate(self._replies):
                left = self._left[position]
                if left != 0 and one.fits(request):
                    self._left[position] = None if left is None else left - 1
                    return one
        used = sum(left == 0 for left in self._left)
        raise bad_request(
            f"the script of '{self._endpoint}' has no reply to this request: {used} of its "
            f"{len(self._replies)} are used up, and the others wait for another request"
        )


def perform(
    scripted: Scripted, task: Task, request: Json, pace: Pace, other: Callable[[], HttpReply]
) -> HttpReply:
    """Give a scripted reply.

    Args:
        scripted: The reply.
        task: Task of the endpoint.
        request: The request.
        pace: For waits.
        other: Gives the answer where the script only delays or spoils it.

    Raises:
        RefusedError: The reply is an error.
        BrokenOffError: Nothing is answered.
    """
    if scripted.delay:
        pace.wait(scripted.delay)

    def answer() -> HttpReply:
        return _answer(scripted, task, request) or other()

    return answer() if scripted.fault is None else strike(scripted.fault, answer, pace)


def _answer(scripted: Scripted, task: Task, request: Json) -> HttpReply | None:
    headers = retry_header(scripted.retry_after)
    if scripted.body is not None:
        return _raw(scripted, headers)
    if scripted.status >= HTTPStatus.BAD_REQUEST:
        code = scripted.error_code or code_for(scripted.status)
        message = "A scripted error." if scripted.message is None else scripted.message
        raise RefusedError(scripted.status, code, message, headers=headers)
    if not scripted.speaks:
        return None
    said = scripted.pieces, scripted.tool_calls
    if request.get("stream"):
        marked = task is not Task.AGENT
        stream: Generator[Json, None, None] = (one for one in events(task, request, *said))
        return event_reply(stream, headers, marked=marked)
    return json_reply(scripted.status, reply(task, request, *said), headers)


def _raw(scripted: Scripted, headers: Mapping[str, str]) -> HttpReply:
    if isinstance(scripted.body, str):
        content, kind = scripted.body.encode(), "text/plain"
        if scripted.body.startswith(("data:", "event:")):
            kind = "text/event-stream"
    else:
        content, kind = (
            json.dumps(scripted.body, separators=(",", ":")).encode(),
            "application/json",
        )
    kind = scripted.content_type or kind
    if kind.startswith("text/event-stream"):
        pieces: Generator[bytes, None, None] = (one for one in blocks_of(content))
        return HttpReply(scripted.status, kind, pieces, headers)
    return HttpReply(scripted.status, kind, content, headers)


def last_user_text(request: Json) -> str:
    """Return what the user said last, or the prompt, or the texts to embed."""
    said = next((request[key] for key in ("messages", "input", "prompt") if key in request), "")
    if is_list(said):
        turns = [one for one in said if is_object(one) and one.get("role") == "user"]
        said = turns[-1].get("content") if turns else [one for one in said if isinstance(one, str)]
    if is_list(said):
        texts = [one.get("text") if is_object(one) else one for one in said]
        said = " ".join(one for one in texts if isinstance(one, str))
    return said if isinstance(said, str) else ""
