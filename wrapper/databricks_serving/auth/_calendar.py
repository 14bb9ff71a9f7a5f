"""The end of a token, where it is told as a time of the calendar."""

import math
from datetime import UTC, datetime


def present() -> datetime:
    """Return the time by this machine's clock; the one place that asks for it."""
    return datetime.now(UTC)


def seconds_until(end: object) -> float | None:
    """Return the seconds until a time, negative after it.

    Args:
        end: Seconds since 1970, or a date and time, which is local unless it says otherwise.

    Returns:
        None where that makes no sense, as the year 1 does not, which stands for no end.
    """
    moment = _timestamp(end)
    if moment is None or not math.isfinite(moment) or moment <= 0:
        return None
    return moment - present().timestamp()


def _timestamp(end: object) -> float | None:
    if isinstance(end, bool) or not isinstance(end, str | int | float):
        return None
    try:
        return float(end)
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(str(end)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
