"""What the package logs, and what it never does."""

import logging

import pytest
import wire

from databricks_serving._core.logs import log_body
from databricks_serving._core.secret import Secret
from databricks_serving.errors import InternalServerError, NotFoundError

SECRET = "hush-0123456789"


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.DEBUG)
    return lambda: [r.getMessage() for r in caplog.records if r.name == "databricks_serving"]


def call(shell, client, **arguments):
    arguments = {"model": "rivers", "messages": wire.USER} | arguments
    return shell.wait(client.chat.completions.create(**arguments))


def test_each_try_is_one_line_without_headers_and_bodies(shell, lines):
    answers = iter([wire.json_reply({"message": "busy"}, 503, x_request_id="r-1"), None])

    def answer(_):
        shell.clock.advance(0.25)
        return next(answers) or wire.json_reply(wire.chat(), x_request_id="r-2")

    client = shell.client(answer, default_headers={"x-key": SECRET})
    call(shell, client, extra_query={"key": SECRET})
    path = "POST /serving-endpoints/rivers/invocations"
    assert lines() == [
        f"{path}: InternalServerError 503, try 1, 250 ms, request id r-1; trying again in 0.00 s",
        f"{path}: 200, try 2, 250 ms, request id r-2",
    ]


def test_an_error_and_a_stream_are_logged_alike(shell, lines):
    with pytest.raises(NotFoundError):
        call(shell, shell.client(wire.json_reply({}, status=404)))
    shell.items(call(shell, shell.client(wire.stream(wire.chunk("a", "stop"))), stream=True))
    assert [line.split(": ")[1].split(",")[0] for line in lines()] == ["NotFoundError 404", "200"]


def test_a_long_request_id_is_shortened(shell, lines):
    call(shell, shell.client(wire.json_reply(wire.chat(), x_request_id="r" * 10_000)))
    assert len(lines()[0]) < 250


def test_bodies_are_logged_only_where_asked_for_and_without_the_token(shell, lines):
    reply = wire.json_reply(wire.chat(f"Your token is {wire.TOKEN}."))
    call(shell, shell.client(reply))
    assert not any("Po" in line or "body" in line for line in lines())
    call(shell, shell.client(reply, log_bodies=True))
    request, response = [line for line in lines() if " body: " in line]
    assert request.startswith("request body: ")
    assert wire.USER[0]["content"] in request
    assert "Your token is ***." in response


@pytest.mark.parametrize("place", range(4096 - len(wire.TOKEN), 4097))
def test_a_token_that_reaches_over_the_end_of_what_is_logged_is_masked(caplog, place):
    caplog.set_level(logging.DEBUG)
    log_body("response", b"x" * place + wire.TOKEN.encode() + b"y" * 5000, [Secret(wire.TOKEN)])
    assert wire.TOKEN[:4] not in caplog.text
    assert len(caplog.text) < 5000


def test_a_long_body_is_shortened(shell, lines):
    client = shell.client(wire.json_reply(wire.chat("x" * 100_000)), log_bodies=True)
    call(shell, client)
    assert max(map(len, lines())) < 5000


def test_at_level_info_there_are_retries_alone_and_above_it_nothing(shell, caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(InternalServerError):
        call(shell, shell.client(wire.json_reply({}, status=503), log_bodies=True, rand=1.0))
    assert [(r.levelname, r.getMessage().partition("; ")[2]) for r in caplog.records] == [
        ("INFO", "trying again in 0.50 s"),
        ("INFO", "trying again in 1.00 s"),
    ]
