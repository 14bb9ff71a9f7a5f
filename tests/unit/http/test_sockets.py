"""The blocking connection by itself."""

import socket

import pytest

from databricks_serving._core.phases import Phases
from databricks_serving._http.breaks import ReadTimeout
from databricks_serving._http.sockets import SocketStream
from databricks_serving._http.watch import Watch
from databricks_serving.options import Timeouts


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Socket:
    """Gives what it was told to, and counts what it is asked."""

    def __init__(self, clock, *answers):
        self._clock = clock
        self._answers = list(answers)
        self.limits = []

    def settimeout(self, seconds):
        self.limits.append(seconds)

    def recv(self, _size):
        answer = self._answers.pop(0) if self._answers else TimeoutError("timed out")
        if isinstance(answer, float):
            self._clock.now += answer
            answer = b"data"
        if isinstance(answer, TimeoutError):
            self._clock.now += self.limits[-1]
            raise answer
        return answer

    def close(self):
        pass


def stream(clock, *answers):
    sock = Socket(clock, *answers)
    made = SocketStream(sock, set(), 0)
    return (
        sock,
        made,
        Watch(Phases(Timeouts(first_byte=600, idle=60, total=None), None, clock), own=True),
    )


def test_many_readings_set_few_limits():
    clock = Clock()
    sock, made, watch = stream(clock, *[0.25] * 1000)
    for _ in range(1000):
        assert made.read(10, watch) == b"data"
        watch.phases.progress()
    assert len(sock.limits) <= 3


def test_a_reading_ends_when_its_time_is_over_and_not_before():
    clock = Clock()
    sock, made, watch = stream(clock, b"data")
    made.read(10, watch)
    watch.phases.progress()
    started = clock.now
    with pytest.raises(ReadTimeout):
        made.read(10, watch)
    assert clock.now - started == pytest.approx(60)
    assert len(sock.limits) < 30
    assert watch.phases.error().phase == "idle"


def test_data_that_comes_after_an_early_end_of_a_wait_is_not_lost():
    clock = Clock()
    _, made, watch = stream(clock, TimeoutError("timed out"), TimeoutError("timed out"), b"late")
    assert made.read(10, watch) == b"late"


def test_a_timeout_of_the_system_is_a_broken_connection():
    clock = Clock()
    _, made, watch = stream(clock, TimeoutError(110, "Connection timed out"))
    with pytest.raises(Exception, match="Connection timed out") as caught:
        made.read(10, watch)
    assert type(caught.value).__name__ == "ReadError"


def test_a_real_socket_waits_no_longer_than_it_may():
    ours, theirs = socket.socketpair()
    with theirs:
        made = SocketStream(ours, set(), 0)
        times = iter([0.0, 0.0, 0.0])
        phases = Phases(Timeouts(first_byte=0.05, total=None), None, lambda: next(times, 1.0))
        with pytest.raises(ReadTimeout):
            made.read(10, Watch(phases, own=True))
        made.close()
