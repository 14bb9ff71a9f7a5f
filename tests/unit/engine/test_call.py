"""What follows each try of a call: decided without a socket, a clock or an event loop."""

import pytest

from databricks_serving._core.statuses import error_class
from databricks_serving.errors import (
    APIConnectionError,
    APITimeoutError,
    EndpointNotReadyError,
    InvalidResponseError,
    StreamInterruptedError,
    StreamServerError,
)
from databricks_serving.options import RetryPolicy, Timeouts
from databricks_serving_api.types import ReplyMeta


def status(code, message="no", **known):
    return error_class(code)(message, status_code=code, **known)


def asleep(**known):
    return EndpointNotReadyError("scaling up from zero", status_code=503, **known)


def test_waits_double_up_to_a_cap(bench):
    policy = RetryPolicy(max_retries=8, base=0.5, cap=20)
    waits = bench.run(bench.call(policy), *[status(503) for _ in range(9)])
    assert waits == [0.5, 1, 2, 4, 8, 16, 20, 20, None]


def test_waits_for_a_limit_begin_twice_as_long(bench):
    assert bench.run(bench.call(), status(429), status(429)) == pytest.approx([1.0, 2.0])


def test_waits_are_drawn_from_nothing_up_to_the_bound(bench):
    bench.rand = 0.0
    assert bench.run(bench.call(), status(503)) == [0.0]
    bench.rand = 0.25
    assert bench.run(bench.call(), status(503)) == [0.125]


@pytest.mark.parametrize("rand", [0.0, 0.5, 1.0])
def test_a_wait_that_the_server_asks_for_is_never_shortened(bench, rand):
    bench.rand = rand
    [wait] = bench.run(bench.call(), status(429, retry_after=40.0))
    assert wait == pytest.approx(40 * (1 + rand / 10))


def test_a_wait_that_is_too_long_is_given_back_at_once(bench):
    error = status(429, retry_after=120.5)
    assert bench.run(bench.call(), error) == [None]
    assert error.retry_stopped_by == "retry_after"
    assert error.retryable
    assert bench.run(bench.call(RetryPolicy(max_retry_after=121)), error) != [None]


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_the_number_of_retries_is_a_limit(bench, retries):
    errors = [status(503) for _ in range(retries + 1)]
    waits = bench.run(bench.call(RetryPolicy(max_retries=retries)), *errors)
    assert len(waits) == retries + 1
    assert waits[-1] is None
    assert errors[-1].retry_stopped_by == "retries"


MAY_HAVE_RUN = {
    "500": lambda: status(500),
    "502": lambda: status(502),
    "504": lambda: status(504),
    "599": lambda: status(599),
    "reset": lambda: APIConnectionError("reset"),
    "slow": lambda: APITimeoutError("slow", phase="first_byte"),
    "garbled": lambda: InvalidResponseError("no JSON", garbled=True),
    "cut": lambda: StreamInterruptedError("cut before anything came"),
    "broken": lambda: StreamServerError("broken inside"),
}


@pytest.mark.parametrize("make", MAY_HAVE_RUN.values(), ids=MAY_HAVE_RUN)
def test_what_may_have_run_is_tried_once_more(bench, make):
    errors = [make(), make()]
    assert bench.run(bench.call(), *errors) == [pytest.approx(0.5), None]
    assert errors[1].retry_stopped_by == "reruns"
    assert not errors[1].retryable
    assert errors[1].maybe_executed


@pytest.mark.parametrize("make", MAY_HAVE_RUN.values(), ids=MAY_HAVE_RUN)
def test_what_may_have_run_and_acts_is_never_tried_again(bench, make):
    error = make()
    assert bench.run(bench.call(idempotent=False), error) == [None]
    assert error.retry_stopped_by == "reruns"
    assert bench.run(bench.call(RetryPolicy(max_reruns=0)), make()) == [None]


def test_reruns_do_not_use_up_the_retries_of_what_did_not_run(bench):
    errors = [status(503), status(500), status(503)]
    policy = RetryPolicy(max_retries=3)
    assert None not in bench.run(bench.call(policy), *errors)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 413, 418, 422, 501, 307])
def test_what_another_try_cannot_help_is_final(bench, code):
    error = status(code)
    assert bench.run(bench.call(), error) == [None]
    assert error.retry_stopped_by is None


