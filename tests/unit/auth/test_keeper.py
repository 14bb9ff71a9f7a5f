"""Who holds a token, who fetches the next, and who waits."""

import math
import pickle
import threading

import pytest

from databricks_serving._core.clocks import Now
from databricks_serving.auth import Token
from databricks_serving.auth._keeper import PATIENCE, Keeper
from databricks_serving.auth._token import lifetime
from databricks_serving.errors import TokenError


class Time:
    """Both clocks, moved by hand."""

    def __init__(self):
        self.monotonic = 1000.0
        self.wall = 1_700_000_000.0

    def now(self):
        return Now(self.monotonic, self.wall)

    def pass_(self, seconds):
        self.monotonic += seconds
        self.wall += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def keeper():
    return Keeper(lambda: 0.0)


def fetched(keeper, time, token=None, life=3600.0):
    """Have a token fetched, and return it."""
    token = token or Token("t", life)
    look = keeper.look(time.now())
    assert look.leads
    keeper.land(look.flight, token, time.now())
    return token


def test_the_first_fetches_and_all_others_wait_for_it(keeper, time):
    first = keeper.look(time.now())
    others = [keeper.look(time.now()) for _ in range(1000)]
    assert (first.token, first.leads) == (None, True)
    assert {(o.token, o.leads, o.flight) for o in others} == {(None, False, first.flight)}
    token = Token("t", 3600)
    keeper.land(first.flight, token, time.now())
    assert first.flight.result() is token
    assert keeper.look(time.now()) == (token, None, False)


@pytest.mark.parametrize(
    ("life", "fresh", "good"),
    [(3600, 2400, 3560), (7200, 6000, 7160), (600, 300, 560), (120, 60, 90), (60, 60, 60)],
)
def test_a_token_is_renewed_beside_the_calls_before_it_is_dead(keeper, time, life, fresh, good):
    token = fetched(keeper, time, life=life)
    time.pass_(fresh - 0.5)
    assert keeper.look(time.now()) == (token, None, False)
    time.pass_(1)
    if fresh < good:
        leads = keeper.look(time.now())
        assert (leads.token, leads.leads) == (token, True)
        assert keeper.look(time.now()) == (token, leads.flight, False)
        keeper.abandon(leads.flight)
        time.pass_(good - fresh)
    look = keeper.look(time.now())
    assert (look.token, look.leads) == (None, True)


def test_margins_are_spread_over_many_clients(time):
    spread = [Keeper(lambda rand=rand: rand) for rand in (0.0, 1.0)]
    for one in spread:
        fetched(one, time)
    time.pass_(2450)
    assert [one.look(time.now()).leads for one in spread] == [True, False]


def test_a_short_token_is_fetched_once_in_its_life(keeper, time):
    fetches = 0
    for _ in range(1000):
        look = keeper.look(time.now())
        if look.leads:
            fetches += 1
            keeper.land(look.flight, Token("t", 1.0), time.now())
        time.pass_(0.01)
    assert fetches == 10


def test_a_token_for_one_use_serves_those_who_waited_for_it(keeper, time):
    leads, waits = keeper.look(time.now()), keeper.look(time.now())
    token = Token("t", 0.0)
    keeper.land(leads.flight, token, time.now())
    assert waits.flight.result() is token
    assert keeper.look(time.now()).leads


def test_a_token_without_an_end_is_kept(keeper, time):
    token = fetched(keeper, time, life=math.inf)
    time.pass_(10**9)
    assert keeper.look(time.now()) == (token, None, False)


def test_a_machine_that_slept_fetches_first(keeper, time):
    fetched(keeper, time)
    time.wall += 8 * 3600
    look = keeper.look(time.now())
    assert (look.token, look.leads) == (None, True)


@pytest.mark.parametrize("wrong", [-3600, 3600 * 24 * -400])
def test_a_calendar_that_is_set_back_does_not_lengthen_a_token(keeper, time, wrong):
    fetched(keeper, time)
    time.wall += wrong
    time.monotonic += 3590
    assert keeper.look(time.now()).token is None


def test_a_fetch_that_fails_fails_for_all_who_wait_each_with_an_error_of_its_own(keeper, time):
    leads, waits = keeper.look(time.now()), keeper.look(time.now())
    error = TokenError("no", source="x")
    keeper.fail(leads.flight, error, time.now())
    seen = []
    for _ in range(2):
        with pytest.raises(TokenError, match="no") as caught:
            waits.flight.result()
        seen.append(caught.value)
    assert len({id(one) for one in (*seen, error)}) == 3
    assert keeper.look(time.now()).leads


