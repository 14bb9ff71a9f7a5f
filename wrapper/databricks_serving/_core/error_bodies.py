"""What an error body says, in any of the envelopes that these endpoints send.

The envelopes are listed in the contract under `ErrorBody`; the order here goes from the most
specific to the least.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final, TypeGuard

from databricks_serving._core import json_codec
from databricks_serving._core.json_codec import is_object

MAX_MESSAGE = 500
# A page of a gateway says little; this much of its text is enough to recognise it.
MAX_PAGE_TEXT = 200
_MAX_CODE = 100
_MAX_READ = 64 * 1024
# A bound for what a server asks to wait; whether to wait so long is decided elsewhere.
_MAX_SECONDS = 1e9

# An element that is not closed takes the rest, which keeps the search linear.
# What the platform's codes stand for, where an error comes at a status that says nothing.
_STATUSES: Final[Mapping[str, int]] = {
    "BAD_REQUEST": 400,
    "INVALID_PARAMETER_VALUE": 400,
    "INVALID_STATE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "ENDPOINT_NOT_FOUND": 404,
    "NOT_FOUND": 404,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_ALREADY_EXISTS": 409,
    "RESOURCE_CONFLICT": 409,
    "RATE_LIMIT_EXCEEDED": 429,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL_ERROR": 500,
    "UNKNOWN": 500,
    "TEMPORARILY_UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_TAG = re.compile(
    r"<(?:(script|style)\b.*?(?:</\1\s*>|\Z)|[a-z/!?][^<>]*>)", re.DOTALL | re.IGNORECASE
)
# Where a custom model's answer stands, which may hold errors as it pleases.
_ANSWERS: Final = frozenset({"outputs", "predictions"})
_ITEM_ENDS: Final = ("_call", "_call_output")
_ENFORCE: Final = "Failed to enforce schema "
_CODE_AND_TEXT = re.compile(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): +(\S.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """The code and the message of an error, found in whatever envelope."""

    message: str
    code: str | None = None
    status: int | None = None
    retry_after: float | None = None


_UNSAID = ErrorFacts("the server reported an error without a message")


def read_error_body(data: bytes, status: int) -> tuple[ErrorFacts, object]:
    """Return what an error body says, and the body itself decoded as far as it goes."""
    text = data.decode("utf-8", "replace").strip()
    try:
        body = json_codec.decode(data)
    except json_codec.JSONDecodeError:
        return _from_text(text, status), text
    facts = _from_object(body) if is_object(body) else None
    return facts or _from_text(body if isinstance(body, str) else text, status), body


def read_error_event(data: str) -> tuple[ErrorFacts, object]:
    """Return what an event named `error` says, as `read_error_body` does."""
    if not data.strip():
        return _UNSAID, data
    return read_error_body(data.encode("utf-8", "replace"), 0)


def find_event_error(event: dict[str, Any]) -> ErrorFacts | None:
    """Return the error that an event of a stream reports, in any of the known forms, or None."""
    output = event.get("databricks_output")
    if output is not None:
        inner = output.get("error") if is_object(output) else None
        if is_object(inner):
            return _from_object(inner) or _UNSAID
    if event.get("choices") or event.keys() & _ANSWERS:
        return None
    kind = event.get("type")
    if kind == "response.failed":
        # fact: the Responses API reports a failure as the last state of the answer.
        response = event.get("response")
        return _from_object(response if is_object(response) else event) or _UNSAID
    if isinstance(kind, str) and kind.endswith(_ITEM_ENDS):
        # The call of a tool that failed says so under `error`; the agent goes on.
        return None
    error = event.get("error")
    # A number under that name is what a custom model measured.
    said = error if type(error) not in {int, float} else None
    if kind == "error":
        facts = _from_object(event) or _UNSAID
        return replace(facts, status=facts.status or _status(event.get("code")))
    return (_from_object(event) or _UNSAID) if event.get("error_code") or said else None


def _from_object(body: dict[str, Any]) -> ErrorFacts | None:
    error = body.get("error")
    message = body.get("message")
    code = _code(body.get("error_code")) or _code(body.get("code"))
    # Beside an object under `error`, only the platform's own envelope has the better message.
    if _is_said(message) and (body.get("error_code") or not is_object(error)):
        return _unwrap(message, code, _status(body.get("error_code")))
    if is_object(error):
        return _from_detail(error)
    if _is_said(error):
        return _from_wrapped(error, body.get("external_model_message"))
    said = _one_line(body.get("detail") or "") or code
    return ErrorFacts(said, code) if said else None


def _from_detail(error: dict[str, Any]) -> ErrorFacts:
    # OpenAI names the code, Google numbers it and names the status: a name says more.
    values = [error.get(key) for key in ("status", "error_code", "code", "type")]
    named = [_code(value) for value in values if isinstance(value, str)]
    numbered = [_code(value) for value in values[1:]]
    code = next(filter(None, [*named, *numbered]), None)
    told = [error.get("status_code"), error.get("code"), *values]
    status = next(filter(None, map(_status, told)), None)
    return ErrorFacts(
        _one_line(error.get("message") or "") or code or "no message",
        code,
        status,
        _seconds(error.get("retry_after")),
    )


def _is_said(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip())


def _from_wrapped(error: str, inner: object) -> ErrorFacts:
    # A provider's body holds no further one: the recursion ends here.
    own = {**inner, "external_model_message": None} if is_object(inner) else {}
    found = _from_object(own)
    if found is None:
        return _unwrap(error, None, None)
    return ErrorFacts(_one_line(f"{error}: {found.message}"), found.code, found.status)


def _unwrap(message: str, code: str | None, status: int | None) -> ErrorFacts:
    """Read a message that is itself JSON: a provider's body, or the verdict of a guardrail."""
    if not message.lstrip().startswith("{"):
        # The platform often repeats the code at the head of the message.
        bare = message.removeprefix(f"{code}: ")
        said = _one_line(_without_rows(bare)) or _one_line(message)
        return ErrorFacts(said, code, status)
    try:
        inner = json_codec.decode(message)
    except json_codec.JSONDecodeError:
        return ErrorFacts(_one_line(message), code, status)
    verdict = inner.get("finishReason")
    if _is_said(verdict):
        return ErrorFacts(_one_line(verdict), code, status)
    found = _from_object(inner)
    return ErrorFacts(found.message if found else _one_line(message), code, status)


