"""Tokens of the people who use a Databricks App."""

from collections import UserDict

import httpx
import pytest
import wire
from sources import CANARY, Workspace

from databricks_serving.auth import AccessToken, forwarded_token
from databricks_serving.errors import AuthenticationError, ConfigError

pytestmark = pytest.mark.usefixtures("bare_machine")
NAME = "x-forwarded-access-token"


@pytest.mark.parametrize(
    "headers",
    [
        {NAME: CANARY},
        {"Host": "h", "X-Forwarded-Access-Token": f" {CANARY} "},
        UserDict({NAME.upper(): CANARY}),
        httpx.Headers({NAME: CANARY}),
    ],
    ids=lambda headers: f"{type(headers).__name__} {len(headers)}",
)
def test_the_token_is_found_in_any_headers(headers):
    source = forwarded_token(headers)
    assert isinstance(source, AccessToken)
    assert source._token.reveal() == CANARY
    assert CANARY not in repr(source)


@pytest.mark.parametrize("headers", [{}, {"authorization": f"Bearer {CANARY}"}])
def test_a_request_without_one_is_refused(headers):
    with pytest.raises(ConfigError, match=f"no header {NAME}: only Databricks Apps") as caught:
        forwarded_token(headers)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("value", ["", " ", f"Bearer {CANARY}", f"{CANARY}\n", 7, None, [CANARY]])
def test_a_header_that_holds_no_token_is_refused(value):
    with pytest.raises(ConfigError, match="token") as caught:
        forwarded_token({NAME: value})
    assert CANARY not in str(caught.value)


def call(shell, client):
    return shell.wait(client.chat.completions.create(model="m", messages=wire.USER))


def test_each_person_calls_as_themselves_over_one_clients_connections(shell):
    transport = Workspace()
    client = shell.client_class(wire.HOST, "app-token", transport=transport)
    for person in ("anna-token", "ben-token"):
        call(shell, client.with_options(auth=forwarded_token({NAME: person})))
    call(shell, client)
    sent = [request.headers["authorization"] for request in transport.requests]
    assert sent == ["Bearer anna-token", "Bearer ben-token", "Bearer app-token"]


def test_a_token_that_a_workspace_refuses_is_not_tried_again(shell):
    client = shell.client(httpx.Response(401, json={"message": f"no {CANARY}"}))
    with pytest.raises(AuthenticationError) as caught:
        call(shell, client.with_options(auth=forwarded_token({NAME: CANARY})))
    assert len(shell.transport.requests) == 1
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("headers", [None, 7, ["x"], [("a", "b", "c")]])
def test_what_is_no_headers_is_refused(headers):
    with pytest.raises(ConfigError, match="headers must be a mapping or pairs"):
        forwarded_token(headers)


def test_headers_of_asgi_are_pairs_of_bytes():
    headers = [(b"host", b"a"), (b"X-Forwarded-Access-Token", b"of-the-user")]
    assert isinstance(forwarded_token(headers), AccessToken)
