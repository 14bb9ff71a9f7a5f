"""Statuses and what they mean; section 2.2."""

import pytest
import wire
from raw_server import headers_of

from databricks_serving.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    InvalidRequestError,
    InvalidResponseError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    ServingError,
    UnprocessableEntityError,
)

from .support.answers import bare, reply
from .support.canary import TOKEN

BUSY = {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "too many requests"}


SICK = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "try again"}


def limited(*headers):
    """Return a 429 with headers."""
    return reply(BUSY, 429, *headers)


@pytest.mark.row("S-09")
@pytest.mark.parametrize("answer", [bare(b"", 503), reply(SICK, 503)], ids=["empty", "JSON"])
def test_a_service_that_is_not_there_is_asked_again(house, answer):
    server, client = house.serve(answer, answer, on_clock=True, rand=1.0)
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 3
    assert house.waited == pytest.approx(1.5)


PAGE = (
    b"<html><head><title>502 Bad Gateway</title><style>p { color: red }</style></head>"
    b"<body><h1>Bad gateway</h1><p>upstream&nbsp;is away</p>" + b"<p>filler</p>" * 500 + b"</body>"
)


@pytest.mark.row("S-10")
@pytest.mark.parametrize("status", [502, 504])
def test_the_page_of_a_gateway_becomes_a_short_text(house, status):
    answer = bare(PAGE, status, "Content-Type: text/html")
    server, client = house.serve(answer, answer, answer, on_clock=True)
    error = house.fails(client, InternalServerError, "Bad gateway")
    assert error.status_code == status
    assert len(error.message) <= 200
    assert "<" not in error.message
    assert "color" not in error.message
    assert error.maybe_executed
    assert not error.retryable
    assert error.attempts == len(server.requests) == 2
    assert error.retry_stopped_by == "reruns"


@pytest.mark.row("S-11")
def test_an_error_of_the_model_s_code_is_asked_once_more(house):
    answer = reply({"error_code": "INTERNAL_ERROR", "message": "KeyError: 'x'"}, 500)
    server, client = house.serve(answer, answer, on_clock=True)
    error = house.fails(client, InternalServerError, "KeyError: 'x'")
    assert error.error_code == "INTERNAL_ERROR"
    assert error.maybe_executed
    assert error.attempts == len(server.requests) == 2
    server, client = house.serve(answer, on_clock=True)
    assert house.call(client).text == "Hi"
    server, client = house.serve(answer, on_clock=True)
    house.fails(client, InternalServerError, idempotent=False)
    assert len(server.requests) == 1


@pytest.mark.row("S-12")
@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error_code": "BAD_REQUEST", "message": "no such key"}, "no such key", "BAD_REQUEST"),
        ({"error": {"message": "no such key", "code": "bad"}}, "no such key", "bad"),
        (
            {"error_code": "BAD_REQUEST", "message": "no such key", "error": {"message": "x"}},
            "no such key",
            "BAD_REQUEST",
        ),
        ("no such key", "no such key", None),
        (b"", "", None),
    ],
    ids=["code and message", "error object", "both", "text", "empty"],
)
def test_the_message_of_a_bad_request_is_found(house, body, message, code):
    answer = bare(body.encode(), 400) if isinstance(body, str) else reply(body, 400)
    server, client = house.serve(answer, on_clock=True)
    error = house.fails(client, BadRequestError)
    assert message in error.message
    assert error.message
    assert error.error_code == code
    assert not error.retryable
    assert len(server.requests) == 1


@pytest.mark.row("S-13")
def test_a_token_that_is_refused_is_not_shown(house):
    body = {"error_code": "401", "message": f"Credential {TOKEN} was not sent or was of a bad type"}
    server, client = house.serve(reply(body, 401), on_clock=True)
    error = house.fails(client, AuthenticationError, r"Credential \*\*\*")
    assert error.hint
    assert "token" in error.hint
    assert not error.maybe_executed
    assert not error.retryable
    assert len(server.requests) == 1


