"""Which workspace and which credential both clients find, and what the official SDK finds there.

The cases stand in `tests/support/access_cases.py`. The official SDK is asked where it is installed.
"""

import os

import pytest
from access_cases import CASES, DIFFERENT

from databricks_serving.errors import ServingError


@pytest.fixture
def place(request, monkeypatch, tmp_path):
    """The environment of a case."""
    case = request.param
    for name in list(os.environ):
        if name.startswith(("DATABRICKS_", "ARM_", "AZURE_", "ACTIONS_", "SYSTEM_", "GOOGLE_")):
            monkeypatch.delenv(name)
    # No program is found that could log in.
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in case.env.items():
        monkeypatch.setenv(name if name.startswith("ARM_") else f"DATABRICKS_{name}", value)
    if case.file is not None:
        file = tmp_path / ".databrickscfg"
        file.touch(0o600)
        file.write_bytes(case.file if isinstance(case.file, bytes) else case.file.encode())
    return case


over_cases = pytest.mark.parametrize("place", CASES, indirect=True, ids=lambda case: case.name)


def found(shell, given):
    """Return what a client finds."""
    try:
        client = shell.client_class(**given)
        credentials = client._caller.credentials
        resolved = shell.wait(credentials.resolved(None))
        source = resolved.source
        if source.auth_type == "oauth-m2m":
            credential = source._client_id
        else:
            steps = source.fetch(resolved.site)
            credential = shell.wait(credentials._performer.perform(steps, None)).value
    except ServingError as error:
        return f"error: {type(error).__name__} {error}"
    return f"{source.auth_type} {resolved.site.host} {credential}"


def matches(outcome, expected):
    if expected.startswith("error: "):
        return outcome.startswith("error: ") and expected.removeprefix("error: ") in outcome
    return outcome == expected


@over_cases
def test_both_clients_find_what_is_there(shell, place):
    outcome = found(shell, place.given)
    assert matches(outcome, place.finds), outcome


@pytest.fixture
def sdk(monkeypatch):
    """The `Config` of the official SDK, which asks nobody for anything."""
    config = pytest.importorskip(
        "databricks.sdk.config", reason="databricks-sdk is not installed: nothing to compare with"
    )
    oauth = pytest.importorskip("databricks.sdk.oauth")

    def refuse(*_arguments, **_options):
        raise OSError("nobody is asked")

    endpoints = oauth.OidcEndpoints("https://nowhere.invalid/a", "https://nowhere.invalid/t")
    monkeypatch.setattr(config, "get_host_metadata", refuse)
    monkeypatch.setattr(config, "get_endpoints_from_url", lambda _url: endpoints)
    return config.Config


def found_by(sdk, given):
    """Return what the official SDK finds."""
    try:
        config = sdk(**given)
    except Exception as error:  # noqa: BLE001 - some are of the parser of profiles
        return f"error: {type(error).__name__} {error}"
    kind = config.auth_type
    if kind == "pat":
        token = config.authenticate()["Authorization"].removeprefix("Bearer ")
        return f"{kind} {config.host} {token}"
    return f"{kind} {config.host} {config.client_id}"


def test_there_are_many_cases_and_each_difference_has_its_reason():
    assert len(CASES) > 60
    assert [case.name for case in CASES if (case.sdk is None) == bool(case.why)] == []
    assert [case.name for case in CASES if case.sdk is not None] == [c.name for c in DIFFERENT]


@over_cases
def test_the_official_sdk_finds_the_same_but_for_what_is_listed(sdk, place):
    outcome = found_by(sdk, place.given)
    expected = place.finds if place.sdk is None else place.sdk
    wanted = "error: " if expected.startswith("error: ") else expected
    assert matches(outcome, wanted), outcome
