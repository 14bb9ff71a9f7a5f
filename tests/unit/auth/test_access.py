"""Where a client calls and as whom: profiles, contradictions, and what is told of them."""

import asyncio
import os
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import wire

from databricks_serving.auth import AccessToken, _doing
from databricks_serving.errors import AuthenticationError, ConfigError, TokenError

CANARY = "dapi-canary-5432109876"
PROFILES = f"""
[__settings__]
default_profile = work

[DEFAULT]
host = default.example.com
token = {CANARY}-default

[work]
host = https://work.example.com/
token = {CANARY}-work

[machine]
host = machine.example.com
client_id = c-1
client_secret = {CANARY}-secret

[half]
host = half.example.com
client_id = c-1

[hostless]
token = {CANARY}-hostless

[two]
host = two.example.com
token = {CANARY}-two
client_id = c-1
client_secret = {CANARY}-secret
"""


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """An environment without credentials, and a home with the profiles."""
    for name in list(os.environ):
        if name.startswith(("DATABRICKS_", "ARM_", "ACTIONS_", "SYSTEM_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, PROFILES)


def write(home, text, mode=0o600):
    path = home / ".databrickscfg"
    path.write_text(text)
    path.chmod(mode)


def make(shell, answer=None, **options):
    seen = []

    def echo(request):
        seen.append(request)
        return wire.json_reply(wire.chat())

    client = shell.client_class(transport=httpx.MockTransport(answer or echo), **options)
    return client, seen


def call(shell, client):
    return shell.wait(client.chat.completions.create(model="m", messages=wire.USER))


def describe(shell, client):
    return shell.wait(client.auth.describe())


def test_a_host_that_was_given_is_known_before_the_token_is(shell):
    client, _ = make(shell, host="adb-1.azuredatabricks.net")
    assert client.host == "https://adb-1.azuredatabricks.net"
    assert client.with_options(timeout=3).host == client.host


def test_nothing_is_read_before_the_first_call(shell, tmp_path):
    (tmp_path / ".databrickscfg").unlink()
    client, seen = make(shell)
    assert client.host is None
    assert repr(client) == f"{type(client).__name__}(host=None)"
    write(tmp_path, PROFILES)
    call(shell, client)
    assert str(seen[0].url).startswith("https://work.example.com/serving-endpoints/")
    assert seen[0].headers["authorization"] == f"Bearer {CANARY}-work"
    assert client.host == "https://work.example.com"
    assert "work.example.com" in repr(client)


def test_a_profile_is_named_by_the_argument_or_the_environment(shell, monkeypatch):
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "DEFAULT")
    for options, host in (({}, "default"), ({"profile": "work"}, "work")):
        client, seen = make(shell, **options)
        call(shell, client)
        assert seen[0].url.host == f"{host}.example.com"


def test_another_file_is_named_by_the_environment(shell, monkeypatch, tmp_path):
    other = tmp_path / "other.cfg"
    other.write_text("[DEFAULT]\nhost = other.example.com\ntoken = t-other\n")
    other.chmod(0o600)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(other))
    client, seen = make(shell)
    call(shell, client)
    assert seen[0].url.host == "other.example.com"


def test_what_was_given_goes_before_the_profile_value_by_value(shell, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", "env.example.com")
    client, seen = make(shell, profile="work")
    call(shell, client)
    assert seen[0].url.host == "env.example.com"
    assert seen[0].headers["authorization"] == f"Bearer {CANARY}-work"


def test_without_a_profile_that_is_named_a_host_is_enough_not_to_look(shell, monkeypatch):
    monkeypatch.setenv("PATH", "")
    client, _ = make(shell, host="w.example.com")
    with pytest.raises(ConfigError, match="no token: pass token="):
        call(shell, client)
    with pytest.raises(ConfigError, match="cannot be used: no token"):
        make(shell, host="w.example.com", auth_type="pat")


def test_a_token_of_a_profile_is_read_again_when_it_is_refused(shell, tmp_path):
    def answer(request):
        if request.headers["authorization"].endswith("-work"):
            write(tmp_path, PROFILES.replace(f"{CANARY}-work", "t-new"))
            return wire.json_reply({"message": "no"}, status=401)
        return wire.json_reply(wire.chat())

    client, _ = make(shell, answer)
    assert call(shell, client).text == "The Po."


def test_it_is_told_what_was_found_and_why_nothing_else(shell, monkeypatch):
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "c-1")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", CANARY)
    client, seen = make(shell, host="w.example.com")
    assert describe(shell, client).splitlines()[:3] == [
        "host https://w.example.com, from the argument host",
        (
            "auth oauth-m2m, client_id from the variable DATABRICKS_CLIENT_ID, "
            "client_secret from the variable DATABRICKS_CLIENT_SECRET"
        ),
        "not pat: no token",
    ]
    monkeypatch.delenv("DATABRICKS_CLIENT_ID")
    monkeypatch.delenv("DATABRICKS_CLIENT_SECRET")
    client, _ = make(shell)
    assert describe(shell, client).splitlines()[:2] == [
        "host https://work.example.com, from profile work in ~/.databrickscfg",
        "auth pat, token from profile work in ~/.databrickscfg",
    ]
    client, _ = make(shell, host="w.example.com", auth=AccessToken(CANARY))
    assert describe(shell, client).splitlines()[1] == "auth pat, from the argument auth"
    assert seen == []


