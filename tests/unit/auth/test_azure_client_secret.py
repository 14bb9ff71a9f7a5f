"""Service principals of Microsoft Entra."""

import httpx
import pytest
import wire
from sources import CANARY, Hand, Workspace, answer, form_of, site, token, values

from databricks_serving.auth import AzureClientSecret
from databricks_serving.errors import APIConnectionError, ConfigError, TokenError

pytestmark = pytest.mark.usefixtures("bare_machine")
HOST = "https://adb-1.2.azuredatabricks.net"
APPLICATION = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
LOGIN = "https://login.microsoftonline.com"
RESOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Databricks/workspaces/w"


def made(**options):
    return AzureClientSecret("t-1", "c-1", CANARY, **options)


def fails(source, *answers, host=HOST):
    with pytest.raises(TokenError) as caught:
        Hand(*answers).fetch(source, site(host))
    assert caught.value.source == "azure-client-secret"
    assert CANARY not in f"{caught.value!s}{caught.value!r}"
    return str(caught.value)


def test_a_token_is_asked_for_the_workspaces_application():
    hand = Hand(token("t-9", expires_in="3599"))
    got = hand.fetch(made(), site(HOST))
    assert (got.value, got.expires_in, got.headers) == ("t-9", 3599, {})
    (ask,) = hand.steps
    assert (ask.method, ask.url) == ("POST", f"{LOGIN}/t-1/oauth2/token")
    assert form_of(ask) == {
        "grant_type": "client_credentials",
        "client_id": "c-1",
        "client_secret": CANARY,
        "resource": APPLICATION,
    }
    assert CANARY not in repr(ask)


def test_with_a_resource_id_a_token_for_the_management_goes_along():
    hand = Hand(token("t-9"), token("m-9", expires_in=600))
    got = hand.fetch(made(resource_id=RESOURCE), site(HOST))
    assert (got.value, got.expires_in) == ("t-9", 600)
    assert got.headers == {
        "x-databricks-azure-workspace-resource-id": RESOURCE,
        "x-databricks-azure-sp-management-token": "m-9",
    }
    assert form_of(hand.steps[1])["resource"] == "https://management.core.windows.net/"


@pytest.mark.parametrize(
    ("host", "environment", "login", "management"),
    [
        (HOST, None, LOGIN, "windows.net"),
        ("https://adb-1.databricks.azure.us", None, "https://login.microsoftonline.us", "usgov"),
        ("https://adb-1.databricks.azure.cn", None, "https://login.chinacloudapi.cn", "china"),
        (wire.HOST, None, LOGIN, "windows.net"),
        (wire.HOST, "USGOVERNMENT", "https://login.microsoftonline.us", "usgov"),
        (wire.HOST, "AzureUSGovernment", "https://login.microsoftonline.us", "usgov"),
        (wire.HOST, " AzureChinaCloud", "https://login.chinacloudapi.cn", "china"),
        (HOST, "china", "https://login.chinacloudapi.cn", "china"),
        (wire.HOST, "AzureCloud", LOGIN, "windows.net"),
        (wire.HOST, "AzurePublicCloud", LOGIN, "windows.net"),
        (wire.HOST, "public", LOGIN, "windows.net"),
    ],
)
def test_each_cloud_has_its_own_login(host, environment, login, management):
    hand = Hand(token(), token())
    hand.fetch(made(environment=environment, resource_id=RESOURCE), site(host))
    assert all(ask.url == f"{login}/t-1/oauth2/token" for ask in hand.steps)
    assert management in form_of(hand.steps[1])["resource"]


def test_an_unknown_cloud_is_refused():
    with pytest.raises(ConfigError, match="no Azure environment 'mars'; there are public, usgov"):
        made(environment="mars")


@pytest.mark.parametrize(("client_id", "secret"), [("", "s"), ("c", "")])
def test_id_and_secret_are_needed(client_id, secret):
    with pytest.raises(ConfigError, match="one is empty"):
        AzureClientSecret("t-1", client_id, secret)


def test_the_workspace_tells_its_tenant():
    redirect = answer(b"", 302, location=f"{LOGIN.title()}/0-b5a/oauth2/authorize?client_id=x")
    hand = Hand(redirect, token())
    hand.fetch(AzureClientSecret(None, "c-1", CANARY), site(HOST))
    assert [ask.url for ask in hand.steps] == [f"{HOST}/aad/auth", f"{LOGIN}/0-b5a/oauth2/token"]


