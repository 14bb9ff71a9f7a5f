"""Tokens kept on disk: who can read them, and what is done where they cannot be kept."""

import json
import multiprocessing
import os
import stat
import threading
import time
from pathlib import Path

import httpx
import pytest
import wire

from databricks_serving import ServingClient
from databricks_serving.auth import AccessToken, OAuthClientCredentials, OnDisk
from databricks_serving.auth._vault import Vault
from databricks_serving.errors import ConfigError
from databricks_serving.local import LocalEndpoint

SECRET = "hush-secret-42"


class Service:
    """Counts the tokens that it gives."""

    def __init__(self, life=3600, refused=()):
        self.life = life
        self.fetches = 0
        self.refused = set(refused)
        self.used = []

    def __call__(self, request):
        if request.method == "GET":
            return httpx.Response(404)
        if "/oidc/" in request.url.path:
            self.fetches += 1
            return httpx.Response(
                200, json={"access_token": f"token-{self.fetches}", "expires_in": self.life}
            )
        self.used.append(request.headers["authorization"].removeprefix("Bearer "))
        if self.used[-1] in self.refused:
            return wire.json_reply({"message": "Invalid Token"}, status=403)
        return wire.json_reply(wire.chat())


def client_of(shell, service, folder, **options):
    login = OnDisk(OAuthClientCredentials("c-1", SECRET, **options), str(folder))
    return shell.client_class(wire.HOST, auth=login, transport=httpx.MockTransport(service))


def call(shell, client):
    return shell.wait(client.chat.completions.create(model="m", messages=wire.USER))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache" / "tokens"


def files_in(folder):
    return [one for one in folder.iterdir() if not one.name.startswith(".")]


def test_the_next_client_finds_the_token(shell, folder):
    service = Service()
    for _ in range(3):
        call(shell, client_of(shell, service, folder))
    assert (service.fetches, service.used) == (1, ["token-1"] * 3)
    (kept,) = files_in(folder)
    assert "token-1" in kept.read_text()
    assert SECRET not in kept.read_text()


def test_clients_that_share_a_source_share_what_is_kept(shell, folder):
    service, login = Service(), OnDisk(OAuthClientCredentials("c-1", SECRET), str(folder))
    for _ in range(2):
        call(
            shell, shell.client_class(wire.HOST, auth=login, transport=httpx.MockTransport(service))
        )
    assert service.fetches == 1


def test_a_home_that_nobody_has_is_done_without(shell, caplog):
    login = OnDisk(OAuthClientCredentials("c-1", SECRET), "~nobody-of-this-name/tokens")
    call(shell, shell.client_class(wire.HOST, auth=login, transport=httpx.MockTransport(Service())))
    assert "tokens are not kept on disk" in caplog.text


def test_another_login_and_another_workspace_have_files_of_their_own(shell, folder):
    service = Service()
    call(shell, client_of(shell, service, folder))
    call(shell, client_of(shell, service, folder, scope="model-serving-inference"))
    login = OnDisk(OAuthClientCredentials("c-1", SECRET), str(folder))
    other = shell.client_class(
        "other.example.com", auth=login, transport=httpx.MockTransport(service)
    )
    call(shell, other)
    assert (service.fetches, len(files_in(folder))) == (3, 3)


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_files_and_folder_are_their_owners_alone(shell, folder, mask):
    before = os.umask(mask)
    try:
        call(shell, client_of(shell, Service(), folder))
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}


def test_a_file_is_closed_to_others_from_its_first_byte(folder):
    vault, seen, stop = Vault(folder), set(), threading.Event()

    def watch():
        while not stop.is_set():
            for one in folder.glob("*") if folder.exists() else ():
                try:
                    seen.add(stat.S_IMODE(one.stat().st_mode))
                except FileNotFoundError:
                    continue

    watcher = threading.Thread(target=watch)
    before = os.umask(0)
    watcher.start()
    try:
        for number in range(200):
            vault.write("a", b"x" * number)
    finally:
        stop.set()
        watcher.join()
        os.umask(before)
    assert seen == {0o600}


def test_a_token_that_is_refused_is_not_read_again(shell, folder):
    service = Service()
    call(shell, client_of(shell, service, folder))
    service.refused = {"token-1"}
    call(shell, client_of(shell, service, folder))
    assert service.used == ["token-1", "token-1", "token-2"]
    call(shell, client_of(shell, service, folder))
    assert (service.fetches, service.used[-1]) == (2, "token-2")


