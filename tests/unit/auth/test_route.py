"""Route-optimised endpoints, served models, and hosts of several workspaces."""

import json
from urllib.parse import parse_qs

import httpx
import pytest
import wire

from databricks_serving.auth import OAuthClientCredentials, Token
from databricks_serving.errors import (
    ConfigError,
    InvalidRequestError,
    PermissionDeniedError,
    TokenError,
)

OWN = "https://abc.serving.cloud.databricks.com/42/serving-endpoints/rivers"
DETAILS = '[{"type":"workspace_permission"}]'
DESCRIBED = {
    "name": "rivers",
    "id": "e-1",
    "endpoint_url": f"{OWN}/invocations",
    "data_plane_info": {
        "query_info": {"endpoint_url": f"{OWN}/invocations", "authorization_details": DETAILS}
    },
}


class Workspace:
    """A workspace with a route-optimised endpoint."""

    def __init__(self, described=DESCRIBED, status=200):
        self.described = described
        self.status = status
        self.forms = []
        self.asked = []

    def __call__(self, request):
        path = request.url.path
        self.asked.append((request.method, f"{request.url.scheme}://{request.url.host}{path}"))
        if path.startswith("/oidc/.well-known/"):
            return httpx.Response(404)
        if path.startswith("/oidc/"):
            form = {name: value[0] for name, value in parse_qs(request.content.decode()).items()}
            self.forms.append(form)
            kind = "endpoint" if "authorization_details" in form else "workspace"
            reply = {"access_token": f"{kind}-{len(self.forms)}", "expires_in": 3600}
            return httpx.Response(200, json=reply)
        if path.startswith("/api/"):
            self.viewer = request.headers["authorization"]
            return httpx.Response(self.status, json=self.described)
        self.caller = request.headers["authorization"]
        return wire.json_reply(wire.chat())

    @property
    def called(self):
        return [url for method, url in self.asked if url.endswith("/invocations")]


def client_of(shell, workspace, auth=None, **options):
    auth = auth or OAuthClientCredentials("c-1", "hush-secret")
    transport = httpx.MockTransport(workspace)
    return shell.client_class(wire.HOST, auth=auth, transport=transport, **options)


def call(shell, client, **arguments):
    create = client.chat.completions.create
    return shell.wait(create(**{"model": "rivers", "messages": wire.USER} | arguments))


def test_an_endpoint_is_found_and_called_at_its_own_address(shell):
    workspace = Workspace()
    client = client_of(shell, workspace).route_optimized("rivers")
    assert workspace.asked == []
    for _ in range(3):
        assert call(shell, client).text == "The Po."
    assert workspace.called == [f"{OWN}/invocations"] * 3
    assert workspace.viewer == "Bearer workspace-1"
    assert workspace.caller == "Bearer endpoint-2"
    assert [form.get("authorization_details") for form in workspace.forms] == [None, DETAILS]
    assert {form["grant_type"] for form in workspace.forms} == {"client_credentials"}
    told = shell.wait(client.auth.describe())
    assert told.splitlines()[-1] == f"endpoint rivers at {OWN}, with tokens of its own"


def test_what_is_known_is_not_asked_for(shell):
    workspace = Workspace()
    client = client_of(shell, workspace).route_optimized(
        "rivers", url=f"{OWN}/invocations?x=1", endpoint_id="e-7"
    )
    call(shell, client)
    assert workspace.called == [f"{OWN}/invocations"]
    (form,) = workspace.forms
    (details,) = json.loads(form["authorization_details"])
    assert details["object_path"] == "/serving-endpoints/e-7"
    assert details["actions"] == ["query_inference_endpoint"]


def test_a_token_for_the_workspace_is_exchanged(shell):
    workspace = Workspace()
    client = client_of(shell, workspace, lambda: Token("eyJ-of-a-person", 3600))
    call(shell, client.route_optimized("rivers"))
    (form,) = workspace.forms
    assert form["grant_type"].endswith(":jwt-bearer")
    assert (form["assertion"], form["authorization_details"]) == ("eyJ-of-a-person", DETAILS)
    assert workspace.caller == "Bearer endpoint-1"