def test_a_renewal_that_fails_rests_a_minute_while_the_token_is_good(keeper, time):
    token = fetched(keeper, time)
    time.pass_(2500)
    leads = keeper.look(time.now())
    keeper.fail(leads.flight, TokenError("down"), time.now())
    time.pass_(59)
    assert keeper.look(time.now()) == (token, None, False)
    time.pass_(2)
    assert keeper.look(time.now()).leads
    time.pass_(900)
    assert keeper.look(time.now()).token is token
    time.pass_(140)
    assert keeper.look(time.now()).token is None


@pytest.mark.parametrize("life", [130, 240, 3600])
def test_a_token_that_cannot_be_renewed_is_used_to_its_end(keeper, time, life):
    token = fetched(keeper, time, life=life)
    while keeper.spare(time.now()) is not None:
        look = keeper.look(time.now())
        if look.leads:
            keeper.fail(look.flight, TokenError("down", transient=True), time.now())
        assert (look.token or keeper.spare(time.now())) is token
        time.pass_(1)
    assert keeper._held.age(time.now()) == life - 5
    assert keeper.look(time.now()).token is None


def test_a_refused_token_is_not_used_because_there_is_no_other(keeper, time):
    token = fetched(keeper, time)
    keeper.refuse(token, time.now())
    assert keeper.spare(time.now()) is None


@pytest.mark.parametrize("end", ["abandoned", "silent"])
def test_another_takes_over_from_one_who_gave_up_or_is_gone(keeper, time, end):
    leads, waits = keeper.look(time.now()), keeper.look(time.now())
    if end == "abandoned":
        keeper.abandon(leads.flight)
        assert waits.flight.done
        assert waits.flight.result() is None
    else:
        time.pass_(PATIENCE + 1)
    heir = keeper.look(time.now())
    assert leads.flight.done
    assert heir.leads
    assert heir.flight is not leads.flight
    keeper.land(heir.flight, Token("heir", 3600), time.now())
    # The one who was taken for dead comes late, and does no harm.
    keeper.land(leads.flight, Token("late", 3600), time.now())
    assert keeper.look(time.now()).token is not None


def test_a_flight_that_landed_is_not_abandoned(keeper, time):
    leads = keeper.look(time.now())
    token = Token("t", 3600)
    keeper.land(leads.flight, token, time.now())
    keeper.abandon(leads.flight)
    assert leads.flight.result() is token


def test_a_refused_token_is_fetched_anew_once_for_all(keeper, time):
    old = fetched(keeper, time)
    assert all(keeper.refuse(old, time.now()) for _ in range(64))
    looks = [keeper.look(time.now()) for _ in range(64)]
    assert [look.leads for look in looks].count(True) == 1
    keeper.land(looks[0].flight, Token("new", 3600), time.now())
    # Those that were under way with the old one find the new one.
    assert keeper.refuse(old, time.now())
    assert keeper.look(time.now()).token.value == "new"


def test_a_token_that_was_just_fetched_for_a_refused_one_is_not_fetched_again(keeper, time):
    old = fetched(keeper, time)
    assert keeper.refuse(old, time.now())
    new = fetched(keeper, time, Token("t", 3600))
    assert not keeper.refuse(new, time.now())
    assert keeper.look(time.now()).token is new
    time.pass_(6)
    assert keeper.refuse(new, time.now())


def test_a_token_that_was_taken_may_be_refused_again_at_once(keeper, time):
    old = fetched(keeper, time)
    assert keeper.refuse(old, time.now())
    new = fetched(keeper, time, Token("new", 3600))
    keeper.accept(old)
    assert not keeper.refuse(new, time.now())
    keeper.accept(new)
    assert keeper.refuse(new, time.now())


def test_a_child_does_not_wait_for_a_thread_of_its_parent(keeper, time):
    keeper.look(time.now())
    keeper.after_fork()
    assert keeper.look(time.now()).leads


def test_a_waker_that_comes_late_is_called_at_once(keeper, time):
    flight = keeper.look(time.now()).flight
    calls = []
    flight.join(lambda: calls.append("early"))
    keeper.land(flight, Token("t", 3600), time.now())
    flight.join(lambda: calls.append("late"))
    assert calls == ["early", "late"]


def test_of_many_threads_one_fetches(keeper, time):
    leaders, start = [], threading.Barrier(32)

    def look():
        start.wait()
        leaders.extend([1 for _ in range(200) if keeper.look(time.now()).leads])

    threads = [threading.Thread(target=look) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(leaders) == 1


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (None, 60),
        (-1, 60),
        (float("nan"), 60),
        (True, 60),
        ("soon", 60),
        ([], 60),
        (0, 0),
        ("3600", 3600),
        (1.5, 1.5),
        (1e12, 3600),
        (10**400, 60),
        (math.inf, 3600),
    ],
)
def test_the_life_of_a_token_is_read_with_sense(told, expected):
    assert lifetime(told) == expected


def test_no_repr_shows_a_token():
    assert "hush" not in repr(Token("hush", 3, {"x": "hush"}))
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Token("hush", 3))
