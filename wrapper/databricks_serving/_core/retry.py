"""Whether and when to try again: decisions only, no sleep and no clock."""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from dateutil import parser

from databricks_serving.errors import APIConnectionError, APIStatusError, ConfigError, ServingError

MAX_RETRIES = 10
# A longer wait than this is not worth holding a caller for: the error says how long instead.
MAX_RETRY_AFTER = 120.0

# fact: the platform answers these without having run the model.
_REJECTED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
# More digits than this are no number of seconds; a float holds 308.
_NUMBER = re.compile(r"[0-9]{1,300}(\.[0-9]{1,300})?")
# A month by name, a time of day and a year, as all three forms of an HTTP date have: without them
# the parser would fill in today's.
_DATE = re.compile(
    r"(?=.*[A-Za-z]{3})(?=.*\b\d{1,2}:\d{2}:\d{2}\b)(?=(?:.*\b\d{2,4}\b){4}).{20,40}"
)
_DAY = 24 * 60 * 60
# Limits that take hours to clear, at a status that otherwise clears in seconds.
_LASTING = ("daily spend", "daily limit", "quota exceeded")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try a call again.

    A call is repeated where the server provably did not run the model: the request was never sent,
    or the answer was 429 or 503. Anything else may have been executed, and billed, and is not.

    Args:
        max_retries: Repetitions after the first try, 0 to 10.
        base: Seconds of the first wait's upper bound, doubled each time.
        cap: Seconds that no wait of the policy's own exceeds.
        rand: Source of numbers in [0, 1), for full jitter.
    """

    max_retries: int = 2
    base: float = 0.5
    cap: float = 20.0
    rand: Callable[[], float] = field(default=random.random, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_retries(self.max_retries)

    def delay_after(self, error: ServingError, retries: int) -> float | None:
        """Return the seconds to wait before the next try, or None to give up.

        Args:
            error: How the last try ended.
            retries: Number of repetitions so far.
        """
        if retries >= self.max_retries or not is_retryable(error):
            return None
        asked = error.retry_after if isinstance(error, APIStatusError) else None
        if asked is None:
            return self.rand() * min(self.base * 2.0**retries, self.cap)
        if asked > MAX_RETRY_AFTER:
            return None
        return asked * (1 + self.rand() / 10)


def _check_retries(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_RETRIES:
        raise ConfigError(f"max_retries must be a whole number from 0 to {MAX_RETRIES}")


def is_retryable(error: ServingError) -> bool:
    """Tell whether the server provably did not run the model and may do so later."""
    if isinstance(error, APIStatusError):
        text = error.message.lower()
        return error.status_code in _REJECTED and not any(word in text for word in _LASTING)
    return isinstance(error, APIConnectionError) and error.retryable and not error.maybe_executed


def parse_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that a response asks to wait; None for nothing usable.

    Reads `retry-after-ms`, then `Retry-After` in seconds or as a date, which is compared with the
    response's own `Date` so that a wrong local clock does no harm.

    Args:
        headers: Response headers, names in lower case.
        now: The local time, used where the response has no date.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None:
        return seconds
    until = _date(value)
    if until is None:
        return None
    wait = (until - (_date(headers.get("date")) or now)).total_seconds()
    return wait if wait > 0 else None


def _number(value: str | None) -> float | None:
    if value is None or not _NUMBER.fullmatch(value.strip()):
        return None
    return float(value) or None


def _date(value: str | None) -> datetime | None:
    if value is None or not _DATE.fullmatch(value.strip()):
        return None
    try:
        return parser.parse(value, tzinfos=_utc)
    except (ValueError, OverflowError):
        return None


def _utc(_name: str | None, offset: int | None) -> int:
    # HTTP dates are in GMT, also where they do not say so; a zone by another name would be a
    # warning, which some programs turn into an exception.
    return offset if offset and abs(offset) < _DAY else 0
