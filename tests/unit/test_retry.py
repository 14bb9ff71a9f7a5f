"""When a call is tried again, after how long, and when not: what users of both clients see."""

import pytest
import wire

from databricks_serving import RetryPolicy
from databricks_serving._core.statuses import error_class
from databricks_serving.errors import (
    EndpointNotReadyError,
    InternalServerError,
    InvalidResponseError,
    PermissionDeniedError,
    RateLimitError,
    StreamInterruptedError,
    StreamServerError,
)


def call(shell, client):
    return shell.wait(client.chat.completions.create(model="m", messages=wire.USER))


def failing(shell, *answers):
    """Answer in turn, the last one for ever."""

    def answer(_):
        given = answers[min(len(shell.transport.requests), len(answers)) - 1]
        return given() if callable(given) else given

    return answer


@pytest.mark.parametrize("code", [429, 503])
def test_a_call_succeeds_after_what_a_server_asks_to_wait(shell, code):
    busy = wire.json_reply({}, status=code, retry_after="2")
    client = shell.client(failing(shell, busy, wire.json_reply(wire.chat())), rand=0.5)
    assert call(shell, client).text == "The Po."
    assert shell.clock.slept == [pytest.approx(2.1)]
    first, second = shell.transport.requests
    assert first.content == second.content
    assert dict(first.headers) == dict(second.headers)


def test_a_call_gives_up_with_the_last_error(shell):
    client = shell.client(wire.json_reply({"message": "full"}, status=503), rand=1.0, max_retries=3)
    with pytest.raises(InternalServerError) as caught:
        call(shell, client)
    assert shell.clock.slept == [0.5, 1.0, 2.0]
    assert len(shell.transport.requests) == 4
    error = caught.value
    assert (error.attempts, error.elapsed, error.endpoint) == (4, 3.5, "m")
    assert error.retryable
    assert not error.maybe_executed


@pytest.mark.parametrize("code", [400, 401, 403, 404, 413, 422, 501])
def test_a_status_that_another_try_cannot_help_is_final(shell, code):
    client = shell.client(wire.json_reply({}, status=code))
    with pytest.raises(error_class(code)) as caught:
        call(shell, client)
    assert caught.value.attempts == len(shell.transport.requests) == 1
    assert shell.clock.slept == []


@pytest.mark.parametrize("code", [500, 502, 504])
def test_a_status_that_may_stand_for_a_run_is_tried_once_more(shell, code):
    client = shell.client(wire.json_reply({}, status=code), max_retries=5)
    with pytest.raises(error_class(code)) as caught:
        call(shell, client)
    assert caught.value.attempts == len(shell.transport.requests) == 2
    assert caught.value.retry_stopped_by == "reruns"


def test_a_call_that_acts_is_not_tried_again_after_it_may_have_run(shell):
    client = shell.client(wire.json_reply({}, status=500))
    with pytest.raises(InternalServerError):
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER, idempotent=False))
    assert len(shell.transport.requests) == 1


def test_all_tries_of_a_call_carry_one_id_and_two_calls_two(shell):
    client = shell.client(wire.json_reply({}, status=503))
    for _ in range(2):
        with pytest.raises(InternalServerError) as caught:
            call(shell, client)
        sent = {r.headers["idempotency-key"] for r in shell.transport.requests[-3:]}
        assert sent == {caught.value.idempotency_key}
    assert len({r.headers["idempotency-key"] for r in shell.transport.requests}) == 2


def test_the_callers_own_id_is_sent(shell):
    client = shell.client(wire.json_reply({}, status=404))
    with pytest.raises(error_class(404)) as caught:
        shell.wait(
            client.chat.completions.create(
                model="m", messages=wire.USER, extra_headers={"Idempotency-Key": "mine"}
            )
        )
    assert shell.transport.requests[0].headers["idempotency-key"] == "mine"
    assert caught.value.idempotency_key == "mine"


def test_a_deadline_bounds_the_waits(shell):
    busy = wire.json_reply({}, status=503, retry_after="4")
    client = shell.client(busy, max_retries=10)
    with pytest.raises(InternalServerError) as caught:
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER, deadline=10))
    assert shell.clock.slept == [4.0, 4.0]
    assert caught.value.retry_stopped_by == "deadline"
    assert shell.clock.monotonic() <= 10


def test_an_endpoint_that_scales_up_is_waited_for(shell):
    told = []
    policy = RetryPolicy(cold_start_timeout=300, on_cold_start=told.append)
    asleep = wire.json_reply({"message": "The endpoint is scaling up from zero."}, status=503)
    client = shell.client(
        failing(shell, *[asleep] * 4, wire.json_reply(wire.chat())), retry=policy, max_retries=0
    )
    assert call(shell, client).text == "The Po."
    assert shell.clock.slept == [1.0, 2.0, 4.0, 8.0]
    assert [t.elapsed for t in told] == [0.0, 1.0, 3.0, 7.0]


def test_an_endpoint_that_scales_up_has_its_own_error(shell):
    asleep = wire.json_reply({"error_code": "ENDPOINT_NOT_READY", "message": "Wait."}, status=503)
    with pytest.raises(EndpointNotReadyError) as caught:
        call(shell, shell.client(asleep))
    assert "cold_start_timeout" in str(caught.value)
    assert caught.value.attempts == 3


