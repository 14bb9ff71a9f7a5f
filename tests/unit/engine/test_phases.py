"""How long each phase of a try may take, on a clock that stands still until told."""

import pytest

from databricks_serving._core.phases import Phases
from databricks_serving.options import Timeouts

TIMEOUTS = Timeouts(pool=1, connect=2, write=3, first_byte=4, idle=5, total=100)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def phases(clock, until=None, timeouts=TIMEOUTS):
    return Phases(timeouts, until, clock)


@pytest.mark.parametrize(
    ("ask", "seconds", "phase"),
    [
        ("pool", 1, "pool"),
        ("connect", 2, "connect"),
        ("write", 3, "write"),
        ("read", 4, "first_byte"),
    ],
)
def test_each_phase_has_its_limit(clock, ask, seconds, phase):
    one = phases(clock)
    assert getattr(one, ask)() == seconds
    assert one.phase == phase
    assert phase in str(one.error())
    assert one.error().phase == phase
    assert one.error().maybe_executed is (ask == "read")


def test_connecting_and_reading_have_one_limit_however_often_they_wait(clock):
    one = phases(clock)
    assert one.connect() == 2
    clock.now = 1.5
    assert one.connect() == 0.5
    assert one.read() == 4
    clock.now = 4.5
    assert one.read() == 1.0
    clock.now = 50
    assert one.read() == 0.0


def test_writing_has_a_limit_for_each_piece(clock):
    one = phases(clock)
    one.write()
    clock.now = 2.5
    assert one.write() == 3


def test_idle_time_counts_from_the_first_wait_after_progress(clock):
    one = phases(clock)
    one.read()
    clock.now = 3
    one.progress()
    clock.now = 90
    assert one.read() == 5
    assert one.phase == "idle"
    clock.now = 94
    assert one.read() == 1
    one.progress()
    assert one.read() == 5


@pytest.mark.parametrize("ask", ["pool", "connect", "write", "read"])
def test_no_phase_outlasts_the_call(clock, ask):
    one = phases(clock, until=0.5)
    assert getattr(one, ask)() == 0.5
    assert one.phase == "total"
    assert "phase total" in str(one.error())
    clock.now = 1
    assert getattr(one, ask)() == 0.0


def test_none_waits_without_end_but_not_longer_than_the_call(clock):
    endless = Timeouts(**dict.fromkeys(("pool", "connect", "write", "first_byte", "idle", "total")))
    one = phases(clock, timeouts=endless)
    assert [one.pool(), one.connect(), one.write(), one.read()] == [None] * 4
    assert phases(clock, until=7, timeouts=endless).read() == 7


def test_the_end_of_an_answer_has_its_own_short_time(clock):
    one = phases(clock)
    one.read()
    one.progress()
    one.finish(0.5)
    assert one.read() == 0.5
