"""The login of Azure's command line."""

from datetime import UTC, datetime
from functools import partial

import pytest
import wire
from sources import CANARY, Hand, Workspace, answer, failure, jwt, printed, program, site, values

from databricks_serving.auth import AzureCli, _calendar
from databricks_serving.auth._source import UnavailableError
from databricks_serving.auth._steps import Call, Run
from databricks_serving.errors import ConfigError, TokenError

pytestmark = pytest.mark.usefixtures("bare_machine")
HOST = "https://adb-1.2.azuredatabricks.net"
APPLICATION = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
RESOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Databricks/workspaces/w"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
END = int(NOW.timestamp()) + 900
SILENT = answer({}, 404)
COMMAND = ("account", "get-access-token", "--resource", APPLICATION, "--output", "json")


@pytest.fixture(autouse=True)
def at_noon(monkeypatch):
    monkeypatch.setattr(_calendar, "present", lambda: NOW)


def login(value="t-1", **more):
    return printed({"accessToken": value, "tokenType": "Bearer", "expires_on": END, **more})


def fetch(*answers, host=HOST, **options):
    hand = Hand("/bin/az", *answers)
    return hand, hand.fetch(AzureCli(**options), site(host))


fails = partial(failure, "azure-cli", fetch)


def test_the_program_is_asked_for_the_workspaces_application():
    hand, made = fetch(login(), tenant_id="9-a")
    assert (made.value, made.expires_in, made.headers) == ("t-1", 900, {})
    assert isinstance(hand.steps[0], Call)
    assert hand.steps[1:] == [Run(("/bin/az", *COMMAND, "--tenant", "9-a"))]


def test_the_workspace_tells_its_tenant():
    location = "https://login.microsoftonline.com/9-a/oauth2/authorize"
    hand, _ = fetch(answer(b"", 302, location=location), login())
    assert hand.steps[1].url == f"{HOST}/aad/auth"
    assert hand.steps[2].command[-2:] == ("--tenant", "9-a")
    hand, _ = fetch(SILENT, login())
    assert hand.steps[2] == Run(("/bin/az", *COMMAND))


def test_a_managed_identity_takes_no_tenant():
    refused = printed(
        code=1, errors=b"ERROR: Tenant shouldn't be specified for managed identity account"
    )
    hand, made = fetch(refused, login(), tenant_id="9-a")
    assert made.value == "t-1"
    assert hand.steps[2] == Run(("/bin/az", *COMMAND))


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({"expires_on": str(END)}, 900),
        ({"expires_on": None, "expiresOn": datetime.fromtimestamp(END).isoformat(" ")}, 900),  # noqa: DTZ006 - as az writes it
        ({"expires_on": "never"}, 60),
        ({"expires_on": END + 10**6}, 3600),
    ],
    ids=str,
)
def test_the_end_comes_in_two_forms(more, seconds):
    _, made = fetch(login(**more), tenant_id="x")
    assert made.expires_in == seconds


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (printed(b""), "no JSON"),
        (printed(b"<html>" + CANARY.encode()), "no JSON"),
        (printed(b"\xff\xfe"), "no JSON"),
        (printed([CANARY]), "no JSON"),
        (printed({"token": CANARY}), "JSON without accessToken"),
        (login(7), "JSON without accessToken"),
        (login(tokenType="pop"), "no Bearer token"),
        (login(f"{CANARY}\n{CANARY}"), "line break"),
        (login(CANARY, expires_on=END - 900), "has expired: is this machine's clock right?"),
        (TimeoutError(CANARY), "did not answer in time"),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error(given, words):
    assert words in fails(given, tenant_id="x")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            printed(code=1, errors=b"ERROR: Please run 'az login' to setup account.\r\n"),
            "Please run 'az login' to setup account; log in with: az login --tenant x",
        ),
        (printed(code=3), "exit status 3; log in with: az login"),
        (printed(code=1, errors=f"bad {jwt(upn=CANARY)} x\x1b[0m".encode()), "bad *** x[0m; log"),
        (printed(code=1, errors=b"dapi0123 " + b"0" * 40), "*** ***; log in"),
        (printed(code=1, errors=b"a " * 500), "a a a"),
        (PermissionError(13, "Permission denied"), "az cannot be run: Permission denied"),
        (FileNotFoundError(2, "No such file"), "az cannot be run: No such file"),
    ],
)
def test_a_program_that_gives_no_token_is_passed_over(given, words):
    said = fails(given, kind=UnavailableError, tenant_id="x")
    assert words in said
    assert len(said) < 300


