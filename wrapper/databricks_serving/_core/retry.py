"""How a try ended, whether to try again, and after how long: decisions, no sleep and no clock."""

import re
from http import HTTPStatus
from typing import Final, Literal

from databricks_serving._core.quota import THROTTLING_COST, TRANSIENT_COST
from databricks_serving.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    InvalidResponseError,
    ServingError,
    StreamInterruptedError,
    StreamServerError,
    TokenError,
)
from databricks_serving.options import RetryPolicy

Outcome = Literal["not sent", "rejected", "unknown", "permanent"]

# fact: the platform answers these without having run the model; 529 is a provider's overload.
_REJECTED: Final = frozenset({408, 409, 425, 429, 503, 529})
# A conflict that waiting does not end.
_EXISTS: Final = frozenset({"ALREADY_EXISTS", "RESOURCE_ALREADY_EXISTS"})
_THROTTLED: Final = frozenset({429, 529})
# Limits that take hours to clear, at a status that otherwise clears in seconds.
_LASTING: Final = re.compile(
    r"\b(?:daily|hourly|monthly|qph|qpd|billing|(?:per|an?|each) ?(?:hour|day|month))\b"
    r"|/ ?(?:hour|day|month)\b"
)
_BRIEF: Final = re.compile(r"\b(?:qpm|qps|tpm|rpm|(?:per|a|each) ?(?:minute|second))\b")
# fact: an expired OAuth token is mostly a 403 that says so.
_BAD_TOKEN: Final = re.compile(
    r"\b(?:invalid|expired|bad)(?: access| oauth)? token\b|\btoken\b.{0,40}\bexpired\b",
    re.IGNORECASE,
)
# A wait that a server asks for is lengthened by up to this share, never shortened.
_JITTER: Final = 0.1


def outcome_of(error: ServingError) -> Outcome:
    """Tell how a try ended, as far as the model is concerned.

    Returns:
        `not sent` and `rejected` where the model did not run and may do so later, `unknown` where
        it may have run although no answer came, `permanent` where another try would not help.
    """
    if isinstance(error, APIStatusError):
        return _steered(error) or _of_status(error)
    if isinstance(error, StreamServerError | StreamInterruptedError):
        return "permanent" if error.partial else "unknown"
    if isinstance(error, APITimeoutError) and error.phase in {"total", "idle"}:
        return "permanent"
    if isinstance(error, APIConnectionError):
        return _of_connection(error)
    garbled = isinstance(error, InvalidResponseError) and error.garbled
    return "unknown" if garbled else "permanent"


def is_retryable(error: ServingError) -> bool:
    """Tell whether the server provably did not run the model and may do so later."""
    if isinstance(error, TokenError):
        return error.transient
    return not error.maybe_executed and outcome_of(error) in {"not sent", "rejected"}


def is_refused_token(error: ServingError) -> bool:
    """Tell whether a server says that a token is not, or no longer, valid."""
    if not isinstance(error, APIStatusError):
        return False
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        return True
    forbidden = error.status_code == HTTPStatus.FORBIDDEN
    return forbidden and _BAD_TOKEN.search(error.message) is not None


def is_lasting(error: APIStatusError) -> bool:
    """Tell by its words whether a limit takes hours to clear; one that names its end does not."""
    text = error.message.lower()
    if error.retry_after is not None or error.status_code not in _REJECTED:
        return False
    spent = "quota exceeded" in text and not _BRIEF.search(text)
    return spent or _LASTING.search(text) is not None


def cost_of(error: ServingError) -> int:
    """Return what a retry after an error costs of the quota."""
    throttled = getattr(error, "status_code", None) in _THROTTLED
    return THROTTLING_COST if throttled else TRANSIENT_COST


def wait_after(policy: RetryPolicy, error: ServingError, retries: int, rand: float) -> float | None:
    """Return the seconds to wait after an error; None if the server asks for too long a wait.

    Args:
        policy: The bounds.
        error: How the last try ended.
        retries: Number of retries so far.
        rand: A random number from 0 to 1.
    """
    asked = getattr(error, "retry_after", None)
    if isinstance(asked, float):
        return None if asked > policy.max_retry_after else asked * (1 + _JITTER * rand)
    throttled = getattr(error, "status_code", None) in _THROTTLED
    base = policy.base * (2 if throttled else 1)
    return rand * min(base * 2.0**retries, policy.cap)


def _steered(error: APIStatusError) -> Outcome | None:
    """Return what the server itself says of trying again."""
    steer = error.headers.get("x-should-retry", "").strip().lower()
    if steer == "false":
        return "permanent"
    if steer == "true":
        return "unknown" if error.maybe_executed else "rejected"
    return None


def _of_status(error: APIStatusError) -> Outcome:
    status = error.status_code
    if error.error_code in _EXISTS:
        return "permanent"
    if status in _REJECTED:
        return "permanent" if is_lasting(error) else "rejected"
    server_side = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return "unknown" if server_side and status != HTTPStatus.NOT_IMPLEMENTED else "permanent"


def _of_connection(error: APIConnectionError) -> Outcome:
    if not error.transient:
        return "permanent"
    return "unknown" if error.maybe_executed else "not sent"
