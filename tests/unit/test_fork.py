"""Locks that a forked child finds open, and an interrupt never leaves held."""

import os
import sys
import threading
import time

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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_lock_is_open_in_the_child_though_a_thread_is_about_to_have_it():
    lock, interval = fork_lock(), sys.getswitchinterval()
    lock.acquire()
    thread = threading.Thread(target=lambda: lock.acquire() and lock.release())
    thread.start()
    wait_until_blocked = time.monotonic() + 0.1
    while time.monotonic() < wait_until_blocked:
        time.sleep(0.01)
    try:
        # The thread takes the lock at once, and cannot go on until this one lets it.
        sys.setswitchinterval(60)
        lock.release()
        until = time.perf_counter() + 0.05
        while time.perf_counter() < until:
            pass
        assert not lock.locked()
        child = os.fork()
        if child == 0:
            os._exit(0 if lock.acquire(timeout=2) else 1)
    finally:
        sys.setswitchinterval(interval)
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
