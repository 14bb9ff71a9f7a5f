"""Credentials from several places, half of them, and profiles that are broken; row A-15."""

import logging

import pytest

from databricks_serving.auth import OAuthClientCredentials
from databricks_serving.errors import ConfigError

from .support.canary import SECRET, TOKEN
from .support.oauth import CLIENT_ID, Site

PAIR = {"DATABRICKS_CLIENT_ID": CLIENT_ID, "DATABRICKS_CLIENT_SECRET": SECRET}


@pytest.fixture
def site(house):
    return Site(house)


@pytest.fixture
def place(monkeypatch, tmp_path):
    """An environment without credentials, to put some in; returns the file of profiles."""
    file = tmp_path / "profiles"
    for name in ("HOST", "TOKEN", "CLIENT_ID", "CLIENT_SECRET", "AUTH_TYPE", "CONFIG_PROFILE"):
        monkeypatch.delenv(f"DATABRICKS_{name}", raising=False)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(file))
    monkeypatch.setenv("HOME", str(tmp_path))
    return file


def put(file, text, mode=0o600):
    """Write the file of profiles."""
    file.touch(mode)
    file.chmod(mode)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())


def section(name, site, token=TOKEN):
    """Return a profile for the site, with a token that it accepts."""
    site.accepted.add(token)
    return f"[{name}]\nhost = {site.server.host}\ntoken = {token}\n"


def refused(house, match, **options):
    """Have a client refused, at the latest by its first call, with nothing sent."""
    with house.raising(ConfigError, match) as caught:
        client = house.client(None, **{"token": None, "healthy": False} | options)
        house.call(client)
    return caught.value


@pytest.mark.usefixtures("place")
@pytest.mark.row("A-15")
@pytest.mark.parametrize("token_from", ["argument", "variable"])
def test_a_token_and_a_secret_at_once_are_refused_with_their_places(
    house, site, monkeypatch, token_from
):
    for name, value in {**PAIR, "DATABRICKS_HOST": site.server.host}.items():
        monkeypatch.setenv(name, value)
    if token_from == "variable":
        monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    given = TOKEN if token_from == "argument" else None
    shown = "the argument token" if given else "the variable DATABRICKS_TOKEN"
    error = refused(house, f"more than one kind.*pat .token from {shown}", token=given)
    assert "the variable DATABRICKS_CLIENT_ID" in str(error)
    assert site.server.requests == []


@pytest.mark.usefixtures("place")
@pytest.mark.row("A-15")
@pytest.mark.parametrize("pinned", ["argument", "variable"])
def test_of_a_token_and_a_secret_one_can_be_named(house, site, monkeypatch, pinned):
    for name, value in {**PAIR, "DATABRICKS_TOKEN": TOKEN}.items():
        monkeypatch.setenv(name, value)
    if pinned == "variable":
        monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "oauth-m2m")
    name = "oauth-m2m" if pinned == "argument" else None
    client = house.client(site.server.host, token=None, auth_type=name)
    house.call(client)
    assert site.used() == ["1"]


@pytest.mark.usefixtures("place")
@pytest.mark.row("A-15")
def test_what_is_given_as_auth_goes_before_all_else(house, site, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "somebody-else")
    client = house.client(
        site.server.host, token=None, auth=OAuthClientCredentials(CLIENT_ID, SECRET)
    )
    house.call(client)
    assert site.used() == ["1"]


@pytest.mark.usefixtures("place")
@pytest.mark.row("A-15")
@pytest.mark.parametrize("name", PAIR)
def test_half_of_a_pair_names_the_other_half(house, site, monkeypatch, name):
    monkeypatch.setenv("DATABRICKS_HOST", site.server.host)
    monkeypatch.setenv(name, PAIR[name])
    (other,) = PAIR.keys() - {name}
    lacking = other.removeprefix("DATABRICKS_").lower()
    error = refused(house, f"{name}, but there is no {lacking}", auth_type="oauth-m2m")
    assert "oauth-m2m" in str(error)
    assert site.server.requests == []


@pytest.mark.row("A-15")
def test_a_profile_is_used_and_named(house, site, place):
    put(place, section("other", site, f"{TOKEN}-other") + section("mine", site, f"{TOKEN}-mine"))
    client = house.client(None, token=None, profile="mine")
    house.call(client)
    assert site.used() == ["mine"]
    told = house.wait(client.auth.describe())
    assert f"profile mine in {place}" in told
    assert TOKEN not in told


@pytest.mark.row("A-15")
@pytest.mark.parametrize(
    ("text", "match"),
    [
        (None, "profile 'mine' cannot be read: there is no file"),
        ("", "no profile 'mine' in .*; it has none"),
        ("[other]\n[third]\n", "no profile 'mine' in .*; it has other, third"),
        (f"token = {TOKEN}\n", "line 1 is no 'key = value'"),
        (f"[mine]\n{TOKEN}\n", "line 2 is no 'key = value'"),
        (f"[mine]\ntoken = {TOKEN}\n[broken\n", "line 3 is no 'key = value'"),
        (b"[mine]\ntoken = \xff\xfe\n", "not text in UTF-8"),
        (f"[mine]\ntoken = {TOKEN}\n".encode("utf-16"), "not text in UTF-8"),
        (b"[mine]\n" + b"a = b\n" * 200_000, "cannot be read"),
        (f"[mine]\ntoken = {TOKEN}\n", "no workspace"),
        ("[mine]\nhost = https://w.example.com\n", "no token"),
        (f"[mine]\nhost = http://w.example.com\ntoken = {TOKEN}\n", "https"),
    ],
    ids=[
        *("missing", "empty", "unknown", "headless", "line", "section"),
        *("bytes", "utf-16", "huge", "hostless", "tokenless", "http"),
    ],
)
def test_a_profile_that_cannot_be_used_says_why(house, place, text, match):
    if text is not None:
        put(place, text)
    refused(house, match, profile="mine", auth_type="pat")


@pytest.mark.row("A-15")
@pytest.mark.parametrize("kind", ["folder", "unreadable name"])
def test_a_file_of_profiles_that_is_none_says_why(house, place, monkeypatch, kind):
    place.mkdir()
    if kind == "unreadable name":
        monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(place / ("x" * 300)))
    refused(house, "the profiles in .* cannot be read", profile="mine")


@pytest.mark.row("A-15")
@pytest.mark.parametrize(
    "written",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace(" = ", "=").encode(),
        lambda text: text.replace("token", "TOKEN").encode(),
        lambda text: f"# a comment\n; another\n\n{text}\n[later]\nhost = %(x)s\n".encode(),
        lambda text: f"[DEFAULT]\nclient_id = {CLIENT_ID}\n{text}".encode(),
    ],
    ids=["byte order mark", "CRLF", "no spaces", "capitals", "comments", "no inheritance"],
)
def test_a_profile_may_be_written_in_many_ways(house, site, place, written):
    put(place, written(section("mine", site)))
    client = house.client(None, token=None, profile="mine")
    assert house.call(client).text == "Hi"


@pytest.mark.row("A-15")
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o644, True)])
def test_a_file_that_others_can_read_is_used_with_a_warning(
    house, site, place, caplog, mode, warned
):
    put(place, section("mine", site), mode)
    client = house.client(None, token=None, profile="mine")
    assert house.call(client).text == "Hi"
    warnings = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert any(f"others on this machine can read {place}" in one for one in warnings) == warned
    assert any("chmod 600" in one for one in warnings) == warned
