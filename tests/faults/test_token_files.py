"""Tokens that are kept on disk: their files are their owner's alone, and none is needed."""

import os
import stat

import pytest

from databricks_serving.auth import OAuthClientCredentials, OnDisk

from .support.canary import SECRET
from .support.oauth import CLIENT_ID, Site


@pytest.fixture
def site(house):
    return Site(house)


def kept_in(folder):
    return OnDisk(OAuthClientCredentials(CLIENT_ID, SECRET), str(folder))


def modes(folder):
    return {stat.S_IMODE(one.stat().st_mode) for one in (folder, *folder.iterdir())}


@pytest.mark.row("K-12")
def test_a_token_is_found_by_the_next_client_and_by_nobody_else(house, site, tmp_path):
    folder, before = tmp_path / "tokens", os.umask(0)
    try:
        for _ in range(3):
            house.call(site.client(auth=kept_in(folder)))
    finally:
        os.umask(before)
    assert len(site.asked) == 1
    assert modes(folder) == {0o700, 0o600}
    assert SECRET not in "".join(one.read_text() for one in folder.iterdir())


def links(folder):
    moved = folder.parent / "moved"
    folder.rename(moved)
    folder.symlink_to(moved)


def opens(folder):
    folder.chmod(0o777)


def garbles(folder):
    for one in folder.iterdir():
        one.write_text("{")


def links_files(folder):
    for one in list(folder.iterdir()):
        target = folder.parent / one.name
        one.rename(target)
        one.symlink_to(target)


@pytest.mark.row("K-12")
@pytest.mark.parametrize("breaks", [links, links_files, opens, garbles])
def test_what_cannot_be_trusted_is_done_without(house, site, tmp_path, breaks):
    folder = tmp_path / "tokens"
    house.call(site.client(auth=kept_in(folder)))
    breaks(folder)
    house.call(site.client(auth=kept_in(folder)))
    assert len(site.asked) == 2


@pytest.mark.row("K-12")
def test_a_full_disk_is_no_reason_to_fail(house, site, tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for _ in range(2):
        house.call(site.client(auth=kept_in(tmp_path / "tokens")))
    assert len(site.asked) == 2
