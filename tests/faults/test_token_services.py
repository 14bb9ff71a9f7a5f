"""Token services that are down, lie, or send elsewhere."""

import json
import logging
import time

import pytest
from raw_server import reset, response, silence

from databricks_serving.errors import APITimeoutError, TokenError

from .support.answers import bare, reply
from .support.canary import TOKEN
from .support.leaks import gone
from .support.oauth import TOKENS, Site, keeper_of

HOUR = 3600.0
PAGE = bare(b"<html><title>Sign in</title></html>", 200, "Content-Type: text/html")
SICK = reply({"error": "temporarily_unavailable"}, 503)


@pytest.fixture
def site(house):
    return Site(house)


@pytest.mark.row("K-01")
@pytest.mark.parametrize(
    ("answer", "status"),
    [(reset, None), (SICK, 503), (bare(b"<html>Bad gateway</html>", 502), 502)],
    ids=["down", "503", "502"],
)
def test_a_token_service_that_is_down_is_asked_three_times_and_named(house, site, answer, status):
    client = site.client(on_clock=True, rand=1.0)
    site.tokens = [answer] * 4
    error = house.fails(client, TokenError, f"oauth-m2m: no token from {site.server.host}")
    assert error.source == "oauth-m2m"
    assert error.status_code == status
    assert error.transient
    assert not error.maybe_executed
    # A connection that turns out to be dead is replaced for free.
    assert len(site.asked) == (4 if answer is reset else 3)
    assert 0 < house.waited <= 30
    assert site.called == []
    site.tokens = []


@pytest.mark.row("K-01")
def test_a_token_service_that_recovers_in_between_is_not_noticed(house, site):
    client = site.client(on_clock=True)
    site.tokens = [SICK, reply({"error": "slow_down"}, 429)]
    house.call(client)
    assert len(site.asked) == 3
    assert site.used() == ["1"]


@pytest.mark.row("K-01")
def test_a_slow_token_service_takes_no_longer_than_the_call_may(house, site):
    client = site.client(healthy=False, deadline=0.3)
    site.tokens = [silence] * 9
    begun = time.monotonic()
    with pytest.raises((TokenError, APITimeoutError)) as caught:
        house.call(client)
    house.show(caught.value)
    assert time.monotonic() - begun < 2
    assert site.called == []


@pytest.mark.row("K-01")
def test_a_page_instead_of_a_token_is_told_as_such(house, site):
    client = site.client(on_clock=True)
    site.tokens = [PAGE]
    error = house.fails(client, TokenError, "no JSON, perhaps a web page")
    assert error.status_code == 200
    assert not error.transient
    assert len(site.asked) == 1


@pytest.mark.row("K-01")
@pytest.mark.parametrize("answer", [SICK, reset, PAGE], ids=["503", "down", "page"])
def test_a_token_that_is_good_is_used_on_while_it_cannot_be_renewed(house, site, answer, caplog):
    caplog.set_level(logging.WARNING, "databricks_serving")
    client = site.client(on_clock=True)
    house.call(client)
    house.clock.advance(HOUR - 1100)
    site.tokens = [answer] * 4
    for _ in range(20):
        house.call(client)
        assert gone(lambda: keeper_of(client)._flights._flight, house._turn, 10) is None
    assert set(site.used()) == {"1"}
    warnings = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert [
        one.getMessage() for one in warnings if "could not be renewed" not in str(one.msg)
    ] == []
    assert len(warnings) == 1
    site.tokens = []
    house.clock.advance(61)
    house.call(client)
    assert gone(lambda: keeper_of(client)._flights._flight, house._turn, 10) is None
    house.call(client)
    assert site.used()[-1] == "2"


@pytest.mark.row("K-02")
@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"error": "invalid_client", "error_description": "no such app"},
            "invalid_client: no such",
        ),
        ({"errorCode": "invalid_client", "errorSummary": "no such app"}, "invalid_client: no such"),
        ({}, ""),
    ],
    ids=["OAuth", "account", "nothing"],
)
def test_a_secret_that_is_refused_is_not_sent_again(house, site, status, body, told):
    client = site.client(on_clock=True)
    site.tokens = [reply(body, status)]
    error = house.fails(client, TokenError, f"refused: {status} ?{told}")
    assert error.status_code == status
    assert not error.transient
    assert not error.retryable
    assert not error.maybe_executed
    assert len(site.asked) == 1
    assert site.called == []
    assert house.waited == 0


