"""The token service of the local workspace."""

import base64
import threading
import time
from contextlib import suppress
from urllib.parse import urlencode

import pytest

from databricks_serving.auth import OAuthClientCredentials
from databricks_serving.errors import PermissionDeniedError, TokenError
from databricks_serving.local import LocalEndpoint, TokenService
from databricks_serving.local.command import _banner

HELLO = {"messages": [{"role": "user", "content": "Hello"}]}
DISCOVERY = "/oidc/.well-known/oauth-authorization-server"
TOKENS = "/oidc/v1/token"
GRANT = {"grant_type": "client_credentials", "scope": "all-apis"}
EXCHANGE = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def local():
    with LocalEndpoint() as local:
        yield local


@pytest.fixture
def call(local, caller):
    return caller(local)


def basic(client_id, secret):
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def ask(call, local, form=GRANT, *, authorization="", **headers):
    """Ask for a token as the service principal, unless told otherwise."""
    own = basic(local.oauth.client_id, local.oauth.client_secret)
    body = form if isinstance(form, bytes) else urlencode(form).encode()
    sent = {"Content-Type": FORM, "Authorization": own if authorization == "" else authorization}
    return call("", body, path=TOKENS, headers={**sent, **headers})


def token_of(call, local):
    return ask(call, local).json["access_token"]


def chat(call, token):
    return call("local-chat", HELLO, headers={"Authorization": f"Bearer {token}"})


def test_the_token_address_is_named(call, local):
    answer = call("", b"", path=DISCOVERY, method="GET", headers={"Authorization": None})
    assert answer.status == 200
    assert answer.json["token_endpoint"] == f"{local.host}{TOKENS}"
    assert answer.json["issuer"] == f"{local.host}/oidc"
    assert GRANT["grant_type"] in answer.json["grant_types_supported"]


def test_the_workspace_says_where_the_token_service_is(call, local):
    path = "/.well-known/databricks-config"
    answer = call("", b"", path=path, method="GET", headers={"Authorization": None})
    assert answer.status == 200
    assert answer.json["oidc_endpoint"] + "/.well-known/oauth-authorization-server" == (
        f"{local.host}{DISCOVERY}"
    )
    assert answer.json["workspace_id"].isdecimal()


def test_a_token_is_given_for_a_token_that_is_good(call, local):
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
    given = token_of(call, local)
    details = {"authorization_details": "[]", "assertion": given}
    answer = ask(call, local, {**grant, **details}, authorization=None)
    assert answer.json["access_token"] != given
    assert chat(call, answer.json["access_token"]).status == 200
    local.oauth.revoke_all()
    for assertion in ("", "a.b.c", given):
        refused = ask(call, local, {**grant, "assertion": assertion}, authorization=None)
        assert (refused.status, refused.json["error"]) == (400, "invalid_grant")


def test_a_service_principal_gets_a_token_that_is_accepted(call, local):
    answer = ask(call, local)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    given = answer.json
    token = given.pop("access_token")
    assert given == {"token_type": "Bearer", "expires_in": 3600, "scope": "all-apis"}
    assert chat(call, token).status == 200
    assert chat(call, local.token).status == 200
    assert token_of(call, local) != token


def test_a_subject_token_is_exchanged_whatever_it_holds(call, local):
    answer = ask(call, local, {**EXCHANGE, "subject_token": "a.b.c"}, authorization=None)
    assert chat(call, answer.json["access_token"]).status == 200
    for form in (EXCHANGE, {**EXCHANGE, "subject_token": " "}):
        refused = ask(call, local, form, authorization=None)
        assert (refused.status, refused.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Bearer some-token",
        basic("somebody", "else"),
        basic("", ""),
    ],
)
def test_a_stranger_is_an_invalid_client(call, local, authorization):
    refused = ask(call, local, authorization=authorization)
    assert refused.status == 401
    assert refused.json == {
        "error": "invalid_client",
        "error_description": "Client authentication failed.",
    }
    assert refused.headers["www-authenticate"].startswith("Basic")


def test_right_secret_and_wrong_id_or_the_reverse_is_an_invalid_client(call, local):
    oauth = local.oauth
    for pair in [("other", oauth.client_secret), (oauth.client_id, "other")]:
        assert ask(call, local, authorization=basic(*pair)).status == 401


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"scope": "all-apis"}, "invalid_request"),
        ({}, "invalid_request"),
        (b"grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=\xe4".encode(), "invalid_request"),
        (b"&".join(b"a%d=1" % n for n in range(200)), "invalid_request"),
    ],
    ids=["password", "empty", "none", "no form", "twice", "bytes", "many"],
)
def test_a_wrong_request_is_refused_with_its_name(call, local, form, error):
    refused = ask(call, local, form)
    assert (refused.status, refused.json["error"]) == (400, error)
    assert refused.json["error_description"]


def test_a_form_is_told_by_its_content_type(call, local):
    refused = ask(call, local, **{"Content-Type": "application/json"})
    assert (refused.status, refused.json["error"]) == (400, "invalid_request")
    assert ask(call, local, **{"Content-Type": f"{FORM}; charset=utf-8"}).status == 200


def test_other_methods_are_not_allowed(call):
    for path, method, allowed in [(TOKENS, "GET", "POST"), (DISCOVERY, "POST", "GET")]:
        refused = call("", b"", path=path, method=method)
        assert (refused.status, refused.headers["allow"]) == (405, allowed)


