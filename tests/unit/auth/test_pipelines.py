"""Token federation in pipelines: jobs of GitHub Actions and of Azure DevOps."""

import re

import httpx
import pytest
import wire
from sources import CANARY, Hand, Workspace, answer, form_of, jwt, site, token, values

from databricks_serving.auth import OAuthTokenFederation
from databricks_serving.auth._federation import AzureDevOpsFederation, GitHubFederation
from databricks_serving.errors import APIConnectionError, InternalServerError, TokenError

pytestmark = pytest.mark.usefixtures("bare_machine")
ADDRESS = f"{wire.HOST}/oidc/v1/token"
UNKNOWN = answer({}, 404)
SUBJECT = jwt(exp=4_000_000_000)
GITHUB = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://run.example.com/token?api-version=2",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": CANARY,
}
DEVOPS = {
    "SYSTEM_ACCESSTOKEN": CANARY,
    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://dev.example.com/org/",
    "SYSTEM_TEAMPROJECTID": "p-1",
    "SYSTEM_HOSTTYPE": "build",
    "SYSTEM_PLANID": "plan-1",
    "SYSTEM_JOBID": "job-1",
}
DEVOPS_PATH = "/org/p-1/_apis/distributedtask/hubs/build/plans/plan-1/jobs/job-1/oidctoken"
KINDS = {
    "github-oidc": (OAuthTokenFederation.github, GITHUB, "value"),
    "azure-devops-oidc": (OAuthTokenFederation.azure_devops, DEVOPS, "oidcToken"),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param, *KINDS[request.param]


def asked(make, variables, key, **options):
    hand = Hand(UNKNOWN, answer({key: SUBJECT}), token("t-1"))
    variables = {name: f" {text}\n" for name, text in variables.items()}
    made = hand.fetch(make(client_id="c-1", **options), site(**variables))
    assert (made.value, made.expires_in) == ("t-1", 3600)
    form = form_of(hand.steps[-1])
    assert (form["subject_token"], form["client_id"]) == (SUBJECT, "c-1")
    return hand.steps[1]


def test_github_is_asked_for_the_audience_that_exchanges():
    ask = asked(OAuthTokenFederation.github, GITHUB, "value")
    assert ask.method == "GET"
    assert ask.url.startswith("https://run.example.com/token?api-version=2&audience=https%3A%2F%2F")
    assert httpx.URL(ask.url).params["audience"] == ADDRESS
    assert ask.headers["authorization"] == f"Bearer {CANARY}"


def test_github_is_asked_for_another_audience():
    bare = {**GITHUB, "ACTIONS_ID_TOKEN_REQUEST_URL": "https://run.example.com/token"}
    ask = asked(OAuthTokenFederation.github, bare, "value", audience="my app&x=1")
    assert ask.url == "https://run.example.com/token?audience=my%20app%26x%3D1"


def test_azure_devops_is_asked_at_the_job():
    ask = asked(OAuthTokenFederation.azure_devops, DEVOPS, "oidcToken")
    assert ask.method == "POST"
    assert ask.url == f"https://dev.example.com{DEVOPS_PATH}?api-version=7.2-preview.1"
    assert ask.headers["authorization"] == f"Bearer {CANARY}"
    assert ask.content.reveal() == b""


def test_names_of_azure_devops_stay_in_their_places():
    odd = {**DEVOPS, "SYSTEM_TEAMPROJECTID": "a/../b?c", "SYSTEM_PLANID": "x#y"}
    url = asked(OAuthTokenFederation.azure_devops, odd, "oidcToken").url
    assert "/org/a%2F..%2Fb%3Fc/_apis/" in url
    assert "/plans/x%23y/jobs/" in url


def fails(kind, *answers, **changed):
    name, make, variables, _ = kind
    hand = Hand(UNKNOWN, *answers)
    with pytest.raises(TokenError) as caught:
        hand.fetch(make(client_id="c-1"), site(**variables | changed))
    assert caught.value.source == name
    said = f"{caught.value!s}{caught.value!r}"
    assert CANARY not in said
    return caught.value


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (answer(b"<html>log in</html>"), "gave no token for this job: no JSON with"),
        (answer({"other": CANARY}), "no JSON with"),
        (answer({"value": 7, "oidcToken": 7}), "no JSON with"),
        (answer([CANARY]), "no JSON with"),
        (answer({}, 401), "status 401"),
        (answer({"value": SUBJECT, "oidcToken": SUBJECT}, 403), "status 403"),
        (answer(b"", 302, location=f"https://evil.example.com/{CANARY}"), "status 302"),
        (APIConnectionError(f"no route, {CANARY}"), r"no route"),
    ],
)
def test_a_pipeline_that_gives_no_token_is_told(kind, given, words):
    assert words in str(fails(kind, given))


