"""Scripted replies of any kind: errors, pages, recordings, functions, connections that fail."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Literal, Unpack

from databricks_serving._core.arguments import public_method
from databricks_serving._core.json_codec import is_object
from databricks_serving._core.script import Break, Head, Step, Wait
from databricks_serving.errors import InvalidRequestError
from databricks_serving.testing._faults import Answer
from databricks_serving.testing._options import AnyReplyOptions, AnyStreamOptions, check_is
from databricks_serving.testing._requests import RecordedRequest, shortened
from databricks_serving.testing._rules import answer_as
from databricks_serving.testing._said import in_json
from databricks_serving.testing._scripting import (
    EVENTS_TYPE,
    JSON_TYPE,
    Reply,
    Scripting,
    checked,
    event_answer,
    json_answer,
)
from databricks_serving.testing._time import FakeTime

_CODES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("BAD_REQUEST", "The request is not valid."),
    401: ("UNAUTHENTICATED", "The credentials are not valid."),
    403: ("PERMISSION_DENIED", "The caller may not query this endpoint."),
    404: ("RESOURCE_DOES_NOT_EXIST", "The endpoint does not exist."),
    409: ("RESOURCE_CONFLICT", "The endpoint is being changed."),
    429: ("REQUEST_LIMIT_EXCEEDED", "Too many requests."),
    500: ("INTERNAL_ERROR", "The model failed."),
    503: ("TEMPORARILY_UNAVAILABLE", "The endpoint has no capacity."),
    504: ("DEADLINE_EXCEEDED", "The model took too long."),
}
_LOWEST: Final = 100
_HIGHEST: Final = 599
_BREAKAGES: Final = ("refused", "connect_timeout", "reset", "closed", "malformed")
_COLD: Final = "The endpoint is scaling up from zero."


class RawReplies(Scripting):
    """Replies of any kind, which fit any task of endpoints unless `task=` names one."""

    time: FakeTime

    @public_method(AnyReplyOptions)
    def error(
        self,
        status: int,
        message: str | None = None,
        *,
        error_code: str | None = None,
        retry_after: float | None = None,
        **options: Unpack[AnyReplyOptions],
    ) -> None:
        """Script an error of the server.

        Args:
            status: The HTTP status, from 400.
            message: What the server says.
            error_code: The platform's code; the usual one of the status unless given.
            retry_after: How many seconds the server asks to wait.
            **options: For which request, how often, and what goes wrong: `AnyReplyOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        _check_status(status, HTTPStatus.BAD_REQUEST)
        check_is("message", message, str, "a text")
        check_is("error_code", error_code, str, "a text")
        check_is("retry_after", retry_after, (int, float), "a number of seconds")
        code, text = _CODES.get(status, ("UNKNOWN", "The server failed."))
        body = {"error_code": error_code or code, "message": message or text}
        waits = () if retry_after is None else (("retry-after", f"{retry_after:g}"),)
        answer = Answer(Head(status, (JSON_TYPE, *waits)), json_answer(body).pieces)
        named = ("status", "message", "error_code", "retry_after")
        self._script(_any(f"error({status})", options, named), lambda _: answer)

    @public_method(AnyReplyOptions)
    def html(
        self,
        status: int = 502,
        text: str = "Bad Gateway",
        **options: Unpack[AnyReplyOptions],
    ) -> None:
        """Script a page, as gateways send it.

        Args:
            status: The HTTP status.
            text: What the page says.
            **options: For which request, how often, and what goes wrong: `AnyReplyOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        _check_status(status)
        check_is("text", text, str, "a text")
        page = f"<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>"
        answer = Answer(Head(status, (("content-type", "text/html"),)), (page.encode(),))
        self._script(_any(f"html({status})", options, ("status", "text")), lambda _: answer)

    @public_method(AnyReplyOptions)
    def json(self, value: Any, **options: Unpack[AnyReplyOptions]) -> None:
        """Script a whole answer of any JSON.

        Args:
            value: The body; nothing about it is checked.
            **options: For which request, how often, and what goes wrong: `AnyReplyOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        body = in_json("value", value).encode()
        answer = Answer(Head(200, (JSON_TYPE,)), (body,))
        self._script(_any(f"json({shortened(value)})", options, ("value",)), lambda _: answer)

    @public_method(AnyStreamOptions)
    def events(self, events: Iterable[Any], **options: Unpack[AnyStreamOptions]) -> None:
        """Script a stream of any events, for a request that asks for a stream.

        Args:
            events: What each event holds: JSON, or a text that stands as it is; nothing about them
                is checked.
            **options: For which request, how often, and what goes wrong: `AnyStreamOptions`.
                `[DONE]` comes at the end unless `done=False`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        given = list(events)
        for position, one in enumerate(given):
            in_json(f"events[{position}]", one)
        reply = Reply(
            label=f"events({len(given)})",
            kind=AnyStreamOptions,
            options={**options},
            named=("events",),
            streamed=True,
        )
        self._script(reply, lambda _: event_answer(given, marked=True))

    @public_method(AnyReplyOptions)
    def reply(
        self,
        status: int = 200,
        body: bytes | str | Sequence[bytes] = b"",
        **options: Unpack[AnyReplyOptions],
    ) -> None:
        """Script an answer down to the byte.

        Args:
            status: The HTTP status.
            body: Its body, or the pieces in which it comes; where `headers=` says that it is of the
                type `text/event-stream` the pieces are what is counted, and elsewhere the bytes.
            **options: For which request, how often, and what goes wrong: `AnyReplyOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        _check_status(status)
        check_is("body", body, (bytes, str, list, tuple), "bytes, a text or a list of bytes")
        given: Any = [body] if isinstance(body, bytes | str) else body
        pieces = [one.encode() if isinstance(one, str) else one for one in given]
        reply = _any(f"reply({status})", options, ("status", "body"))
        named = {name.lower(): value for name, value in (options.get("headers") or {}).items()}
        streamed = EVENTS_TYPE[1] in named.get("content-type", "")
        answer = Answer(Head(status), pieces, streamed=streamed)
        self._script(reply, lambda _: answer)

    @public_method(AnyReplyOptions)
    def respond(
        self,
        function: Callable[[RecordedRequest], Any],
        **options: Unpack[AnyReplyOptions],
    ) -> None:
        """Script a function that answers.

        Args:
            function: Takes the request. It returns a text, which is said in the way of the task and
                streamed where that is asked for; or, as a list, the vectors or predictions; or a
                dict, which is the whole body.
            **options: For which request, how often, and what goes wrong: `AnyReplyOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        if not callable(function):
            raise InvalidRequestError(
                f"function must be a function of the request, not {type(function).__name__}"
            )
        name = getattr(function, "__name__", type(function).__name__)
        reply = _any(f"respond({name})", options, ("function",))
        self._script(reply, lambda request: answer_as(function(request), request))

    @public_method(AnyReplyOptions)
    def recording(
        self, source: str | Path | Mapping[str, Any], **options: Unpack[AnyReplyOptions]
    ) -> None:
        """Script the reply of a recorded exchange.

        Args:
            source: A dict with `status`, `headers` and `body` (JSON, or the text of a stream), or
                the path of a JSON file that holds one.
            **options: For which request, how often, and what goes wrong: `AnyReplyOptions`.

        Raises:
            InvalidRequestError: When it is no such recording.
        """
        found = _read(source)
        body, headers = found["body"], found.get("headers", {})
        stream = isinstance(body, str) and EVENTS_TYPE[1] in headers.get("content-type", "")
        # An event ends at an empty line, whatever ends its lines.
        text = body if isinstance(body, str) else in_json("body", body)
        pieces = _events_in(text) if stream else [text.encode()]
        head = Head(found.get("status", 200), tuple((k.lower(), v) for k, v in headers.items()))
        answer = Answer(head, pieces, streamed=stream)
        what = "a dict" if isinstance(source, Mapping) else Path(source).name
        self._script(_any(f"recording({what})", options, ("source",)), lambda _: answer)

    @public_method(AnyReplyOptions)
    def connection_error(
        self,
        kind: Literal["refused", "connect_timeout", "reset", "closed", "malformed"] = "refused",
        **options: Unpack[AnyReplyOptions],
    ) -> None:
        """Script a connection that fails before an answer begins.

        Args:
            kind: `refused` or `connect_timeout`, before anything was sent; `reset`, `closed`, or
                `malformed`, what is no HTTP, after that.
            **options: For which request, and how often: `AnyReplyOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        if kind not in _BREAKAGES:
            raise InvalidRequestError(f"kind must be one of {', '.join(_BREAKAGES)}")
        self._fail(f"connection_error({kind!r})", Break(kind), options)

    @public_method(AnyReplyOptions)
    def no_answer(self, **options: Unpack[AnyReplyOptions]) -> None:
        """Script a server that takes the request and never answers.

        Args:
            **options: For which request, and how often: `AnyReplyOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        self._fail("no_answer()", Wait(float("inf")), options)

    @public_method(AnyReplyOptions)
    def cold_start(self, seconds: float, **options: Unpack[AnyReplyOptions]) -> None:
        """Script an endpoint that scales up from zero, before all other replies.

        Args:
            seconds: For how long, on `time`, it answers with 503 from now on.
            **options: For which request: `AnyReplyOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        check_is("seconds", seconds, (int, float), "a number of seconds")
        if options.keys() & {"times", "when"}:
            raise InvalidRequestError("cold_start is over when its seconds are: no times= or when=")
        until = self.time.monotonic() + seconds
        body = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": _COLD}
        answer = Answer(Head(503, (JSON_TYPE,)), json_answer(body).pieces)

        def sleeps(_request: RecordedRequest) -> bool:
            return self.time.monotonic() < until

        given: AnyReplyOptions = {**options, "times": None, "when": sleeps}
        reply = _any(f"cold_start({seconds:g})", given, ("seconds",))
        self._script(replace(reply, first=True), lambda _: answer)

    def _fail(self, label: str, step: Step, options: Any) -> None:
        reply = _any(label, options, ("kind",))
        given = checked(reply)
        waits = [Wait(given["delay"])] if given.get("delay") else []
        self._plan(reply, given, lambda _request, _number: iter([*waits, step]))


def _any(label: str, options: Any, named: tuple[str, ...]) -> Reply:
    return Reply(label=label, kind=AnyReplyOptions, options={**options}, named=named)


def _check_status(status: object, low: int = _LOWEST) -> None:
    if type(status) is not int or not low <= status <= _HIGHEST:
        raise InvalidRequestError(f"status must be a whole number from {low} to {_HIGHEST}")


def _read(source: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        found: Any = source
    else:
        try:
            found = json.loads(Path(source).read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError) as error:
            kind = type(error).__name__
            raise InvalidRequestError(f"source cannot be read: {kind}") from None
    if not is_object(found) or "body" not in found:
        raise InvalidRequestError("source must have a body, and may have status and headers")
    return found


def _events_in(text: str) -> list[bytes]:
    content, pieces = text.encode(), list[bytes]()
    end = b"\r\n\r\n" if b"\r\n\r\n" in content else b"\n\n"
    while content:
        piece, found, content = content.partition(end)
        pieces.append(piece + found)
    return pieces