@pytest.mark.parametrize(
    "error",
    [
        InvalidResponseError("a web page"),
        APIConnectionError("no trust", maybe_executed=False, retryable=False),
        APITimeoutError("over", phase="total"),
        APITimeoutError("stalled", phase="idle"),
        status(429, "daily limit of requests reached"),
        status(503, headers={"x-should-retry": "false"}),
    ],
    ids=str,
)
def test_what_will_not_pass_is_final(bench, error):
    assert bench.run(bench.call(), error) == [None]


def dead(*, maybe_executed=True):
    error = APIConnectionError("it went", maybe_executed=maybe_executed)
    error.stale = True
    return error


@pytest.mark.parametrize("ran", [True, False])
def test_a_dead_connection_is_replaced_once_at_once_and_free(bench, ran):
    call = bench.call(RetryPolicy(max_retries=1))
    errors = [dead(maybe_executed=ran), dead(maybe_executed=ran), dead(maybe_executed=ran)]
    assert bench.run(call, *errors) == [0.0, pytest.approx(0.5), None]
    assert len(errors[-1].history) == 3
    for _ in range(60):
        assert bench.run(bench.call(RetryPolicy(max_retries=1)), dead(maybe_executed=ran)) == [0.0]


def test_a_dead_connection_is_not_replaced_where_a_second_run_is_ruled_out(bench):
    for call in (
        bench.call(RetryPolicy(max_retries=0)),
        bench.call(RetryPolicy(max_reruns=0)),
        bench.call(idempotent=False),
    ):
        assert bench.run(call, dead()) == [None]
    assert bench.run(bench.call(idempotent=False), dead(maybe_executed=False)) == [0.0]
    assert bench.run(bench.call(RetryPolicy(max_retries=0)), dead(maybe_executed=False)) == [None]


def test_a_server_may_ask_for_another_try(bench):
    told = {"x-should-retry": "true"}
    assert bench.run(bench.call(), status(404, headers=told)) == [pytest.approx(0.5)]
    acts = bench.call(idempotent=False)
    assert bench.run(acts, status(400, headers=told)) == [None]


@pytest.mark.parametrize("code", [408, 409, 425, 429, 503, 529])
def test_what_was_refused_is_tried_again_even_if_it_acts(bench, code):
    error = status(code)
    assert bench.run(bench.call(idempotent=False), error) != [None]
    assert not error.maybe_executed


def test_a_lasting_limit_that_names_its_end_is_waited_for(bench):
    error = status(429, "daily limit reached", retry_after=2.0)
    assert bench.run(bench.call(), error) == [pytest.approx(2.2)]


@pytest.mark.parametrize(
    ("message", "lasting"),
    [
        ("Exceeded workspace input tokens per hour rate limit", True),
        ("rate limit of 100 QPH exceeded", True),
        ("Daily quota used up", True),
        ("200 requests/day", True),
        ("quota exceeded", True),
        ("Quota exceeded for requests per minute", False),
        ("Exceeded workspace input tokens per minute rate limit", False),
        ("REQUEST_LIMIT_EXCEEDED: 100 QPS", False),
        ("too many requests in parallel", False),
    ],
)
def test_limits_that_take_hours_are_told_by_their_words(bench, message, lasting):
    assert (bench.run(bench.call(), status(429, message)) == [None]) == lasting


def test_a_second_run_that_does_not_fit_is_stopped_by_the_deadline(bench):
    call = bench.call(timeouts=Timeouts(total=500))
    call.phases()
    bench.now += 300
    error = APITimeoutError("slow", phase="first_byte")
    assert not call.again(error)
    assert error.retry_stopped_by == "deadline"


def test_no_wait_goes_past_the_deadline(bench):
    error = status(429, retry_after=9.0)
    assert bench.run(bench.call(timeouts=Timeouts(total=9.5)), error) == [None]
    assert error.retry_stopped_by == "deadline"
    assert bench.run(bench.call(timeouts=Timeouts(total=10)), status(429, retry_after=9.0)) != [
        None
    ]
    assert bench.run(bench.call(timeouts=Timeouts(total=None)), status(503)) == [0.5]