def test_a_reply_that_is_no_json_is_asked_for_once_more(shell):
    broken = wire.pieces(b'{"choices": [', content_type="application/json")
    client = shell.client(failing(shell, broken, wire.json_reply(wire.chat())))
    assert call(shell, client).text == "The Po."
    page = wire.pieces(b"<html>log in</html>", content_type="text/html")
    with pytest.raises(InvalidResponseError):
        call(shell, shell.client(page))
    assert len(shell.transport.requests) == 1


def test_the_quota_is_shared_by_the_copies_of_a_client(shell):
    client = shell.client(wire.json_reply({}, status=503), max_retries=1)
    for _ in range(35):
        with pytest.raises(InternalServerError):
            call(shell, client.with_options(timeout=5))
    with pytest.raises(InternalServerError) as caught:
        call(shell, client)
    assert caught.value.retry_stopped_by == "quota"


@pytest.mark.parametrize("seconds", ["121", "86400", "Sat, 21 Nov 2099 12:00:00 GMT"])
def test_a_limit_that_lasts_is_raised_at_once_with_its_length(shell, seconds):
    client = shell.client(wire.json_reply({}, status=429, retry_after=seconds))
    with pytest.raises(RateLimitError) as caught:
        call(shell, client)
    assert caught.value.retry_after > 120
    assert shell.clock.slept == []


def test_a_wait_in_the_body_counts_as_well(shell):
    body = {"error": {"message": "slow down", "code": 429, "retry_after": 15}}
    busy = wire.json_reply(body, status=429)
    client = shell.client(failing(shell, busy, wire.json_reply(wire.chat())))
    call(shell, client)
    assert shell.clock.slept == [15.0]


def test_a_copy_of_a_client_has_its_own_number_of_retries(shell):
    client = shell.client(wire.json_reply({}, status=503)).with_options(max_retries=0)
    with pytest.raises(InternalServerError):
        call(shell, client)
    assert len(shell.transport.requests) == 1


def test_raw_calls_and_streams_are_repeated_alike(shell):
    busy = wire.json_reply({}, status=503)
    client = shell.client(failing(shell, busy, wire.json_reply(wire.chat())))
    raw = client.chat.completions.with_raw_response
    assert shell.wait(raw.create(model="m", messages=wire.USER)).status_code == 200
    done = lambda: wire.stream(wire.chunk("Po", "stop"), "[DONE]")  # noqa: E731 - a body is read once
    client = shell.client(failing(shell, busy, done))
    stream = shell.wait(client.chat.completions.create(model="m", messages=wire.USER, stream=True))
    assert [chunk.text for chunk in shell.items(stream)] == ["Po"]
    assert len(shell.transport.requests) == 2


def chunks_of(shell, client):
    stream = shell.wait(client.chat.completions.create(model="m", messages=wire.USER, stream=True))
    return [chunk.text for chunk in shell.items(stream)]


BROKEN = {
    "empty": wire.stream,
    "no json": lambda: wire.stream("no json"),
    "busy": lambda: wire.stream({"error": {"message": "busy", "code": 429}}),
    "failed": lambda: wire.stream({"error_code": "INTERNAL_ERROR", "message": "odd"}),
    "whole": lambda: wire.json_reply({"error_code": 503, "message": "odd"}),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_stream_that_breaks_before_its_first_event_is_tried_again(shell, broken):
    whole = lambda: wire.stream(wire.chunk("Po", "stop"), "[DONE]")  # noqa: E731 - a body is read once
    assert chunks_of(shell, shell.client(failing(shell, broken, whole))) == ["Po"]
    assert len(shell.transport.requests) == 2


def test_a_stream_that_never_begins_raises_from_the_call(shell):
    client = shell.client(lambda _: wire.stream({"error": {"message": "odd", "code": 500}}))
    with pytest.raises(InternalServerError, match="odd") as caught:
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER, stream=True))
    assert (caught.value.attempts, caught.value.status_code) == (2, 500)
    assert caught.value.retry_stopped_by == "reruns"


def test_a_stream_whose_first_event_is_an_error_without_a_status_says_so(shell):
    client = shell.client(lambda _: wire.stream({"error": {"message": "odd"}}))
    with pytest.raises(StreamServerError, match="odd") as caught:
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER, stream=True))
    assert (caught.value.attempts, caught.value.partial) == (2, None)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"error": {"message": "busy", "code": 429, "retry_after": 3}}, RateLimitError),
        ({"error_code": "PERMISSION_DENIED", "message": "no"}, PermissionDeniedError),
        ({"error_code": 503, "message": "scaling up from zero"}, EndpointNotReadyError),
    ],
)
def test_a_stream_whose_first_event_is_an_error_raises_it_as_a_call_would(shell, event, kind):
    client = shell.client(lambda _: wire.stream(event), max_retries=0)
    with pytest.raises(kind) as caught:
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER, stream=True))
    assert caught.value.retry_after == (3 if kind is RateLimitError else None)
    assert not caught.value.maybe_executed


def test_a_stream_that_has_begun_is_not_repeated(shell):
    client = shell.client(lambda _: wire.stream(wire.chunk("Po")))
    stream = shell.wait(client.chat.completions.create(model="m", messages=wire.USER, stream=True))
    with pytest.raises(StreamInterruptedError) as caught:
        shell.items(stream)
    assert len(shell.transport.requests) == 1
    assert (caught.value.endpoint, caught.value.attempts) == ("m", 1)
    assert not caught.value.retryable
