"""Whole replies and error statuses, as a caller meets them."""

import json
import pickle

import httpx
import pytest
import wire

from databricks_serving import RawResponse
from databricks_serving._core.statuses import error_class
from databricks_serving.errors import (
    APIStatusError,
    BadRequestError,
    InternalServerError,
    InvalidRequestError,
    InvalidResponseError,
    PermissionDeniedError,
    RateLimitError,
)
from databricks_serving.models import ChatCompletion, Completion, EmbeddingResponse

SERVED = {"x-request-id": "r-1", "served-model-name": "llama-1"}


def chat(shell, response, **options):
    client = shell.client(response, **options)
    return shell.wait(client.chat.completions.create(model="m", messages=wire.USER))


def raw(shell, response):
    create = shell.client(response).chat.completions.with_raw_response.create
    return shell.wait(create(model="m", messages=wire.USER))


def failure(shell, response, kind=APIStatusError, **options):
    with pytest.raises(kind) as caught:
        chat(shell, response, max_retries=0, **options)
    return caught.value


def test_each_task_has_its_reply(shell):
    client = shell.client(wire.json_reply(wire.chat("Hi")))
    reply = shell.wait(client.chat.completions.create(model="m", messages=wire.USER))
    assert type(reply) is ChatCompletion
    assert reply.text == "Hi"
    client = shell.client(wire.json_reply(wire.completion(" wet")))
    reply = shell.wait(client.completions.create(model="m", prompt="Rain"))
    assert type(reply) is Completion
    assert reply.text == " wet"
    client = shell.client(wire.json_reply(wire.embeddings([0.5], "AACAPw==")))
    reply = shell.wait(client.embeddings.create(model="m", input=["a", "b"]))
    assert type(reply) is EmbeddingResponse
    assert reply.vectors == [[0.5], [1.0]]


def test_a_reply_knows_its_response(shell):
    reply = chat(shell, wire.json_reply(wire.chat(), **SERVED))
    assert (reply.request_id, reply.served_model_name) == ("r-1", "llama-1")
    assert reply.meta.status_code == 200
    assert reply.meta.headers["x-request-id"] == "r-1"
    assert chat(shell, wire.json_reply(wire.chat())).request_id is None


def test_a_reply_can_be_stored_and_compared(shell):
    reply = chat(shell, wire.json_reply(wire.chat("Hi"), **SERVED))
    again = pickle.loads(pickle.dumps(reply))  # noqa: S301 - our own
    assert again == reply
    assert again.request_id == "r-1"
    assert ChatCompletion.from_dict(reply.to_dict()) == reply


def test_a_reply_keeps_what_a_server_sends(shell):
    body = wire.chat("Hi", mood="calm") | {"usage": None, "news": [1, {"a": None}]}
    assert chat(shell, wire.json_reply(body)).to_dict() == body


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b"", "application/json", "0 bytes: the body is empty"),
        (b" \n", "application/json", "the body is empty"),
        (b"<html>Sign in</html>", "text/html; charset=utf-8", "a web page came"),
        (b"Sign in", "text/html", "a web page came"),
        (b" <!doctype html>", "application/json", "a web page came"),
        (b"{'a': 1}", "application/json", "the body is not JSON"),
        (b"{} trailing", "application/json", "the body is not JSON"),
        (b"[" * 100_000, "application/json", "nested deeper than 254"),
        (b"[]", "application/json", "a JSON list, not an object"),
        (b"null", "application/json", "a JSON NoneType, not an object"),
        (b"7", None, "a JSON int, not an object"),
        (b"{}", "application/json", "choices is not a list"),
        (b'{"choices": [7]}', "application/json", "choices[0] is not an object"),
        ('{"choices": []}'.encode("utf-16"), "application/json", "the body is not JSON"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_reply_that_is_none_is_invalid(shell, body, kind, reason):
    headers = {"x-request-id": "r-1"} | ({"content-type": kind} if kind else {})
    response = httpx.Response(200, headers=headers, stream=wire.Body(body))
    error = failure(shell, response, InvalidResponseError)
    assert reason in str(error)
    assert str(error).startswith(f"status 200, {(kind or 'no content type').partition(';')[0]}, ")
    assert error.content_type == (kind and kind.partition(";")[0])
    assert (error.status_code, error.request_id, error.endpoint) == (200, "r-1", "m")
    assert error.maybe_executed
    assert not error.retryable
    assert len(str(error)) < 300


@pytest.mark.parametrize("status", [201, 204, 206])
def test_any_success_status_needs_a_body(shell, status):
    error = failure(shell, httpx.Response(status), InvalidResponseError)
    assert error.status_code == status


def test_json_with_a_byte_order_mark_or_an_odd_content_type_is_read(shell):
    data = b"\xef\xbb\xbf" + json.dumps(wire.chat("Hi")).encode()
    response = httpx.Response(200, headers={"content-type": "text/plain"}, content=data)
    assert chat(shell, response).text == "Hi"


@pytest.mark.parametrize("status", [*range(400, 432), 451, 499, 500, 502, 503, 504, 529, 599])
def test_an_error_status_has_its_class_and_its_facts(shell, status):
    body = {"error_code": "X", "message": "X: no luck"}
    error = failure(shell, wire.json_reply(body, status=status, x_request_id="r-1"))
    assert type(error) is error_class(status)
    assert (error.status_code, error.error_code, error.message) == (status, "X", "no luck")
    assert error.body == body
    assert error.headers["x-request-id"] == error.request_id == "r-1"
    hint = f"; hint: {error.hint}" if error.hint else ""
    assert str(error) == f"{status} X from endpoint 'm': no luck (request id r-1){hint}"
    assert bool(hint) is (status in {401, 403, 404, 413})
    assert (error.endpoint, error.attempts) == ("m", 1)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_not_followed(shell, status):
    response = httpx.Response(status, headers={"location": "https://evil.example/?secret=1"})
    error = failure(shell, response)
    assert type(error) is APIStatusError
    assert "redirects are not followed" in str(error)
    assert "secret" not in str(error)
    assert not error.maybe_executed
    assert len(shell.transport.requests) == 1


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ({"error_code": "X", "message": "no"}, APIStatusError, 200),
        ({"error_code": 429, "message": "no"}, RateLimitError, 429),
        ({"error": {"message": "no", "code": 503}}, InternalServerError, 503),
        ({"error": "no"}, APIStatusError, 200),
    ],
)
def test_an_error_at_200_is_an_error(shell, body, kind, status):
    error = failure(shell, wire.json_reply(body, x_request_id="r-1"))
    assert type(error) is kind
    assert (error.status_code, error.message, error.request_id) == (status, "no", "r-1")
    assert error.maybe_executed is (status == 200)


