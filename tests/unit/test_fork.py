"""Locks that a forked child finds open, and an interrupt never leaves held."""

import os
import sys

import pytest

from databricks_serving._core.fork import fork_lock


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_finds_a_lock_open():
    lock = fork_lock()
    with lock:
        number = os.fork()
        if number == 0:
            os._exit(0 if lock.acquire(blocking=False) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0
    assert not lock.locked()


def interrupted_at(turn, lock):
    """Take and leave a lock, and interrupt that at one of the places where Python would."""
    left = turn

    def profile(_frame, event, _argument):
        nonlocal left
        if event != "c_call":
            left -= 1
            if left < 0:
                raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        with lock:
            len(())
        sys.setprofile(None)
    except KeyboardInterrupt:
        return True
    return False


def test_an_interrupt_leaves_no_lock_held():
    lock, turn = fork_lock(), 0
    while interrupted_at(turn, lock):
        assert not lock.locked(), turn
        turn += 1
    assert turn
    assert not lock.locked()
