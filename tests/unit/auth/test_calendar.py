"""Ends of tokens, told as a time of the calendar."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from databricks_serving.auth import _calendar
from databricks_serving.auth._calendar import seconds_until

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def at_noon(monkeypatch):
    monkeypatch.setattr(_calendar, "present", lambda: NOW)


@pytest.mark.parametrize(
    ("end", "left"),
    [
        (LATER.timestamp(), 3600),
        (int(LATER.timestamp()), 3600),
        (str(int(LATER.timestamp())), 3600),
        ("2026-11-24T13:00:00Z", 3600),
        ("2026-11-24T13:00:00.123456789Z", pytest.approx(3600.123456)),
        ("2026-11-24T14:00:00+01:00", 3600),
        ("2026-11-24T11:00:00Z", -3600),
        (LATER.astimezone().replace(tzinfo=None).isoformat(" "), 3600),
        (LATER.astimezone(timezone(timedelta(hours=-7))).isoformat(), 3600),
    ],
    ids=repr,
)
def test_an_end_is_seconds_from_now(end, left):
    assert seconds_until(end) == left


@pytest.mark.parametrize(
    "end",
    [
        *(None, True, False, "", "soon", [], {}, b"1", "2026-13-45"),
        *(float("nan"), float("inf"), float("-inf"), 0, -5, "NaN", 10**400),
        "0001-01-01T00:00:00Z",
    ],
    ids=lambda end: repr(end)[:20],
)
def test_an_end_that_makes_no_sense_is_none(end):
    assert seconds_until(end) is None


def test_the_present_is_that_of_this_machine(monkeypatch):
    monkeypatch.undo()
    before = datetime.now(UTC)
    assert before <= _calendar.present() <= datetime.now(UTC)
