"""How long a server asks to wait."""

import re
from collections.abc import Mapping
from datetime import datetime

# More digits than this are no number of seconds; a float holds 308.
_NUMBER = re.compile(r"[0-9]{1,300}(\.[0-9]{1,300})?")
# A month by name, a time of day and a year, as all three forms of an HTTP date have: without them
# the parser would fill in today's.
_DATE = re.compile(
    r"(?=.*[A-Za-z]{3})(?=.*\b\d{1,2}:\d{2}:\d{2}\b)(?=(?:.*\b\d{2,4}\b){4}).{20,40}"
)
_DAY = 24 * 60 * 60


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
    from dateutil import parser  # noqa: PLC0415 - large, and hardly any server sends a date

    try:
        return parser.parse(value, tzinfos=_utc)
    except (ValueError, OverflowError):
        return None


def _utc(_name: str | None, offset: int | None) -> int:
    # HTTP dates are in GMT, also where they do not say so; a zone by another name would be a
    # warning, which some programs turn into an exception.
    return offset if offset and abs(offset) < _DAY else 0
