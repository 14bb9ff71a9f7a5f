"""What an HTTP response means: a typed reply, or the error to raise."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from databricks_serving._core import json_codec
from databricks_serving._core.cold_start import is_cold_start
from databricks_serving._core.error_bodies import (
    MAX_PAGE_TEXT,
    ErrorFacts,
    find_event_error,
    read_error_body,
)
from databricks_serving._core.json_codec import is_object
from databricks_serving._core.operations import Operation, ReplyT
from databricks_serving._core.retry_after import parse_retry_after
from databricks_serving._core.statuses import error_class
from databricks_serving.errors import (
    APIStatusError,
    EndpointNotReadyError,
    InvalidResponseError,
)
from databricks_serving_api.types import ReplyMeta

_WEB_PAGE: Final = (
    "a web page came instead of an answer; "
    "is the host a workspace, and is there no login or proxy in between?"
)
# What the tasks answer with, and who reads it.
_CALLS: Final = {
    "choices": "client.chat.completions or client.completions",
    "output": "client.responses",
    "messages": "client.agents",
    "data": "client.embeddings",
    "predictions": "client.predict",
    "outputs": "client.predict",
}
_SHOWN_TARGET: Final = 200


@dataclass(frozen=True, slots=True)
class Response:
    """A whole HTTP response; header names in lower case."""

    meta: ReplyMeta
    body: bytes

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case; empty if none was given."""
        return media_type(self.meta)


def media_type(meta: ReplyMeta) -> str:
    """Return the media type without parameters, in lower case; empty if none was given."""
    return meta.headers.get("content-type", "").partition(";")[0].strip().lower()


def status_error(response: Response, now: datetime) -> APIStatusError:
    """Return the error that a response with a status other than 2xx means.

    Args:
        response: The response, body included.
        now: The local time, for a Retry-After date.
    """
    meta = response.meta
    if HTTPStatus.MULTIPLE_CHOICES <= meta.status_code < HTTPStatus.BAD_REQUEST:
        return _error(meta, ErrorFacts(_redirect(meta)), "", None)
    facts, body = read_error_body(response.body, meta.status_code)
    return _error(meta, facts, body, parse_retry_after(meta.headers, now))


def reported_error(meta: ReplyMeta, facts: ErrorFacts, body: object) -> APIStatusError:
    """Return the error that a body or a first event reports in spite of its status."""
    return _error(meta, facts, body, None)


def _error(
    meta: ReplyMeta, facts: ErrorFacts, body: object, retry_after: float | None
) -> APIStatusError:
    # An error may come at status 200 and name the status that it stands for.
    status = meta.status_code
    if status < HTTPStatus.MULTIPLE_CHOICES:
        status = facts.status or status
    cold = is_cold_start(status, facts.code, facts.message)
    return (EndpointNotReadyError if cold else error_class(status))(
        facts.message,
        status_code=status,
        error_code=facts.code,
        request_id=meta.request_id,
        headers=meta.headers,
        body=body,
        retry_after=retry_after or facts.retry_after,
    )


def _redirect(meta: ReplyMeta) -> str:
    """Say where a redirect leads, without what a query may hold."""
    try:
        target = urlsplit(meta.headers.get("location", ""))
        host = target.netloc.rpartition("@")[2]
        shown = f"{target.scheme}://{host}" if host else ""
    except ValueError:
        target, shown = urlsplit(""), ""
    place = f"{shown}{target.path}"[:_SHOWN_TARGET]
    return f"redirect to {place!r} refused: redirects are not followed; is the host right?"


def read_reply(
    operation: Operation[ReplyT], response: Response, parts: int | None = None
) -> ReplyT:
    """Return the typed reply of a whole response.

    Args:
        operation: The task.
        response: The response.
        parts: How many parts the reply must have, where known.

    Raises:
        InvalidResponseError: When the body is not what the contract says.
        APIStatusError: When the body reports an error in spite of its status.
    """
    reply = operation.parse(checked_object(operation, response, parts))
    reply.meta = response.meta
    return reply


def checked_object(
    operation: Operation[Any], response: Response, parts: int | None = None
) -> dict[str, Any]:
    """Return the JSON object of a response, checked and completed; raises as `read_reply` does."""
    data = decode_object(response, any_json=operation.any_json)
    try:
        operation.check(data, parts)
    except InvalidResponseError as error:
        raise _invalid(response, f"{error}{_other_task(data, str(error))}") from None
    return data


def _other_task(data: dict[str, Any], fault: str) -> str:
    """Say whose answer it is, where it lacks what the task answers with and has another's."""
    lacks = [key for key in _CALLS if f": {key} is not " in fault and key not in data]
    calls = next((call for key, call in _CALLS.items() if lacks and key in data), None)
    return "" if calls is None else f"; it is an answer for {calls}: this endpoint has another task"


def decode_object(response: Response, *, any_json: bool = False) -> dict[str, Any]:
    """Return the JSON object of a response.

    Args:
        response: The response.
        any_json: Return the JSON of the response under the key `value`, whatever it is.

    Raises:
        InvalidResponseError: When there is none.
        APIStatusError: When it reports an error in spite of its status.
    """
    try:
        data = json_codec.decode(response.body)
    except json_codec.JSONDecodeError as error:
        raise not_json(response, str(error)) from None
    if is_object(data):
        facts = find_event_error(data)
        if facts is not None:
            raise reported_error(response.meta, facts, data)
    elif not any_json:
        raise _invalid(response, f"the body is a JSON {type(data).__name__}, not an object")
    return {"value": data} if any_json else data


def not_json(response: Response, reason: str) -> InvalidResponseError:
    """Return the error for a body that is not JSON, with a hint where it is a known mistake."""
    body = response.body.strip()
    if not body:
        return _invalid(response, "the body is empty", garbled=True)
    if body.startswith(b"<") or response.content_type == "text/html":
        return _invalid(response, _WEB_PAGE)
    return _invalid(response, f"the body is not JSON: {reason[:MAX_PAGE_TEXT]}", garbled=True)


def _invalid(response: Response, reason: str, *, garbled: bool = False) -> InvalidResponseError:
    kind = response.content_type or "no content type"
    error = InvalidResponseError(
        f"status {response.meta.status_code}, {kind}, {len(response.body)} bytes: {reason}",
        status_code=response.meta.status_code,
        content_type=response.content_type or None,
        garbled=garbled,
    )
    error.request_id = response.meta.request_id
    return error
