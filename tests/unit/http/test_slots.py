"""The places of a pool, without connections."""

import random

import pytest

from databricks_serving._http.slots import KEEPALIVE_EXPIRY, OPEN, Slots
from databricks_serving.options import Limits


class Ticket:
    """The claim of a request; a grant that is left open becomes a connection of this name."""

    def __init__(self, name=None):
        self.grant = None
        self.name = name
        self.ready = False
        self.woken = 0

    def prepare(self):
        self.ready = True

    def wake(self):
        assert self.ready
        self.woken += 1


def slots(connections=2, keepalive=2):
    return Slots(Limits(connections=connections, keepalive_connections=keepalive))


def holding(places, name):
    """Return a ticket that has opened a connection."""
    ticket = Ticket()
    assert places.take(ticket)
    assert ticket.grant is OPEN
    ticket.grant = name
    return ticket


def waiting(places):
    """Return a ticket that waits."""
    ticket = Ticket()
    assert not places.take(ticket)
    return ticket


def taken(places):
    """Return what a ticket is granted at once."""
    ticket = Ticket()
    assert places.take(ticket)
    return ticket.grant


def test_what_came_back_last_is_used_first():
    places = slots()
    first, second = holding(places, "a"), holding(places, "b")
    waiting_for_nothing = waiting(places)
    assert places.withdraw(waiting_for_nothing)
    places.give(first, 0.0)
    places.give(second, 1.0)
    assert (places.count, places.in_use) == (2, 0)
    assert [taken(places), taken(places)] == ["b", "a"]
    waiting(places)


def test_who_waits_is_served_in_order():
    places = slots(connections=1)
    held = holding(places, "a")
    first, second = waiting(places), waiting(places)
    assert places.give(held, 0.0) == []
    assert (first.grant, first.woken, second.grant) == ("a", 1, None)
    places.lose(first)
    assert (second.grant, second.woken, places.count) == (OPEN, 1, 1)
    places.lose(second)
    assert places.count == 0


def test_a_place_is_given_back_once():
    places = slots(connections=3)
    one, two, three = (holding(places, name) for name in "abc")
    first = waiting(places)
    for _ in range(2):
        places.lose(one)
        places.give(one, 0.0)
    second = waiting(places)
    for _ in range(2):
        places.give(two, 0.0)
        places.lose(two)
    assert (first.grant, second.grant, places.count, places.in_use) == (OPEN, "b", 3, 3)
    places.lose(three)
    assert places.count == 2


def test_who_waits_no_more_is_passed_over():
    places = slots(connections=1)
    held = holding(places, "a")
    first, second = waiting(places), waiting(places)
    assert places.withdraw(first)
    assert not places.withdraw(first)
    places.give(held, 0.0)
    assert (first.grant, second.grant) == (None, "a")
    assert not places.withdraw(second)


def test_old_and_superfluous_connections_are_closed():
    places = slots(connections=5, keepalive=2)
    one, two, three, four = (holding(places, name) for name in "abcd")
    assert places.give(one, 0.0) == []
    assert places.give(two, 1.0) == []
    assert places.give(three, 2.0) == ["a"]
    assert places.give(four, 1.0 + KEEPALIVE_EXPIRY) == ["b"]
    assert (places.count, places.in_use) == (2, 0)


def test_the_place_of_a_connection_that_is_gone_is_kept():
    places = slots(connections=3)
    one, two, _ = (holding(places, name) for name in "abc")
    after = waiting(places)
    places.replace(one)
    assert (one.grant, after.grant, places.count) == (OPEN, None, 3)
    assert places.withdraw(after)
    places.give(two, 0.0)
    places.replace(one)
    assert (one.grant, places.count, places.in_use) == ("b", 2, 2)


def test_without_keepalive_each_connection_serves_once():
    places = slots(keepalive=0)
    assert places.give(holding(places, "a"), 0.0) == ["a"]
    assert places.count == 0


def test_a_closed_pool_lets_nobody_wait():
    places = slots(connections=1)
    tickets = [holding(places, "a"), *(waiting(places) for _ in range(3))]
    places.dismiss()
    assert [one.grant for one in tickets] == ["a", OPEN, OPEN, OPEN]
    for one in tickets:
        places.lose(one)
    assert places.count == 0


def check(places, held, closed):
    """Check that no connection was dealt out twice, or after it was closed."""
    real = [one.grant for one in held if one.grant is not OPEN]
    assert len(set(real)) == len(real)
    assert not closed & set(real)
    assert places.in_use == len(held) <= places.count


@pytest.mark.parametrize("seed", range(20))
def test_no_place_is_lost_or_dealt_out_twice(seed):
    draw = random.Random(seed)  # noqa: S311 - no secret
    most = draw.randrange(1, 6)
    places = slots(connections=most, keepalive=draw.randrange(6))
    tickets, closed, now = [], set(), 0.0
    for number in range(5000):
        now += draw.choice((0.0, 1.0, 20.0))
        step = draw.choice(("take", "take", "give", "lose", "withdraw", "replace"))
        held = [one for one in tickets if one.grant is not None]
        queued = [one for one in tickets if one.grant is None]
        if step == "take":
            tickets.append(Ticket(number))
            assert places.take(tickets[-1]) is (len(held) < most)
        elif step == "withdraw" and queued:
            assert places.withdraw(draw.choice(queued))
            tickets = [one for one in tickets if one.grant is not None or one in places.waiting]
        elif held and step in {"give", "lose", "replace"}:
            move(places, step, draw.choice(held), now, closed)
            tickets = [one for one in tickets if one.grant is not None or one in places.waiting]
        check(places, [one for one in tickets if one.grant is not None], closed)
        assert places.count <= most


def move(places, step, ticket, now, closed):
    """Have the holder of a connection, or of the leave to open one, go on."""
    if ticket.grant is OPEN:
        ticket.grant = ticket.name
    if step == "give":
        closed.update(places.give(ticket, now))
    elif step == "lose":
        places.lose(ticket)
    else:
        places.replace(ticket)
        ticket.name = object()