@pytest.mark.row("S-15")
def test_a_personal_token_that_is_refused_again_stays_refused(house):
    server, client = house.serve(reply(None, 401), reply(None, 401), on_clock=True)
    for _ in range(2):
        house.fails(client, AuthenticationError)
    assert len(server.requests) == 2


@pytest.mark.row("S-16")
@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("User does not have permission 'Query' on the endpoint", "CAN QUERY"),
        ("Source IP address: 10.0.0.1 is blocked by Databricks IP access list", "access list"),
        ("Invalid access token", "token"),
        ("Provided OAuth token does not have required scopes: model-serving", "scope"),
    ],
    ids=["permission", "address", "token", "scope"],
)
def test_a_refusal_says_what_to_do(house, message, hint):
    answer = reply({"error_code": "PERMISSION_DENIED", "message": message}, 403)
    server, client = house.serve(answer, on_clock=True)
    error = house.fails(client, PermissionDeniedError)
    assert message in error.message
    assert hint in error.hint
    assert not error.maybe_executed
    assert not error.retryable
    assert len(server.requests) == 1


@pytest.mark.row("S-17")
@pytest.mark.parametrize("code", ["ENDPOINT_NOT_FOUND", "RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"])
def test_an_endpoint_that_is_not_there_is_named(house, code):
    answer = reply({"error_code": code, "message": "The given endpoint does not exist"}, 404)
    server, client = house.serve(answer, on_clock=True)
    error = house.fails(client, NotFoundError, "'m'")
    assert error.error_code == code
    assert "name of the endpoint" in error.hint
    assert not error.maybe_executed
    assert len(server.requests) == 1


@pytest.mark.row("S-17")
def test_a_page_that_is_not_there_asks_for_the_host(house):
    answer = bare(b"<html><h1>Not here</h1></html>", 404, "Content-Type: text/html")
    server, client = house.serve(answer, on_clock=True)
    error = house.fails(client, NotFoundError, "Not here")
    assert "workspace" in error.hint
    assert "127.0.0.1" in error.hint
    assert len(server.requests) == 1


@pytest.mark.row("S-18")
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, APIStatusError),
        (409, ConflictError),
        (425, APIStatusError),
        (529, InternalServerError),
    ],
)
def test_a_rejected_call_is_made_again(house, status, kind):
    server, client = house.serve(*[reply(None, status)] * 2, on_clock=True)
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 3
    server, client = house.serve(*[reply(None, status)] * 3, on_clock=True)
    error = house.fails(client, kind)
    assert not error.maybe_executed
    assert error.retryable
    assert error.attempts == 3


@pytest.mark.row("S-19")
def test_a_request_that_is_too_large_is_told_its_size_and_the_limit(house):
    server, client = house.serve(reply(None, 413), on_clock=True)
    large = [{"role": "user", "content": "x" * 5 * 1024 * 1024}]
    error = house.fails(client, PayloadTooLargeError, messages=large)
    assert "has 5 MiB" in error.hint
    assert "16 MiB" in error.hint
    assert "4 MiB" in error.hint
    assert not error.maybe_executed
    assert len(server.requests) == 1


@pytest.mark.row("S-19")
def test_a_request_over_the_documented_size_is_not_sent(house):
    server, client = house.serve()
    large = [{"role": "user", "content": "x" * 17 * 1024 * 1024}]
    error = house.fails(client, InvalidRequestError, r"Limits\(request_bytes", messages=large)
    assert not error.maybe_executed
    assert server.connections == 0