def test_a_server_that_echoes_the_token_does_not_put_it_into_the_error(shell):
    echo = {"error_code": wire.TOKEN, "message": f"bad token {wire.TOKEN}", "token": wire.TOKEN}
    for response in (
        wire.json_reply(echo, status=403),
        httpx.Response(403, text=f"Invalid token: {wire.TOKEN}"),
    ):
        error = failure(shell, response, PermissionDeniedError)
        assert "***" in error.message
        assert wire.TOKEN not in f"{error} {error!r} {error.body} {vars(error)}"
        assert wire.TOKEN.encode() not in pickle.dumps(error)


def test_a_long_or_binary_error_body_is_shortened(shell):
    error = failure(shell, httpx.Response(400, content=b"\xff\x00" * 100_000), BadRequestError)
    assert len(str(error)) < 700


def test_the_waiting_time_of_a_server_is_on_the_error(shell):
    error = failure(shell, wire.json_reply({}, status=429, retry_after="7"), RateLimitError)
    assert error.retry_after == 7.0
    assert failure(shell, wire.json_reply({}, status=429)).retry_after is None


def test_a_raw_response_shows_all_of_the_response(shell):
    body = wire.chat("Hi")
    response = raw(shell, wire.json_reply(body, x_request_id="r-1", X_Extra="a"))
    assert type(response) is RawResponse
    assert response.status_code == 200
    assert response.request_id == "r-1"
    assert response.headers["x-extra"] == "a"
    assert json.loads(response.content) == body
    assert response.json() == body
    assert response.parse().text == "Hi"
    assert response.parse().request_id == "r-1"
    assert response.parse() == response.parse()


def test_raw_responses_of_every_task(shell):
    for reach, subject, body in (
        (lambda c: c.completions, {"prompt": "a"}, wire.completion("b")),
        (lambda c: c.embeddings, {"input": "a"}, wire.embeddings([1.0])),
    ):
        client = shell.client(wire.json_reply(body))
        response = shell.wait(reach(client).with_raw_response.create(model="m", **subject))
        assert response.parse().to_dict() == body


def test_a_raw_response_raises_when_it_is_read(shell):
    with pytest.raises(APIStatusError, match="no"):
        raw(shell, wire.json_reply({"message": "no"}, status=418))
    response = raw(shell, wire.json_reply({"error": "no"}))
    for read in (response.json, response.parse):
        with pytest.raises(APIStatusError, match="no"):
            read()
    response = raw(shell, httpx.Response(200, text="<html>"))
    assert response.content == b"<html>"
    for read in (response.json, response.parse):
        with pytest.raises(InvalidResponseError, match="web page"):
            read()
    with pytest.raises(InvalidResponseError, match="choices is not a list"):
        raw(shell, wire.json_reply({"a": 1})).parse()


def test_a_raw_response_has_a_short_repr(shell):
    response = raw(shell, wire.json_reply(wire.chat("secret"), x_request_id="r-1"))
    assert repr(response) == "RawResponse(status_code=200, request_id='r-1')"


def test_every_response_is_let_go_of(shell):
    for status in (200, 400, 302):
        body = wire.Body(json.dumps(wire.chat()).encode())
        response = httpx.Response(status, stream=body)
        if status == 200:
            chat(shell, response)
        else:
            failure(shell, response)
        assert body.closed == 1


@pytest.mark.parametrize(
    ("call", "given", "said"),
    [
        (lambda c: c.chat.completions.create, {"input": "a"}, "the conversation is messages="),
        (lambda c: c.chat.completions.create, {"prompt": "a"}, "the conversation is messages="),
        (lambda c: c.agents.create, {"input": "a"}, "the conversation is messages="),
        (lambda c: c.completions.create, {"messages": ["a"]}, "the text is prompt="),
        (lambda c: c.responses.create, {"messages": ["a"]}, "what is asked or embedded is input="),
        (lambda c: c.embeddings.create, {"texts": ["a"]}, "what is asked or embedded is input="),
        (lambda c: c.embeddings.embed_query, {"input": "a"}, "the text comes first"),
        (lambda c: c.embeddings.embed_documents, {"input": ["a"]}, "the texts come first"),
    ],
)
def test_what_a_call_is_about_is_named_where_another_task_names_it_otherwise(
    shell, call, given, said
):
    with pytest.raises(InvalidRequestError) as caught:
        shell.wait(call(shell.client())(model="m", **given))
    (name,) = given
    assert str(caught.value) == f"unknown parameter {name!r}: {said}"
