"""Scripted replies of any kind, which fit any task."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from databricks_serving._core.arguments import public_method
from databricks_serving._core.json_codec import is_object
from databricks_serving._core.script import Head
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
    any_reply,
    check_status,
    event_answer,
)


class RawReplies(Scripting):
    """Replies of any kind, which fit any task of endpoints unless `task=` names one."""

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
        self._script(any_reply(f"json({shortened(value)})", options, ("value",)), lambda _: answer)

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
        answer = event_answer(given, marked=True)
        self._script(reply, lambda _: answer)

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
        check_status(status)
        check_is("body", body, (bytes, str, list, tuple), "bytes, a text or a list of bytes")
        given: Any = [body] if isinstance(body, bytes | str) else body
        pieces = [one.encode() if isinstance(one, str) else one for one in given]
        reply = any_reply(f"reply({status})", options, ("status", "body"))
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
        reply = any_reply(f"respond({name})", options, ("function",))
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
        self._script(any_reply(f"recording({what})", options, ("source",)), lambda _: answer)


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
