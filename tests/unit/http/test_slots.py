"""The places of a pool, without connections."""

import random

import pytest

from databricks_serving._http.slots import KEEPALIVE_EXPIRY, OPEN, Slots
from databricks_serving.options import Limits


class Waiting:
    def __init__(self):
        self.grant = None
        self.woken = 0

    def wake(self):
        self.woken += 1


def slots(connections=2, keepalive=2):
    return Slots(Limits(connections=connections, keepalive_connections=keepalive))


def test_what_came_back_last_is_used_first():
    places = slots()
    assert [places.take(), places.take(), places.take()] == [OPEN, OPEN, None]
    places.give("a", 0.0)
    places.give("b", 1.0)
    assert (places.count, places.in_use) == (2, 0)
    assert [places.take(), places.take(), places.take()] == ["b", "a", None]


def test_who_waits_is_served_in_order():
    places = slots(connections=1)
    places.take()
    first, second = places.queue(Waiting()), places.queue(Waiting())
    assert places.give("a", 0.0) == []
    assert (first.grant, first.woken, second.grant) == ("a", 1, None)
    places.lose()
    assert (second.grant, second.woken, places.count) == (OPEN, 1, 1)
    places.lose()
    assert places.count == 0


def test_who_waits_no_more_is_passed_over():
    places = slots(connections=1)
    places.take()
    first, second = places.queue(Waiting()), places.queue(Waiting())
    assert places.withdraw(first)
    places.give("a", 0.0)
    assert (first.grant, second.grant) == (None, "a")
    assert not places.withdraw(second)


def test_old_and_superfluous_connections_are_closed():
    places = slots(connections=5, keepalive=2)
    for _ in range(4):
        places.take()
    assert places.give("a", 0.0) == []
    assert places.give("b", 1.0) == []
    assert places.give("c", 2.0) == ["a"]
    assert places.give("d", 1.0 + KEEPALIVE_EXPIRY) == ["b"]
    assert (places.count, places.in_use) == (2, 0)


def test_the_place_of_a_connection_that_is_gone_is_kept():
    places = slots(connections=3)
    for _ in range(3):
        places.take()
    waiting = places.queue(Waiting())
    assert places.replace() is OPEN
    assert (waiting.grant, places.count) == (None, 3)
    assert places.withdraw(waiting)
    places.give("a", 0.0)
    assert (places.replace(), places.count, places.in_use) == ("a", 2, 2)


def test_without_keepalive_each_connection_serves_once():
    places = slots(keepalive=0)
    places.take()
    assert places.give("a", 0.0) == ["a"]
    assert places.count == 0


def test_a_closed_pool_lets_nobody_wait():
    places = slots(connections=1)
    places.take()
    waiting = [places.queue(Waiting()) for _ in range(3)]
    places.dismiss()
    assert [one.grant for one in waiting] == [OPEN] * 3
    for _ in range(4):
        places.lose()
    assert places.count == 0


def collect(held, waiting):
    """Have those who were given something wait no more."""
    for ticket in [one for one in waiting if one.grant is not None]:
        waiting.remove(ticket)
        held.append(ticket.grant)


def check(held, closed):
    """Check that no connection was dealt out twice, or after it was closed."""
    real = [one for one in held if one is not OPEN]
    assert len(set(real)) == len(real)
    assert not closed & set(real)


@pytest.mark.parametrize("seed", range(20))
def test_no_place_is_lost_or_dealt_out_twice(seed):
    draw = random.Random(seed)  # noqa: S311 - no secret
    most = draw.randrange(1, 6)
    places = slots(connections=most, keepalive=draw.randrange(6))
    held, waiting, opened, closed, now = [], [], 0, set(), 0.0
    for _ in range(5000):
        now += draw.choice((0.0, 1.0, 20.0))
        step = draw.choice(("take", "take", "give", "lose", "withdraw", "replace"))
        if step == "take":
            grant = places.take()
            if grant is None:
                waiting.append(places.queue(Waiting()))
            else:
                held.append(grant)
        elif step == "withdraw" and waiting:
            ticket = waiting.pop(draw.randrange(len(waiting)))
            if not places.withdraw(ticket):
                held.append(ticket.grant)
        elif held:
            connection = held.pop(draw.randrange(len(held)))
            if step == "lose":
                places.lose()
            elif step == "replace":
                held.append(places.replace())
            else:
                if connection is OPEN:
                    connection = opened = opened + 1
                closed.update(places.give(connection, now))
        collect(held, waiting)
        check(held, closed)
        assert places.in_use == len(held) <= places.count <= most
        assert not waiting or len(held) == most
