"""The login of the Databricks command line."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest
import wire
from sources import CANARY, Hand, Workspace, failure, printed, program, site, values

from databricks_serving._core.secret import Secret
from databricks_serving.auth import DatabricksCli, _calendar
from databricks_serving.auth._source import UnavailableError
from databricks_serving.auth._steps import Run
from databricks_serving.auth._values import Value
from databricks_serving.errors import ConfigError, TokenError

pytestmark = pytest.mark.usefixtures("bare_machine")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
REPLY = '{"access_token": "t-1", "token_type": "Bearer", "expiry": "2090-01-01T00:00:00+01:00"}'


@pytest.fixture
def at_noon(monkeypatch):
    monkeypatch.setattr(_calendar, "present", lambda: NOW)


def login(value="t-1", **more):
    given = {"access_token": value, "token_type": "Bearer", "expiry": "2026-11-24T12:10:00Z"}
    return printed(given | more)


def fetch(*answers, **options):
    hand = Hand("/opt/databricks", *answers)
    return hand, hand.fetch(DatabricksCli(**options), site())


fails = partial(failure, "databricks-cli", fetch)


@pytest.mark.usefixtures("at_noon")
def test_the_program_is_asked_for_the_host_or_the_profile():
    hand, made = fetch(login())
    assert (made.value, made.expires_in) == ("t-1", 600)
    assert hand.steps[1] == Run(("/opt/databricks", "auth", "token", "--host", wire.HOST))
    hand, _ = fetch(login(), profile="work")
    assert hand.steps[1] == Run(("/opt/databricks", "auth", "token", "--profile", "work"))


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize(
    ("expiry", "seconds"),
    [
        ("2026-11-24T13:10:00.123456789+01:00", pytest.approx(600.12, abs=0.01)),
        ("2026-11-24T12:00:02Z", 2),
        ("0001-01-01T00:00:00Z", 60),
        (None, 60),
        ("soon", 60),
        ("2030-01-01T00:00:00Z", 3600),
    ],
)
def test_a_life_is_that_which_the_program_tells(expiry, seconds):
    assert fetch(login(expiry=expiry))[1].expires_in == seconds


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (printed(b"Usage: databricks"), "no JSON"),
        (printed(b"<html>"), "no JSON"),
        (printed({"token_type": "Bearer"}), "JSON without access_token"),
        (login([CANARY]), "JSON without access_token"),
        (login(token_type="mac"), "no Bearer token"),
        (login(f"{CANARY} {CANARY}"), "a character that no token has"),
        (login(CANARY, expiry="2026-11-24T11:59:00Z"), "has expired"),
        (TimeoutError(CANARY), "databricks did not answer in time"),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error(given, words):
    assert words in fails(given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            printed(code=1, errors=b"Error: cache: databricks OAuth is not configured\n"),
            f"not configured; log in with: databricks auth login --host {wire.HOST}",
        ),
        (
            printed(code=2, errors=b"Error: No such command 'auth'."),
            "/opt/databricks is the retired command line, without `auth`: install the present one",
        ),
        (printed(code=1, errors=f"lost {CANARY * 3}".replace("-", "").encode()), "lost ***; log"),
        (OSError(8, "Exec format error"), "databricks cannot be run: Exec format error"),
    ],
)
def test_a_program_that_gives_no_token_is_passed_over(given, words):
    assert words in fails(given, kind=UnavailableError)


def test_what_to_type_next_names_the_profile():
    said = fails(printed(code=1, errors=b"no"), kind=UnavailableError, profile="work")
    assert said.endswith("log in with: databricks auth login --profile work")


def test_a_program_that_is_not_there_is_passed_over():
    with pytest.raises(UnavailableError, match="databricks-cli: there is no program /x/databricks"):
        Hand(None).fetch(DatabricksCli(path="/x/databricks"), site())


def test_it_is_configured_where_the_program_is(bare_machine):
    path = {"PATH": str(bare_machine / "bin")}
    assert DatabricksCli.configured(values(path)) == "there is no program databricks on the PATH"
    named = DatabricksCli.configured(values(path, databricks_cli_path="~/x", profile="p"))
    assert isinstance(named, DatabricksCli)
    program(bare_machine / "bin", "databricks", "exit 0")
    for own, which in ((True, ("--profile", "work")), (False, ("--host", site().host))):
        found = values(path, profile="work")
        kind = "profile" if own else "argument"
        host = {"host": Value(Secret(site().host), "somewhere", kind)}
        source = DatabricksCli.configured(replace(found, found={**found.found, **host}))
        hand = Hand("/x", login(expiry=None))
        hand.fetch(source, site())
        assert hand.steps[1].command[-2:] == which


def test_both_clients_run_the_program(shell, bare_machine):
    script = f'[ "$*" = "auth token --host {wire.HOST}" ] && echo \'{REPLY}\''
    program(bare_machine / "bin", "databricks", script)
    workspace = Workspace()
    assert workspace.call(shell, wire.HOST).headers["authorization"] == "Bearer t-1"
    told = shell.wait(workspace.client.auth.describe())
    assert "auth databricks-cli" in told
    assert "not azure-cli: the host is not on Azure" in told


def test_both_clients_run_the_program_at_a_path_for_a_profile(shell, bare_machine, monkeypatch):
    home = bare_machine / "home"
    script = f'[ "$*" = "auth token --profile work" ] && echo \'{REPLY}\''
    program(home, "dbx", script)
    (home / ".databrickscfg").write_text(f"[work]\nhost = {wire.HOST}\nauth_type=databricks-cli\n")
    (home / ".databrickscfg").chmod(0o600)
    monkeypatch.setenv("DATABRICKS_CLI_PATH", "~/dbx")
    sent = Workspace().call(shell, profile="work")
    assert (sent.url.host, sent.headers["authorization"]) == (
        "workspace.example.com",
        "Bearer t-1",
    )


def test_both_clients_say_what_to_type_next(shell, bare_machine):
    program(bare_machine / "bin", "databricks", "echo 'Error: no login' >&2; exit 1")
    with pytest.raises(TokenError, match=f"no login; log in with: .* login --host {wire.HOST}"):
        Workspace().call(shell, wire.HOST)


def test_without_any_source_the_first_call_is_refused(shell):
    client = shell.client_class(wire.HOST)
    with pytest.raises(ConfigError, match=r"no token: .* no program databricks on the"):
        shell.wait(client.chat.completions.create(model="m", messages=wire.USER))