@pytest.mark.parametrize(
    "given",
    [
        answer(b"<html>", 200),
        answer({}, 404),
        answer(b"", 302),
        answer(b"", 302, location="/t-1/oauth2/authorize"),
        answer(b"", 302, location="https://evil.example.com/t-1/oauth2"),
        answer(b"", 302, location="http://login.microsoftonline.com/t-1/oauth2"),
        answer(b"", 302, location="https://login.microsoftonline.com.evil.com/t-1/x"),
        answer(b"", 302, location=f"{LOGIN}/"),
        answer(b"", 302, location=f"{LOGIN}/%2e%2e/x"),
        answer(b"", 302, location="https://[/x"),
        answer(b"", 200, location=f"{LOGIN}/t-1/oauth2"),
        APIConnectionError("no route"),
    ],
)
def test_a_workspace_that_does_not_tell_is_told(given):
    said = fails(AzureClientSecret(None, "c-1", CANARY), given)
    assert "pass tenant_id= or set ARM_TENANT_ID" in said


def test_a_tenant_stays_in_its_place():
    hand = Hand(token())
    hand.fetch(AzureClientSecret("a/b?c", "c-1", CANARY), site(HOST))
    assert hand.steps[0].url == f"{LOGIN}/a%2Fb%3Fc/oauth2/token"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (answer({"error": "invalid_client", "error_description": f"not {CANARY}"}, 401), "not ***"),
        (answer(b"<html>"), "perhaps a web page"),
        (answer({"access_token": 7}), "JSON without access_token"),
        (answer({"access_token": "a\nb"}), "line break"),
        (answer({"access_token": "t", "token_type": "pop"}), "no Bearer token"),
        (answer(b"", 307, location="https://evil.example.com"), "redirects"),
        (APIConnectionError(f"lost {CANARY}"), "lost ***"),
    ],
)
def test_a_login_that_fails_says_why(given, words):
    assert words in fails(made(), given)
    assert words in fails(made(resource_id=RESOURCE), token(), given)


def test_it_is_configured_for_azure_only():
    kind, both = AzureClientSecret, {"azure_client_id": "c", "azure_client_secret": "s"}
    assert kind.configured(values()) == "no azure_client_id and no azure_client_secret"
    assert kind.configured(values(azure_client_id="c")) == "no azure_client_secret"
    said = kind.configured(values(host=wire.HOST, **both))
    assert said == "the host is not on Azure, and there is no azure_workspace_resource_id"
    assert "not on Azure" in kind.configured(values(host="https://[", **both))
    assert "not on Azure" in kind.configured(values(host="azuredatabricks.net.evil.com", **both))
    for given in (
        {"host": HOST},
        {"host": "adb-1.2.AzureDatabricks.net"},
        {"host": "adb.databricks.azure.cn"},
        {"host": wire.HOST, "azure_workspace_resource_id": RESOURCE},
    ):
        assert isinstance(kind.configured(values(**given, **both)), kind)


def test_a_configured_cloud_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="mars"):
        AzureClientSecret.configured(
            values(
                host=HOST,
                azure_client_id="c",
                azure_client_secret="s",
                azure_environment="mars",
            )
        )


def test_tokens_of_a_service_principal_can_be_kept_apart():
    others = [
        AzureClientSecret("t-2", "c-1", CANARY),
        AzureClientSecret(None, "c-1", CANARY),
        AzureClientSecret("t-1", "c-2", CANARY),
        made(resource_id=RESOURCE),
        made(environment="china"),
    ]
    assert len({source.identity for source in (made(), *others)}) == 6
    assert made().identity == made().identity
    assert CANARY not in made(resource_id=RESOURCE).identity


def test_a_source_shows_nothing():
    assert repr(made()) == "AzureClientSecret()"


def test_both_clients_log_in_at_entra(shell, monkeypatch):
    for name, text in {
        "DATABRICKS_HOST": HOST,
        "DATABRICKS_AZURE_RESOURCE_ID": RESOURCE,
        "ARM_CLIENT_ID": "c-1",
        "ARM_CLIENT_SECRET": CANARY,
    }.items():
        monkeypatch.setenv(name, text)
    address = f"{LOGIN}/9-a/oauth2/token"

    def give(request):
        made = "t-9" if APPLICATION in request.content.decode() else "management-0123456789"
        return httpx.Response(200, json={"access_token": made, "expires_in": "3599"})

    redirect = httpx.Response(302, headers={"location": f"{LOGIN}/9-a/oauth2/authorize"})
    workspace = Workspace({address: give, f"{HOST}/aad/auth": lambda _: redirect})
    sent = workspace.call(shell)
    assert sent.headers["authorization"] == "Bearer t-9"
    assert sent.headers["x-databricks-azure-workspace-resource-id"] == RESOURCE
    assert sent.headers["x-databricks-azure-sp-management-token"] == "management-0123456789"
    assert len(workspace.sent(address)) == 2
