"""What an error body says, in any of the envelopes that these endpoints send.

The envelopes are listed in the contract under `ErrorBody`; the order here goes from the most
specific to the least.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from databricks_serving._core import json_codec
from databricks_serving._core.json_codec import is_object

MAX_MESSAGE = 500
# A page of a gateway says little; this much of its text is enough to recognise it.
MAX_PAGE_TEXT = 200

_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_CODE_AND_TEXT = re.compile(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """The code and the message of an error, found in whatever envelope."""

    message: str
    code: str | None = None
    status: int | None = None
    retry_after: float | None = None


def read_error_body(data: bytes, status: int) -> tuple[ErrorFacts, object]:
    """Return what an error body says, and the body itself decoded as far as it goes."""
    text = data.decode("utf-8", "replace").strip()
    try:
        body = json_codec.decode(data)
    except json_codec.JSONDecodeError:
        return _from_text(text, status), text
    facts = _from_object(body) if is_object(body) else None
    return facts or _from_text(body if isinstance(body, str) else text, status), body


def find_event_error(event: dict[str, Any]) -> ErrorFacts | None:
    """Return the error that an event of a stream reports, in any of the known forms, or None."""
    output = event.get("databricks_output")
    if is_object(output) and is_object(output.get("error")):
        return _from_object(output["error"])
    if event.get("choices"):
        return None
    if "error_code" in event or event.get("error") or event.get("type") == "error":
        return _from_object(event) or ErrorFacts("the server reported an error without a message")
    return None


def _from_object(body: dict[str, Any]) -> ErrorFacts | None:
    error = body.get("error")
    if "error_code" not in body and is_object(error):
        return _from_detail(error)
    if "error_code" not in body and isinstance(error, str):
        return _from_wrapped(error, body.get("external_model_message"))
    message = body.get("message")
    code = _code(body.get("error_code", body.get("code")))
    if isinstance(message, str):
        return _unwrap(message, code, _status(body.get("error_code")))
    if body.get("detail"):
        return ErrorFacts(_one_line(body["detail"]), code)
    return ErrorFacts(code, code) if code else None


def _from_detail(error: dict[str, Any]) -> ErrorFacts:
    # OpenAI names the code or only the type, Google numbers the code and names the status.
    candidates = [error.get(key) for key in ("status", "error_code", "code", "type")]
    names = [value for value in candidates if isinstance(value, str)]
    code = names[0] if names else _code(error.get("code"))
    status = _status(error.get("status_code")) or _status(error.get("code"))
    return ErrorFacts(
        _one_line(error.get("message") or code or "no message"),
        code,
        status,
        _seconds(error.get("retry_after")),
    )


def _from_wrapped(error: str, inner: object) -> ErrorFacts:
    found = _from_object(inner) if is_object(inner) else None
    if found is None:
        return _unwrap(error, None, None)
    return ErrorFacts(_one_line(f"{error}: {found.message}"), found.code, found.status)


def _unwrap(message: str, code: str | None, status: int | None) -> ErrorFacts:
    """Read a message that is itself JSON: a provider's body, or the verdict of a guardrail."""
    if not message.lstrip().startswith("{"):
        return ErrorFacts(_one_line(_without_code(message, code)), code, status)
    try:
        inner = json_codec.decode(message)
    except json_codec.JSONDecodeError:
        return ErrorFacts(_one_line(message), code, status)
    verdict = inner.get("finishReason")
    if isinstance(verdict, str):
        return ErrorFacts(verdict, code, status)
    found = _from_object(inner)
    return ErrorFacts(found.message if found else _one_line(message), code, status)


def _without_code(message: str, code: str | None) -> str:
    # The platform often repeats the code at the head of the message.
    return message.removeprefix(f"{code}: ") if code else message


def _from_text(text: str, status: int) -> ErrorFacts:
    if "<" in text and _TAG.search(text):
        page = " ".join(_TAG.sub(" ", text[:65536]).split())
        return ErrorFacts(page[:MAX_PAGE_TEXT] or _phrase(status))
    coded = _CODE_AND_TEXT.match(text)
    if coded:
        return ErrorFacts(_one_line(coded[2]), coded[1])
    return ErrorFacts(_one_line(text) if text else _phrase(status))


def _one_line(value: object) -> str:
    text = value if isinstance(value, str) else json_codec.encode(value).decode()
    return " ".join(text.split())[:MAX_MESSAGE]


def _phrase(status: int) -> str:
    try:
        return f"{HTTPStatus(status).phrase} (empty body)"
    except ValueError:
        return "empty body"


def _code(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if type(value) is int else None


def _status(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:  # noqa: PLR2004 - the two error classes
        return value
    return None


def _seconds(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    return None
