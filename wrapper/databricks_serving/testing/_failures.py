"""Scripted failures: errors of the server, and connections without an answer."""

from collections.abc import Mapping
from http import HTTPStatus
from math import inf
from typing import Final, Literal, Unpack

from databricks_serving._core.arguments import public_method
from databricks_serving._core.script import Break, Head, Step, Wait
from databricks_serving.errors import InvalidRequestError
from databricks_serving.testing._faults import Answer
from databricks_serving.testing._options import (
    AnyReplyOptions,
    FailureOptions,
    MatchOptions,
    check_is,
)
from databricks_serving.testing._requests import RecordedRequest
from databricks_serving.testing._scripting import (
    JSON_TYPE,
    Reply,
    Scripting,
    any_reply,
    check_status,
    checked,
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
_BREAKAGES: Final = ("refused", "connect_timeout", "reset", "closed", "malformed")
_COLD: Final = "The endpoint is scaling up from zero."


class FailureReplies(Scripting):
    """Failures, which hit any task of endpoints unless `task=` names one."""

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
        check_status(status, HTTPStatus.BAD_REQUEST)
        check_is("message", message, str, "a text")
        check_is("error_code", error_code, str, "a text")
        check_is("retry_after", retry_after, (int, float), "a number of seconds")
        code, text = _CODES.get(status, ("UNKNOWN", "The server failed."))
        body = {"error_code": error_code or code, "message": message or text}
        waits = () if retry_after is None else (("retry-after", f"{retry_after:g}"),)
        answer = Answer(Head(status, (JSON_TYPE, *waits)), json_answer(body).pieces)
        named = ("status", "message", "error_code", "retry_after")
        self._script(any_reply(f"error({status})", options, named), lambda _: answer)

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
        check_status(status)
        check_is("text", text, str, "a text")
        page = f"<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>"
        answer = Answer(Head(status, (("content-type", "text/html"),)), (page.encode(),))
        self._script(any_reply(f"html({status})", options, ("status", "text")), lambda _: answer)

    @public_method(FailureOptions)
    def connection_error(
        self,
        kind: Literal["refused", "connect_timeout", "reset", "closed", "malformed"] = "refused",
        **options: Unpack[FailureOptions],
    ) -> None:
        """Script a connection that fails before an answer begins.

        Args:
            kind: `refused` or `connect_timeout`, before anything was sent; `reset`, `closed`, or
                `malformed`, what is no HTTP, after that.
            **options: For which request, and how often: `FailureOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        if kind not in _BREAKAGES:
            raise InvalidRequestError(f"kind must be one of {', '.join(_BREAKAGES)}")
        self._fail(f"connection_error({kind!r})", Break(kind), options)

    @public_method(FailureOptions)
    def no_answer(self, **options: Unpack[FailureOptions]) -> None:
        """Script a server that takes the request and never answers.

        Args:
            **options: For which request, and how often: `FailureOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        self._fail("no_answer()", Wait(inf), options)

    def _fail(self, label: str, step: Step, options: FailureOptions) -> None:
        reply = Reply(label=label, kind=FailureOptions, options={**options}, named=("kind",))
        given = checked(reply)
        waits = [Wait(given["delay"])] if "delay" in given else []
        self._plan(reply, given, lambda _request, _number: iter([*waits, step]))

    def cold_start(self, seconds: float, *, endpoint: str | None = None) -> None:
        """Script an endpoint that scales up from zero, before all other replies.

        Args:
            seconds: For how long, on `time`, it answers with 503 from now on.
            endpoint: Its name; all of them unless given.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        check_is("seconds", seconds, (int, float), "a number of seconds")
        until = self.time.monotonic() + seconds
        body = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": _COLD}
        answer = Answer(Head(503, (JSON_TYPE,)), json_answer(body).pieces)

        def sleeps(_request: RecordedRequest) -> bool:
            return self.time.monotonic() < until

        options: MatchOptions = {"endpoint": endpoint, "times": None, "when": sleeps}
        reply = Reply(
            label=f"cold_start({seconds:g})", kind=MatchOptions, options={**options}, first=True
        )
        self._script(reply, lambda _: answer)