@pytest.mark.row("S-20")
@pytest.mark.parametrize(
    ("body", "kind", "requests"),
    [
        ({"error_code": "BAD_REQUEST", "message": "no"}, BadRequestError, 1),
        ({"error_code": "429", "message": "no"}, RateLimitError, 3),
        ({"error": {"code": 503, "message": "no"}}, InternalServerError, 3),
        ({"error_code": "INTERNAL_ERROR", "message": "no"}, ServingError, 2),
    ],
    ids=["bad request", "limit", "unavailable", "internal"],
)
def test_an_error_with_status_200_is_an_error(house, body, kind, requests):
    server, client = house.serve(*[reply(body)] * 3, on_clock=True)
    with pytest.raises(kind, match="no") as caught:
        house.call(client)
    house.show(caught.value)
    assert isinstance(caught.value, APIStatusError)
    assert len(server.requests) == requests


@pytest.mark.row("S-21")
@pytest.mark.parametrize("status", [204, 206, 304])
def test_a_success_without_an_answer_is_none(house, status):
    answer = b"HTTP/1.1 %d Odd\r\n\r\n" % status if status != 206 else bare(b"", 206)
    server, client = house.serve(answer, answer, on_clock=True)
    kind = APIStatusError if status == 304 else InvalidResponseError
    error = house.fails(client, kind, str(status))
    assert len(server.requests) == (1 if status == 304 else 2)
    assert error.status_code == status


@pytest.mark.row("S-21")
def test_an_empty_answer_is_asked_for_once_more(house):
    server, client = house.serve(bare(b""), bare(b""), on_clock=True)
    error = house.fails(client, InvalidResponseError, "empty")
    assert error.garbled
    assert error.maybe_executed
    assert error.attempts == len(server.requests) == 2
    server, client = house.serve(bare(b""), on_clock=True)
    assert house.call(client).text == "Hi"


@pytest.mark.row("S-22")
@pytest.mark.parametrize(
    ("status", "kind", "requests"),
    [
        (418, APIStatusError, 1),
        (402, APIStatusError, 1),
        (422, UnprocessableEntityError, 1),
        (501, InternalServerError, 1),
        (599, InternalServerError, 2),
    ],
)
def test_an_unknown_status_goes_by_its_class(house, status, kind, requests):
    server, client = house.serve(*[reply(None, status)] * 3, on_clock=True)
    error = house.fails(client, kind, str(status))
    assert error.status_code == status
    assert len(server.requests) == requests


@pytest.mark.row("S-25")
@pytest.mark.parametrize("name", ["x-request-id", "X-Databricks-Request-Id"])
def test_the_id_of_a_request_is_shown_and_cut(house, name):
    _, client = house.serve(reply(None, 400, f"{name}: {'r' * 10_000}"), on_clock=True)
    error = house.fails(client, BadRequestError)
    assert error.request_id.startswith("r" * 128)
    assert "r" * 128 in str(error)
    assert "r" * 129 not in str(error)


@pytest.mark.row("S-25")
def test_a_request_without_an_id_says_nothing_of_it(house):
    server, client = house.serve(reply(None, 400), on_clock=True)
    error = house.fails(client, BadRequestError)
    assert error.request_id is None
    assert "request id" not in str(error)
    assert error.idempotency_key == headers_of(server.requests[0])["idempotency-key"]


@pytest.mark.row("S-18")
@pytest.mark.parametrize(
    ("status", "word", "requests"), [(503, "false", 1), (409, "true", 3), (400, "true", 2)]
)
def test_a_server_may_force_or_forbid_another_try(house, status, word, requests):
    answers = [reply(None, status, f"x-should-retry: {word}")] * 3
    server, client = house.serve(*answers, on_clock=True)
    with pytest.raises(APIStatusError):
        house.call(client)
    assert len(server.requests) == requests


@pytest.mark.row("S-09")
def test_the_errors_of_a_mixed_call_are_listed(house):
    _, client = house.serve(
        reply(SICK, 503, "x-request-id: r-1"), limited(), reply(wire.chat("Hi"), 400), on_clock=True
    )
    error = house.fails(client, BadRequestError)
    assert [attempt.cause for attempt in error.history] == [
        "InternalServerError 503",
        "RateLimitError 429",
        "BadRequestError 400",
    ]
    assert error.history[0].request_id == "r-1"