def _without_rows(message: str) -> str:
    """Drop what a custom model's server repeats of the request around what it says."""
    # recording: errors/400-missing-column, errors/400-malformed-json
    _, found, schema = message.rpartition("' with schema ")
    if found and f"{_ENFORCE}of data '" in message:
        return f"{_ENFORCE}{schema}"
    if message.startswith("Failed to predict data '"):
        message = message.rpartition("'. \nError: ")[2]
    return message.partition("\nInput:")[0]


def _from_text(text: str, status: int) -> ErrorFacts:
    text = text[:_MAX_READ].strip()
    if _TAG.search(text):
        page = " ".join(_TAG.sub(" ", text).split())
        return ErrorFacts(page[:MAX_PAGE_TEXT] or _phrase(status))
    coded = _CODE_AND_TEXT.match(text)
    if coded:
        return ErrorFacts(_one_line(coded[2]), _code(coded[1]))
    return ErrorFacts(_one_line(text) if text else _phrase(status))


def _one_line(value: object) -> str:
    text = value if isinstance(value, str) else json_codec.to_text(value)
    return " ".join(text[:_MAX_READ].split())[:MAX_MESSAGE]


def _phrase(status: int) -> str:
    try:
        return f"{HTTPStatus(status).phrase} (empty body)"
    except ValueError:
        return "empty body"


def _code(value: object) -> str | None:
    if isinstance(value, str):
        return _one_line(value)[:_MAX_CODE] or None
    return str(value)[:_MAX_CODE] if type(value) is int else None


def _status(value: object) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if re.fullmatch("[45][0-9]{2}", text) else _STATUSES.get(text.upper())
    if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:  # noqa: PLR2004 - the two error classes
        return value
    return None


def _seconds(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _MAX_SECONDS:
        return float(value)
    return None
