"""What a server asks to wait, in all the forms that there are."""

import datetime as dt

import chance
import pytest

from databricks_serving._core.retry_after import parse_retry_after

NOW = dt.datetime(2026, 11, 21, 12, 0, 0, tzinfo=dt.UTC)
SERVER = "Sat, 21 Nov 2026 13:00:00 GMT"
WAITS = [
    ({}, None),
    ({"retry-after": "2"}, 2.0),
    ({"retry-after": "1.5"}, 1.5),
    ({"retry-after": " 7 "}, 7.0),
    ({"retry-after": "86400"}, 86400.0),
    ({"retry-after": "1" + "0" * 35}, 1e35),
    ({"retry-after-ms": "250"}, 0.25),
    ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
    ({"retry-after-ms": "0", "retry-after": "9"}, 9.0),
    # The three forms of an HTTP date.
    ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
    ({"retry-after": "Saturday, 21-Nov-26 12:00:30 GMT"}, 30.0),
    ({"retry-after": "Sat Nov 21 12:00:30 2026"}, 30.0),
    ({"retry-after": "Sat, 21 Nov 2026 14:00:30 +0200"}, 30.0),
    ({"retry-after": "Sat, 21 Nov 2026 12:00:30 XYZ"}, 30.0),
    # The server's clock counts where it is shown.
    ({"retry-after": "Sat, 21 Nov 2026 13:00:30 GMT", "date": SERVER}, 30.0),
    ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT", "date": SERVER}, None),
    ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT", "date": "yesterday"}, 30.0),
    ({"retry-after": "Sat, 21 Nov 2026 12:00:01 GMT"}, 1.0),
    ({"retry-after": "Sat, 21 Nov 2026 11:59:59 GMT"}, None),
    ({"retry-after": "Sat, 21 Nov 2026 12:00:00 GMT"}, None),
    *(
        ({"retry-after": junk}, None)
        for junk in (
            "",
            "0",
            "-5",
            "nan",
            "inf",
            "Infinity",
            "1e3",
            "1_000",
            "0x10",
            "\u0665",
            "soon",
            "1h",
            "10m",
            "Monday",
            "2, 3",
            "1" * 5000,
            "x" * 5000,
            "Sat, 01 Jan 100000 00:00:00 GMT",
            "Sat, 21 Nov 2026 99:00:30 GMT",
            "2027 Jan " + "1" * 50 + " 99:99 01 94-Nov-06",
        )
    ),
]


@pytest.mark.parametrize(("headers", "seconds"), WAITS, ids=lambda value: str(value)[:70])
def test_what_a_server_asks_to_wait(headers, seconds):
    assert parse_retry_after(headers, NOW) == seconds


def test_no_date_is_too_odd():
    words = """Fri, 01 Jan 2027 00:00:00 12:30:59 GMT -0000 +9999 +99999999999 XYZ a 11 - : , 1.2
        Jan-01-99 06-Nov-94 (c \\ " AM Feb 31 99 1e9"""
    source = chance.source(4)
    for _ in range(5000):
        value = " ".join(source.choice(words.split()) for _ in range(source.randrange(4, 9)))
        wait = parse_retry_after({"retry-after": value}, NOW)
        assert wait is None or wait > 0