def test_the_details_are_made_from_the_id_where_none_are_described(shell):
    workspace = Workspace({"id": "e-9", "endpoint_url": OWN})
    call(shell, client_of(shell, workspace).route_optimized("rivers"))
    assert "/serving-endpoints/e-9" in workspace.forms[-1]["authorization_details"]


def test_a_personal_token_is_told_what_to_do(shell):
    workspace = Workspace()
    client = shell.client_class(wire.HOST, "dapi0123", transport=httpx.MockTransport(workspace))
    with pytest.raises(TokenError, match=r"no personal access token: log in by OAuth") as caught:
        call(shell, client.route_optimized("rivers"))
    assert workspace.called == []
    assert "dapi0123" not in repr(caught.value)


@pytest.mark.parametrize(
    ("described", "status", "kind", "text"),
    [
        ({"id": "e-1"}, 200, ConfigError, "is not route-optimised"),
        ({"message": "no"}, 403, TokenError, "cannot be read .status 403."),
        ({"message": "no"}, 404, TokenError, "there is no endpoint 'rivers'"),
        ({"endpoint_url": "http://evil.test/x", "id": "1"}, 200, ConfigError, "must be https"),
        ([], 200, TokenError, "cannot be read"),
    ],
)
def test_an_endpoint_that_cannot_be_found_is_a_clear_error(shell, described, status, kind, text):
    workspace = Workspace(described, status)
    with pytest.raises(kind, match=text):
        call(shell, client_of(shell, workspace).route_optimized("rivers"))
    assert workspace.called == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"url": OWN}, "url and endpoint_id together"),
        ({"endpoint_id": "e-1"}, "url and endpoint_id together"),
        ({"url": "http://a.test/x", "endpoint_id": "e-1"}, "must be https"),
        ({"url": "nonsense", "endpoint_id": "e-1"}, "must be https"),
    ],
)
def test_half_a_route_or_an_unsafe_one_is_refused_at_once(shell, arguments, text):
    with pytest.raises(ConfigError, match=text):
        client_of(shell, Workspace()).route_optimized("rivers", **arguments)


def test_a_client_for_one_endpoint_calls_no_other(shell):
    workspace = Workspace()
    client = client_of(shell, workspace).route_optimized("rivers")
    with pytest.raises(InvalidRequestError, match="calls endpoint 'rivers' at an address"):
        call(shell, client, model="lakes")
    assert workspace.called == []


def test_a_personal_token_at_the_wrong_address_has_a_hint(shell):
    def refuse(_):
        return wire.json_reply({"message": "no"}, status=403)

    client = shell.client_class(
        "https://abc.serving.cloud.databricks.com/42",
        "dapi0123",
        transport=httpx.MockTransport(refuse),
    )
    with pytest.raises(PermissionDeniedError) as caught:
        call(shell, client)
    assert "route_optimized" in caught.value.hint


def test_one_served_model_has_an_address_of_its_own(shell):
    workspace = Workspace()
    client = client_of(shell, workspace)
    call(shell, client, served_model="v2-of.rivers")
    call(shell, client.route_optimized("rivers"), served_model="v2")
    assert workspace.called == [
        f"{wire.HOST}/serving-endpoints/rivers/served-models/v2-of.rivers/invocations",
        f"{OWN}/served-models/v2/invocations",
    ]


@pytest.mark.parametrize("name", ["", "a/b", "..", 7, "a b", "x" * 300])
def test_a_served_model_is_named_like_one(shell, name):
    workspace = Workspace()
    with pytest.raises(InvalidRequestError, match="served_model must be the name"):
        call(shell, client_of(shell, workspace), served_model=name)
    assert workspace.called == []


def test_a_host_of_several_workspaces_is_told_which(shell, monkeypatch):
    seen = []

    def answer(request):
        seen.append(request.headers.get("x-databricks-workspace-id"))
        return wire.json_reply(wire.chat())

    for value in (None, "123"):
        if value:
            monkeypatch.setenv("DATABRICKS_WORKSPACE_ID", value)
        client = shell.client_class(wire.HOST, "t", transport=httpx.MockTransport(answer))
        call(shell, client)
    assert seen == [None, "123"]
