"""How old a recording may be."""

import argparse
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from databricks_serving.errors import InvalidRequestError

_MOST_DAYS: Final = 36_500


def days(text: str) -> int:
    """Read an option of a command line.

    Raises:
        ArgumentTypeError: When it is no number of days that makes sense.
    """
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"expected a number of days from 1 to {_MOST_DAYS}")
    return int(text)


def check_age(max_age: object) -> None:
    """Refuse an age that no recording can have; None is any age.

    Raises:
        InvalidRequestError: When it is none.
    """
    if max_age is None:
        return
    if not isinstance(max_age, timedelta):
        raise InvalidRequestError(
            f"max_age must be a timedelta, such as timedelta(days=90), not {type(max_age).__name__}"
        )
    if max_age <= timedelta(0):
        raise InvalidRequestError("max_age must be more than no time at all")


def is_older(made: datetime, max_age: timedelta, now: datetime) -> bool:
    """Tell whether what was made at a time, in UTC where it has no zone, is older than an age."""
    return now - (made if made.tzinfo else made.replace(tzinfo=UTC)) > max_age