def test_a_slow_try_is_repeated_only_if_as_much_time_is_left(bench):
    def lose(total):
        call = bench.call(timeouts=Timeouts(total=total))
        call.phases()
        bench.now += 300
        return call.again(APITimeoutError("slow", phase="first_byte"))

    assert lose(601)
    assert not lose(600)


def test_the_quota_stops_the_retries_of_a_sick_endpoint_alone(bench):
    stopped = []
    for _ in range(60):
        error = status(503)
        if bench.run(bench.call(RetryPolicy(max_retries=1)), error) == [None]:
            stopped.append(error.retry_stopped_by)
    assert stopped == ["quota"] * (60 - 35)
    assert bench.run(bench.call(endpoint="lakes"), status(503)) == [0.5]


def test_the_quota_lets_more_throttled_calls_try_again(bench):
    policy = RetryPolicy(max_retries=1)
    tried = sum(bench.run(bench.call(policy), status(429)) != [None] for _ in range(150))
    assert tried == 100


def test_successes_fill_the_quota_again(bench):
    policy = RetryPolicy(max_retries=1)
    while bench.run(bench.call(policy), status(503)) != [None]:
        pass
    for _ in range(14):
        bench.call().succeeded(None)
    call = bench.call(policy)
    assert bench.run(call, status(503)) != [None]
    call.succeeded(None)
    assert bench.run(bench.call(policy), status(503)) != [None]


def test_an_error_tells_the_story_of_its_call(bench):
    call = bench.call(RetryPolicy(max_retries=1))
    first, last = status(503, request_id="r-1"), status(500, request_id="r-2")
    bench.run(call, first, last)
    assert [(a.cause, a.elapsed, a.wait, a.request_id) for a in last.history] == [
        ("InternalServerError 503", 0.0, 0.5, "r-1"),
        ("InternalServerError 500", 0.5, None, "r-2"),
    ]
    assert (last.endpoint, last.attempts, last.elapsed) == ("rivers", 2, 0.5)
    assert last.idempotency_key == "k-1"
    assert last.request.size == 2


def test_an_error_after_the_answer_began_counts_its_try(bench):
    call = bench.call()
    bench.run(call, status(503))
    bench.settle(call)
    call.phases()
    call.succeeded(ReplyMeta(200, {}))
    bench.now += 2
    error = StreamInterruptedError("cut")
    call.interrupted(error)
    assert (error.attempts, len(error.history), error.elapsed) == (2, 2, 2.5)


@pytest.mark.parametrize(
    ("total", "cold", "reason"), [(10, 300, "deadline"), (300, 10, "cold_start")]
)
def test_a_call_that_looks_on_says_what_its_end_was(bench, total, cold, reason):
    policy = RetryPolicy(cold_start_timeout=cold)
    asks, looks = (bench.call(policy, timeouts=Timeouts(total=total)) for _ in range(2))
    asks.phases()
    assert asks.again(EndpointNotReadyError("scaling", status_code=503))
    with pytest.raises(EndpointNotReadyError) as caught:
        bench.settle(looks)
    assert caught.value.retry_stopped_by == reason
    assert "longer cold_start_timeout and deadline" in caught.value.hint


def test_each_try_is_observed(bench):
    call = bench.call()
    bench.run(call, status(503, request_id="r-1"))
    bench.settle(call)
    call.phases()
    bench.now += 0.25
    call.succeeded(ReplyMeta(200, {"x-request-id": "r-2"}))
    seen = [(t.number, t.duration, t.status, t.request_id, t.cause) for t in bench.tries]
    assert seen == [
        (1, 0.0, 503, "r-1", "InternalServerError 503"),
        (2, 0.25, 200, "r-2", None),
    ]


def test_to_curl_shows_neither_token_nor_secret_values(bench):
    error = status(404)
    bench.run(bench.call(), error)
    curl = error.to_curl()
    assert "canary" not in curl + repr(error.request)
    assert "secret" not in curl
    assert "curl -X POST 'https://w.example.com/serving-endpoints/rivers/invocations?a=***'" in curl
    assert '-H "authorization: Bearer $DATABRICKS_TOKEN"' in curl
    assert "-H 'x-a: ***'" in curl
    assert status(400).to_curl() is None