def test_a_page_in_a_browser_gets_no_token(call, local):
    refused = ask(call, local, Host="evil.example.com")
    assert refused.status == 403
    assert local.oauth.requests == 0


def test_tokens_end_with_their_life(call, local):
    now = [50.0]
    local.oauth._clock = lambda: now[0]
    local.oauth.token_life = 10.5
    answer = ask(call, local)
    assert answer.json["expires_in"] == 10.5
    token = answer.json["access_token"]
    now[0] = 60.4
    assert chat(call, token).status == 200
    now[0] = 60.5
    refused = chat(call, token)
    assert refused.status == 403
    assert refused.json == {"error_code": 403, "message": "Invalid Token"}
    token_of(call, local)
    assert list(local.oauth._ends) != [token]
    assert len(local.oauth._ends) == 1


def test_all_tokens_are_taken_back(call, local):
    tokens = [token_of(call, local) for _ in range(3)]
    local.oauth.revoke_all()
    assert {chat(call, token).status for token in tokens} == {403}
    assert chat(call, token_of(call, local)).status == 200
    assert chat(call, local.token).status == 200


def test_a_secret_is_rotated(call, local):
    old, token = local.oauth.client_secret, token_of(call, local)
    new = local.oauth.rotate_secret()
    assert new == local.oauth.client_secret != old
    assert ask(call, local, authorization=basic(local.oauth.client_id, old)).status == 401
    assert ask(call, local).status == 200
    assert chat(call, token).status == 200


def test_it_fails_as_often_as_it_is_told(call, local):
    local.oauth.fail_next(2, status=503)
    assert [ask(call, local).status for _ in range(3)] == [503, 503, 200]
    local.oauth.fail_next(status=429)
    failed = ask(call, local)
    assert (failed.status, failed.json["error"]) == (429, "temporarily_unavailable")
    assert local.oauth.requests == 4


def test_a_delay_comes_before_the_answer_and_ends_with_the_endpoint(caller):
    before = threading.active_count()
    with LocalEndpoint() as local:
        local.oauth.delay = 0.05
        begin = time.monotonic()
        assert ask(caller(local), local).status == 200
        assert time.monotonic() - begin >= 0.05
        local.oauth.delay = 60
        asking = threading.Thread(target=lambda: _ignore(ask, caller(local), local))
        asking.start()
        while local.oauth.requests < 2:
            time.sleep(0.001)
    asking.join(1)
    assert threading.active_count() <= before


def _ignore(function, *arguments):
    with suppress(OSError):
        function(*arguments)


def test_it_can_be_started_again(caller):
    local = LocalEndpoint(client_id="me", client_secret="my-secret")
    for _ in range(2):
        with local:
            local.oauth.delay = 0.01
            assert ask(caller(local), local).status == 200


@pytest.mark.parametrize(
    "given",
    [
        {"client_id": ""},
        {"client_id": "a:b"},
        {"client_id": "a b"},
        {"client_secret": ""},
        {"client_secret": "line\nbreak"},
        {"client_secret": "caf\xe9"},
    ],
)
def test_an_id_or_secret_that_cannot_be_sent_is_refused(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        LocalEndpoint(**given)


def test_id_and_secret_are_made_up_each_time_and_the_secret_is_hidden():
    first, second = TokenService(), TokenService()
    assert first.client_id != second.client_id
    assert first.client_secret != second.client_secret
    assert first.client_secret not in repr(first)


def logged_in(shell, local):
    """Make a client that logs in as the service principal, and a call of it."""
    login = OAuthClientCredentials(local.oauth.client_id, local.oauth.client_secret)
    client = shell.client_class(local.host, auth=login)

    def ask():
        return shell.wait(client.chat.completions.create(model="local-chat", **HELLO)).text

    return client, ask


def test_both_clients_log_in_and_go_on_after_all_tokens_are_taken_back(shell, local):
    client, ask = logged_in(shell, local)
    assert [ask() for _ in range(3)] == ["You said: Hello"] * 3
    assert local.oauth.requests == 1
    local.oauth.revoke_all()
    assert ask() == "You said: Hello"
    assert local.oauth.requests == 2
    shell.wait(client.close())


def test_both_clients_tell_that_a_secret_was_rotated(shell, local):
    client, ask = logged_in(shell, local)
    assert ask()
    old = local.oauth.client_secret
    local.oauth.rotate_secret()
    local.oauth.revoke_all()
    with pytest.raises(TokenError, match="invalid_client") as caught:
        ask()
    assert old not in str(caught.value)
    shell.wait(client.close())


def test_both_clients_see_that_an_old_token_is_refused(shell, local, call):
    token = token_of(call, local)
    local.oauth.revoke_all()
    client = shell.client_class(local.host, token)
    with pytest.raises(PermissionDeniedError, match="Invalid Token"):
        shell.wait(client.chat.completions.create(model="local-chat", **HELLO))
    shell.wait(client.close())


def test_the_command_prints_id_and_secret(local):
    lines = _banner(local).splitlines()
    assert f"# export DATABRICKS_CLIENT_ID={local.oauth.client_id}" in lines
    assert f"# export DATABRICKS_CLIENT_SECRET={local.oauth.client_secret}" in lines