def test_a_token_near_its_end_is_not_used(shell, folder):
    service = Service(life=100)
    for _ in range(2):
        call(shell, client_of(shell, service, folder))
    assert service.fetches == 2


def corrupt(folder, text):
    (kept,) = files_in(folder)
    kept.write_text(text)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"token": 1}', json.dumps({"token": "a b", "end": 4e9, "headers": {}}),
     json.dumps({"token": "t", "end": "soon", "headers": {}}),
     json.dumps({"token": "t", "end": 4e9, "headers": {"a": 1}})],
)  # fmt: skip
def test_a_file_that_makes_no_sense_is_replaced(shell, folder, text):
    service = Service()
    call(shell, client_of(shell, service, folder))
    corrupt(folder, text)
    for _ in range(2):
        call(shell, client_of(shell, service, folder))
    assert service.fetches == 2


def link_in_place(folder):
    (kept,) = files_in(folder)
    elsewhere = folder.parent / "elsewhere"
    kept.rename(elsewhere)
    kept.symlink_to(elsewhere)


def folder_is_link(folder):
    moved = folder.parent / "moved"
    folder.rename(moved)
    folder.symlink_to(moved)


BROKEN = {
    "a link instead of the file": (link_in_place, True),
    "a link instead of the folder": (folder_is_link, False),
    "a folder for everybody": (lambda folder: folder.chmod(0o777), False),
    "a file for everybody": (lambda folder: files_in(folder)[0].chmod(0o644), True),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_others_could_have_put_there_is_not_used(shell, folder, name, caplog):
    breaks, heals = BROKEN[name]
    service = Service()
    call(shell, client_of(shell, service, folder))
    breaks(folder)
    for _ in range(2):
        call(shell, client_of(shell, service, folder))
    assert service.fetches == (2 if heals else 3)
    assert "tokens are not kept on disk" in caplog.text
    assert "token-1" not in caplog.text


def test_a_folder_that_cannot_be_made_is_done_without(shell, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    service = Service()
    for _ in range(2):
        call(shell, client_of(shell, service, tmp_path / "file" / "tokens"))
    assert service.fetches == 2
    assert "tokens are not kept on disk" in caplog.text


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(folder, monkeypatch):
    vault = Vault(folder)
    vault.write("a", b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        vault.write("a", b"new")
    assert vault.read("a") == b"old"
    assert [one.name for one in folder.iterdir()] == ["a"]


def ask(host, folder, ready, go, results):
    login = OnDisk(OAuthClientCredentials("c-1", SECRET), folder)
    with ServingClient(host, auth=login) as client:
        ready.put(1)
        go.wait(10)
        results.put(client.chat.completions.create(model="local-chat", messages=wire.USER).text)


def test_of_programs_that_start_together_one_fetches(folder):
    context = multiprocessing.get_context("fork")
    with LocalEndpoint(client_id="c-1", client_secret=SECRET) as local:
        local.oauth.delay = 0.2
        ready, results, go = context.Queue(), context.Queue(), context.Event()
        programs = [
            context.Process(target=ask, args=[local.host, str(folder), ready, go, results])
            for _ in range(4)
        ]
        for program in programs:
            program.start()
        for _ in programs:
            ready.get(timeout=10)
        go.set()
        assert {results.get(timeout=10) for _ in programs} == {"You said: Name a river."}
        for program in programs:
            program.join(10)
        assert local.oauth.requests == 1


def test_a_lock_that_is_held_too_long_is_gone_without(folder):
    vault = Vault(folder)
    with vault.locked("a", 1) as mine, vault.locked("a", 0.1) as other:
        assert (mine, other) == (True, False)
    started = time.monotonic()
    with vault.locked("a", 1) as mine:
        assert mine
    assert time.monotonic() - started < 0.5


def test_tokens_of_nobody_in_particular_are_not_kept():
    with pytest.raises(ConfigError, match="AccessToken cannot be kept"):
        OnDisk(AccessToken("t"))


@pytest.mark.parametrize("source", [None, lambda: "t", OAuthClientCredentials])
def test_what_is_no_source_is_refused(source):
    with pytest.raises(ConfigError, match="OnDisk takes a source of tokens"):
        OnDisk(source)


def test_nothing_is_made_before_the_first_call(shell, folder):
    client_of(shell, Service(), folder)
    assert not Path(folder).exists()
