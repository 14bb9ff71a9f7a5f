"""The token of a model that is served."""

import json

import pytest
import wire
from sources import CANARY, Hand, Workspace, content, site, values

from databricks_serving.auth import ServingContainer
from databricks_serving.auth._source import UnavailableError
from databricks_serving.auth._steps import Read
from databricks_serving.errors import TokenError

pytestmark = pytest.mark.usefixtures("bare_machine")
FILE = "model-dependencies-oauth-token"


def given(value):
    return {"OAUTH_TOKEN": [{"oauthTokenValue": value}, {"oauthTokenValue": "other"}]}


def test_the_file_gives_a_token_for_five_minutes():
    hand = Hand(content(given("t-1")))
    made = hand.fetch(ServingContainer(), site())
    assert (made.value, made.expires_in) == ("t-1", 300)
    assert hand.steps == [Read(f"/var/credentials-secret/{FILE}")]


def test_the_file_may_be_elsewhere():
    hand = Hand(content(given("t-1")))
    hand.fetch(ServingContainer(), site(SERVING_CREDENTIALS_DIR=" /run/tokens/ "))
    assert hand.steps == [Read(f"/run/tokens/{FILE}")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "has no OAUTH_TOKEN"),
        (b"<html>", "has no OAUTH_TOKEN"),
        ([CANARY], "has no OAUTH_TOKEN"),
        ({"OAUTH_TOKEN": CANARY}, "has no OAUTH_TOKEN"),
        ({"OAUTH_TOKEN": []}, "has no OAUTH_TOKEN"),
        ({"OAUTH_TOKEN": [CANARY]}, "has no OAUTH_TOKEN"),
        ({"OAUTH_TOKEN": [{"value": CANARY}]}, "has no OAUTH_TOKEN"),
        (given(7), "has no OAUTH_TOKEN"),
        (given(""), "is empty"),
        (given(f"{CANARY}\n{CANARY}"), "line break"),
    ],
    ids=str,
)
def test_a_file_that_is_of_no_use_says_why(data, words):
    with pytest.raises(TokenError, match=words) as caught:
        Hand(content(data)).fetch(ServingContainer(), site())
    assert CANARY not in f"{caught.value!s}{caught.value!r}"
    assert caught.value.source == "model-serving"
    # The platform may be about to write it.
    assert caught.value.transient == ("has no" in words)


def test_a_file_that_is_not_there_is_passed_over():
    with pytest.raises(UnavailableError, match="were the endpoints named as the model's resources"):
        Hand(FileNotFoundError(2, "x")).fetch(ServingContainer(), site())


@pytest.mark.parametrize(
    ("error", "words"),
    [(PermissionError(13, "Permission denied"), "Permission denied"), (OSError("x"), "OSError")],
)
def test_a_file_that_cannot_be_read_is_an_error(error, words):
    with pytest.raises(TokenError, match=f"cannot be read: {words}") as caught:
        Hand(error).fetch(ServingContainer(), site())
    assert caught.value.transient


@pytest.mark.parametrize(
    ("variables", "inside"),
    [
        ({}, False),
        ({"IS_IN_DB_MODEL_SERVING_ENV": "true"}, True),
        ({"IS_IN_DATABRICKS_MODEL_SERVING_ENV": " True"}, True),
        ({"IS_IN_DB_MODEL_SERVING_ENV": "false"}, False),
    ],
)
def test_it_is_configured_in_a_container(variables, inside):
    source = ServingContainer.configured(values(variables))
    assert isinstance(source, ServingContainer) == inside


@pytest.mark.parametrize("name", ["DATABRICKS_MODEL_SERVING_HOST_URL", "DB_MODEL_SERVING_HOST_URL"])
def test_both_clients_just_work_in_a_container(shell, monkeypatch, bare_machine, name):
    monkeypatch.setenv("IS_IN_DB_MODEL_SERVING_ENV", "true")
    monkeypatch.setenv("SERVING_CREDENTIALS_DIR", str(bare_machine))
    # Some containers run a runtime as well, though no notebook.
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "16.4")
    monkeypatch.setenv(name, wire.HOST)
    (bare_machine / FILE).write_text(json.dumps(given("t-1")))
    workspace = Workspace()
    sent = workspace.call(shell)
    assert (sent.url.host, sent.headers["authorization"]) == ("workspace.example.com", "Bearer t-1")
    assert f"from the variable {name}" in shell.wait(workspace.client.auth.describe())


def test_both_clients_say_that_the_file_is_missing(shell, monkeypatch, bare_machine):
    monkeypatch.setenv("IS_IN_DB_MODEL_SERVING_ENV", "true")
    monkeypatch.setenv("SERVING_CREDENTIALS_DIR", str(bare_machine))
    with pytest.raises(TokenError, match=f"there is no file .*{FILE}"):
        Workspace().call(shell, wire.HOST)