@pytest.mark.row("K-04")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token_type": "mac"}, "no Bearer token"),
        ({"token_type": 7}, "no Bearer token"),
        ({"access_token": f"{TOKEN}\n"}, "line break"),
        ({"access_token": f"{TOKEN}\r\nX-Evil: 1"}, "line break"),
        ({"access_token": f"Bearer {TOKEN}"}, "without 'Bearer'"),
        ({"access_token": f"{TOKEN}\u2019"}, "character that no token has"),
        ({"access_token": TOKEN * 10_000}, "longer"),
        ({"access_token": ""}, "empty"),
        ({"access_token": None}, "without access_token"),
        ({"access_token": [TOKEN]}, "without access_token"),
        ({"access_token": ...}, "without access_token"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value)[-20:],
)
def test_what_is_no_bearer_token_is_not_sent(house, site, changes, reason):
    client = site.client(on_clock=True)
    site.tokens = [site.good(**changes)]
    error = house.fails(client, TokenError, reason)
    assert error.source == "oauth-m2m"
    assert len(site.asked) == 1
    assert site.called == []


@pytest.mark.row("K-04")
@pytest.mark.parametrize("kind", ["bearer", "BEARER", ...], ids=["lower", "upper", "none"])
def test_bearer_is_written_in_any_way(house, site, kind):
    client = site.client()
    site.tokens = [site.good(token_type=kind)]
    assert house.call(client).text == "Hi"


@pytest.mark.row("K-04")
@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'"token"', b"\xff\xfe"],
    ids=["empty", "list", "cut", "text", "bytes"],
)
def test_what_is_no_json_object_is_no_token(house, site, body):
    client = site.client(on_clock=True)
    site.tokens = [response(body, "Content-Type: application/json")]
    house.fails(client, TokenError, "no JSON")
    assert len(site.asked) == 1


def named(address):
    """Return a discovery that names a token address."""
    return reply({"token_endpoint": address})


@pytest.mark.row("K-13", "A-06")
@pytest.mark.parametrize("place", ["port", "http", "host", "user", "nonsense", "relative"])
def test_a_token_address_elsewhere_gets_no_secret(house, site, place):
    other = house.server()
    address = {
        "port": f"{other.host}{TOKENS}",
        "http": "http://login.example.com/oidc/v1/token",
        "host": f"https://127.0.0.1:{site.server.port}{TOKENS}",
        "user": site.server.host.replace("://", "://user@") + TOKENS,
        "nonsense": "http://[::1/oidc",
        "relative": TOKENS,
    }[place]
    site.discovery = named(address)
    client = site.client()
    house.fails(client, TokenError, "at another place")
    assert site.asked == other.requests == []
    site.discovery = named(f"{site.server.host}{TOKENS}")


@pytest.mark.row("K-13")
@pytest.mark.parametrize(
    "answer",
    [
        reply({"token_endpoint": 7}),
        reply({}),
        reply([]),
        PAGE,
        SICK,
        reset,
        reply(None, 302, "Location: http://127.0.0.1:9/"),
    ],
    ids=["number", "nothing", "list", "page", "503", "down", "redirect"],
)
def test_without_a_named_address_the_documented_one_is_taken(house, site, answer):
    site.discovery = answer
    client = site.client(on_clock=True)
    assert house.call(client).text == "Hi"
    assert len(site.asked) == 1


@pytest.mark.row("K-13")
def test_a_named_address_at_the_same_place_is_taken(house, site):
    site.discovery = named(site.server.host.upper().replace("HTTP", "http") + TOKENS + "?a=b")
    site.tokens = [site.good()]
    client = site.client()
    with house.raising(TokenError):
        house.call(client)
    assert b"/oidc/v1/token?a=b" in site.server.requests[-1]
    site.discovery = named(f"{site.server.host}{TOKENS}")


@pytest.mark.row("K-14")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_token_service_that_redirects_is_not_followed(house, site, status):
    other = house.server()
    site.tokens = [reply({}, status, f"Location: {other.host}{TOKENS}")]
    client = site.client(on_clock=True)
    error = house.fails(client, TokenError, f"redirects .status {status}.*is the host right")
    assert error.status_code == status
    assert len(site.asked) == 1
    assert other.requests == []


@pytest.mark.row("K-14")
def test_what_is_asked_is_a_form_with_the_secret_in_its_header_alone(house, site):
    client = site.client()
    house.call(client)
    (request,) = site.asked
    head, _, body = request.partition(b"\r\n\r\n")
    assert body == b"grant_type=client_credentials&scope=all-apis"
    assert b"content-type: application/x-www-form-urlencoded" in head
    # The client's own headers are for the endpoint, and the call's key as well.
    assert b"x-client-secret" not in head
    assert b"idempotency-key" not in head.lower()
    assert json.dumps(None) not in body.decode()