def test_a_program_that_is_not_there_is_passed_over():
    with pytest.raises(UnavailableError, match="azure-cli: there is no program az"):
        Hand(None).fetch(AzureCli(), site(HOST))


def test_with_a_resource_id_a_machine_has_a_token_for_the_management_too():
    machine = jwt(appid="a")
    given = (login(machine), login("m-1", expires_on=END - 300))
    hand, made = fetch(*given, tenant_id="x", resource_id=RESOURCE)
    assert (made.value, made.expires_in) == (machine, 600)
    assert made.headers == {
        "x-databricks-azure-workspace-resource-id": RESOURCE,
        "x-databricks-azure-sp-management-token": "m-1",
    }
    assert "https://management.core.windows.net/" in hand.steps[2].command


def test_a_person_has_no_token_for_the_management():
    _, made = fetch(login(jwt(upn="me@example.com")), tenant_id="x", resource_id=RESOURCE)
    assert made.headers == {"x-databricks-azure-workspace-resource-id": RESOURCE}


def test_a_machine_without_a_token_for_the_management_goes_without():
    _, made = fetch(login(), printed(code=1), tenant_id="x", resource_id=RESOURCE)
    assert made.headers == {"x-databricks-azure-workspace-resource-id": RESOURCE}


def test_an_unknown_cloud_is_refused():
    with pytest.raises(ConfigError, match="no Azure environment 'mars'"):
        AzureCli(environment="mars")


def test_it_is_configured_for_azure_where_the_program_is(bare_machine):
    path = {"PATH": str(bare_machine / "bin")}
    said = AzureCli.configured(values(path, host=wire.HOST))
    assert said == "the host is not on Azure, and there is no azure_workspace_resource_id"
    assert "no program az" in AzureCli.configured(values(path, host=HOST))
    assert "no program az" in AzureCli.configured(values(host=HOST))
    program(bare_machine / "bin", "az", "exit 0")
    assert isinstance(AzureCli.configured(values(path, host=HOST)), AzureCli)


def test_both_clients_run_the_program(shell, bare_machine, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", HOST)
    reply = '{"accessToken": "t-1", "tokenType": "Bearer", "expires_on": 4000000000}'
    script = f'[ "$1 $2 $4" = "account get-access-token {APPLICATION}" ] && echo \'{reply}\''
    program(bare_machine / "bin", "az", script)
    workspace = Workspace()
    assert workspace.call(shell).headers["authorization"] == "Bearer t-1"
    assert "auth azure-cli" in shell.wait(workspace.client.auth.describe())


def test_both_clients_pass_over_a_program_that_is_not_logged_in(shell, bare_machine):
    folder = bare_machine / "bin"
    program(folder, "az", "echo \"ERROR: Please run 'az login'\" >&2; exit 1")
    reply = '{"access_token": "t-2", "token_type": "Bearer", "expiry": "2090-01-01T00:00:00Z"}'
    program(folder, "databricks", f"echo '{reply}'")
    workspace = Workspace()
    assert workspace.call(shell, HOST).headers["authorization"] == "Bearer t-2"
    program(folder, "databricks", "exit 5")
    with pytest.raises(TokenError, match=r"Please run 'az login'.*; databricks-cli: exit status 5"):
        workspace.call(shell, HOST)