class TestColdStart:
    POLICY = RetryPolicy(cold_start_timeout=300)

    def test_an_endpoint_that_scales_up_is_asked_until_it_is_up(self, bench):
        bench.rand = 0.0
        call = bench.call(self.POLICY)
        assert bench.run(call, *[asleep() for _ in range(7)]) == [1, 2, 4, 8, 15, 15, 15]
        call.succeeded(None)

    def test_asking_costs_nothing_of_the_quota(self, bench):
        for _ in range(10):
            call = bench.call(self.POLICY)
            bench.run(call, *[asleep() for _ in range(6)])
            call.leave()
        assert bench.run(bench.call(), status(503)) == [0.5]

    def test_asking_ends_after_the_time_for_it(self, bench):
        error = asleep()
        call = bench.call(RetryPolicy(cold_start_timeout=40))
        waits = bench.run(call, *[asleep() for _ in range(5)], error)
        assert waits[-1] is None
        assert sum(waits[:-1]) <= 40
        call.leave()
        errors = [asleep() for _ in range(10)]
        bench.run(bench.call(RetryPolicy(cold_start_timeout=5)), *errors)
        assert "cold_start" in {e.retry_stopped_by for e in errors}

    def test_asking_ends_before_the_deadline(self, bench):
        error = asleep()
        call = bench.call(self.POLICY, timeouts=Timeouts(total=2.5))
        assert bench.run(call, asleep(), error)[-1] is None
        assert error.retry_stopped_by == "deadline"

    def test_without_time_for_it_the_answer_is_like_any_503(self, bench):
        error = asleep()
        assert bench.run(bench.call(), asleep(), asleep(), error) == [0.5, 1.0, None]
        assert error.retry_stopped_by == "retries"
        assert "cold_start_timeout" in error.hint

    def test_progress_is_told(self, bench):
        told = []
        policy = RetryPolicy(cold_start_timeout=300, on_cold_start=told.append)
        bench.rand = 0.0
        bench.run(bench.call(policy), asleep(), asleep(), asleep())
        assert [(t.endpoint, t.elapsed, t.next_try) for t in told] == [
            ("rivers", 0, 1),
            ("rivers", 1, 2),
            ("rivers", 3, 4),
        ]
        assert told[0].message == "scaling up from zero"

    def test_a_wait_that_the_endpoint_asks_for_is_kept(self, bench):
        assert bench.run(bench.call(self.POLICY), asleep(retry_after=30.0)) == [30.0]

    def test_one_call_asks_and_the_others_wait_for_it(self, bench):
        bench.rand = 0.0
        first, second = bench.call(self.POLICY), bench.call(self.POLICY)
        first.phases()
        assert first.again(asleep())
        assert second.pause() == 0.5
        bench.now += 0.5
        assert second.pause() == 0.5
        first.leave()
        assert second.pause() == 0.0

    def test_a_call_that_asked_too_waits_for_the_first(self, bench):
        bench.rand = 0.0
        first, second = bench.call(self.POLICY), bench.call(self.POLICY)
        first.phases()
        second.phases()
        assert first.again(asleep())
        assert second.again(asleep())
        bench.now += 0.9
        assert second.pause() == 0.5
        assert first.pause() == pytest.approx(0.1)

    def test_others_wait_no_longer_than_they_may(self, bench):
        bench.rand = 0.0
        first = bench.call(self.POLICY)
        first.phases()
        first.again(asleep())
        second = bench.call(RetryPolicy(cold_start_timeout=2))
        with pytest.raises(EndpointNotReadyError, match="still scaling up") as caught:
            bench.settle(second)
        assert bench.now == 102.0
        assert caught.value.retry_stopped_by == "cold_start"
        assert (caught.value.endpoint, caught.value.attempts) == ("rivers", 0)

    def test_calls_that_do_not_wait_and_other_endpoints_are_not_held_up(self, bench):
        first = bench.call(self.POLICY)
        first.phases()
        first.again(asleep())
        assert bench.call().pause() == 0.0
        assert bench.call(self.POLICY, endpoint="lakes").pause() == 0.0

    def test_when_the_asking_call_gives_up_another_takes_over(self, bench):
        bench.rand = 0.0
        first, second = bench.call(self.POLICY), bench.call(self.POLICY)
        first.phases()
        first.again(asleep())
        first.leave()
        second.phases()
        assert second.again(asleep())
        assert first.pause() == 0.5