def test_a_pipeline_that_is_down_may_be_up_again(kind):
    error = fails(kind, InternalServerError("down", status_code=503))
    assert (error.transient, error.status_code) == (True, 503)


@pytest.mark.parametrize(
    ("subject", "words"),
    [("", "is empty"), (jwt(exp=1_000_000_000), "expired"), ("a b", "character")],
)
def test_a_token_of_a_pipeline_that_cannot_be_used_is_told(kind, subject, words):
    given = answer({"value": subject, "oidcToken": subject})
    said = str(fails(kind, given))
    assert words in said
    assert "made it for this job" in said


@pytest.mark.parametrize("root", ["http://run.example.com/x", "ftp://run.example.com", "run", "["])
def test_the_jobs_token_goes_over_https_only(kind, root):
    _, _, variables, _ = kind
    name = next(name for name in variables if "UR" in name)
    assert "is not https" in str(fails(kind, **{name: root}))


def test_what_a_job_lacks_is_named(kind):
    _, make, variables, _ = kind
    for name in variables:
        kept = {key: text for key, text in variables.items() if key != name}
        with pytest.raises(TokenError, match=f"{name} not set: does the job have"):
            Hand(UNKNOWN).fetch(make(), site(**kept))


def test_where_there_is_no_job_that_is_said(kind):
    name, make, _, _ = kind
    wish = {
        "github-oidc": "GitHub Actions with `id-token: write`",
        "azure-devops-oidc": "Azure DevOps with `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`",
    }[name]
    with pytest.raises(TokenError, match=re.escape(f"{name}: this is no job of {wish}")):
        Hand(UNKNOWN).fetch(make(), site())


def test_a_job_with_a_client_id_configures_it(kind):
    name, _, variables, key = kind
    chain = {"github-oidc": GitHubFederation, "azure-devops-oidc": AzureDevOpsFederation}[name]
    assert chain.configured(values()).startswith("this is no job of ")
    first, second, *rest = variables
    said = chain.configured(values(dict.fromkeys(rest, "x") or {first: "x"}))
    lacking = [first, second] if rest else [second]
    assert said.startswith(f"{' and '.join(lacking)} not set: does the job have `")
    assert chain.configured(values(variables)) == "no client_id"
    source = chain.configured(values(variables, client_id="c-1", token_audience="aud"))
    assert source.auth_type == name
    hand = Hand(UNKNOWN, answer({key: SUBJECT}), token())
    hand.fetch(source, site(**variables))
    assert form_of(hand.steps[-1])["client_id"] == "c-1"
    assert ("audience=aud" in hand.steps[1].url) == (name == "github-oidc")


def test_both_clients_log_in_from_a_pipeline(shell, kind, monkeypatch):
    _, _, variables, key = kind
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "c-1")
    issuer = {"https://run.example.com/token": {key: SUBJECT}}
    issuer[f"https://dev.example.com{DEVOPS_PATH}"] = {key: SUBJECT}
    workspace = Workspace({ADDRESS: {"access_token": "t-1", "expires_in": 3600}, **issuer})
    assert workspace.call(shell, wire.HOST).headers["authorization"] == "Bearer t-1"
    gave = next(r for r in workspace.requests if r.url.host != "workspace.example.com")
    assert gave.headers["authorization"] == f"Bearer {CANARY}"
    assert all(CANARY not in str(r.headers) for r in workspace.requests if r is not gave)