FAULTS = {
    "no such profile": ({"profile": "nope"}, "no profile 'nope'.*work, machine"),
    "half a pair": ({"profile": "half"}, "client_id is from profile half.*no client_secret"),
    "no host": ({"profile": "hostless"}, "no workspace: pass host="),
    "two ways": ({"profile": "two"}, r"more than one kind: pat \(token from profile two.*oauth"),
    "unknown auth_type": ({"auth_type": "magic", "profile": "work"}, "auth_type 'magic'.*unknown"),
    "auth_type elsewhere": (
        {"auth_type": "external-browser", "profile": "work"},
        "is for databricks-sdk, whose Config auth= takes",
    ),
    "auth_type without its values": (
        {"auth_type": "oauth-m2m", "profile": "work"},
        "cannot be used: no client_id and no client_secret",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_work_is_a_clear_error_at_the_first_call(shell, name):
    options, text = FAULTS[name]
    client, seen = make(shell, **options)
    for use in (call, describe):
        with pytest.raises(ConfigError, match=text) as caught:
            use(shell, client)
        shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert CANARY not in "".join(shown.format())
    assert seen == []


def test_auth_type_chooses_between_two_ways(shell):
    client, seen = make(shell, profile="two", auth_type="pat")
    call(shell, client)
    assert seen[0].headers["authorization"] == f"Bearer {CANARY}-two"


MALFORMED = {
    "no section": f"token = {CANARY}\n",
    "no assignment": f"[work]\n{CANARY}\n",
    "binary": b"\xff\xfe\x00" * 100,
    "too large": "[a]\n" + "x = y\n" * 200_000,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_file_that_is_none_is_named_without_what_is_in_it(shell, tmp_path, name):
    data = MALFORMED[name]
    (tmp_path / ".databrickscfg").write_bytes(data if isinstance(data, bytes) else data.encode())
    client, _ = make(shell)
    with pytest.raises(ConfigError, match=r"profiles in ~/.databrickscfg cannot be read") as caught:
        call(shell, client)
    error = caught.value
    assert CANARY not in f"{error!r}{error.__cause__!r}{error.__context__!r}"


def test_a_file_that_others_can_read_is_warned_of(shell, tmp_path, caplog):
    write(tmp_path, PROFILES, 0o644)
    client, _ = make(shell)
    call(shell, client)
    assert "others on this machine can read ~/.databrickscfg" in caplog.text
    assert CANARY not in caplog.text


def test_without_anything_it_is_told_what_can_be_given(shell, tmp_path):
    (tmp_path / ".databrickscfg").unlink()
    client, _ = make(shell)
    with pytest.raises(ConfigError) as caught:
        call(shell, client)
    for name in ("host=", "DATABRICKS_HOST", "~/.databrickscfg"):
        assert name in str(caught.value)


def test_a_home_that_is_unknown_is_no_crash(shell, monkeypatch):
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", "~nobody-of-this-name/x")
    client, _ = make(shell)
    with pytest.raises(ConfigError):
        call(shell, client)


def test_a_client_keeps_to_its_workspace_when_a_profile_changes(shell, tmp_path):
    seen = []

    def answer(request):
        seen.append((request.url.host, request.headers["authorization"]))
        return wire.json_reply({"message": "no"}, status=401)

    client, _ = make(shell, answer)
    with pytest.raises(AuthenticationError):
        call(shell, client)
    moved = PROFILES.replace("work.example.com", "new.example.com").replace(
        f"{CANARY}-work", "t-new"
    )
    write(tmp_path, moved)
    shell_clock_passes(client, 10)
    with pytest.raises(TokenError, match="no longer for https://work"):
        call(shell, client)
    assert {host for host, _ in seen} == {"work.example.com"}
    assert "Bearer t-new" not in {token for _, token in seen}


def shell_clock_passes(client, seconds):
    clocks = client._caller.credentials.clocks
    before = clocks.monotonic
    clocks.monotonic = lambda: before() + seconds


def test_credentials_for_another_workspace_are_not_used(shell, tmp_path):
    seen = []

    def answer(request):
        seen.append(request.url.host)
        if request.method == "GET":
            return httpx.Response(404)
        return httpx.Response(401, json={"error": "invalid_client"})

    client, _ = make(shell, answer, profile="machine")
    with pytest.raises(TokenError, match="invalid_client"):
        call(shell, client)
    write(tmp_path, PROFILES.replace("machine.example.com", "new.example.com"))
    with pytest.raises(ConfigError, match="make another one"):
        call(shell, client)
    assert set(seen) == {"machine.example.com"}


def test_a_copy_for_one_endpoint_keeps_to_the_workspace(shell, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", "one.example.com")
    monkeypatch.setenv("DATABRICKS_TOKEN", "t")
    client, _ = make(shell)
    monkeypatch.setenv("DATABRICKS_HOST", "two.example.com")
    copy = client.route_optimized("m", url="https://own.example.com/x", endpoint_id="1")
    assert copy.host == client.host == "https://one.example.com"


def test_many_who_find_a_client_unresolved_have_it_resolved_once(shell, monkeypatch):
    reads = []
    real = _doing.contents

    def slow(step):
        reads.append(step.path)
        time.sleep(0.1)
        return real(step)

    for module in ("_sync", "_async"):
        monkeypatch.setattr(f"databricks_serving.{module}.steps.contents", slow)
    client, seen = make(shell)
    if shell.name == "async":

        async def main():
            create = client.chat.completions.create
            return await asyncio.gather(*[create(model="m", messages=wire.USER) for _ in range(9)])

        shell.wait(main())
    else:
        with ThreadPoolExecutor(9) as pool:
            assert len([*pool.map(lambda _: call(shell, client), range(9))]) == 9
    # Once to find the login, and once more for its token.
    assert (len(reads), len(seen)) == (2, 9)
