"""Which way a call goes to its endpoint."""

import pytest
import wire

from databricks_serving._core.places import Place
from databricks_serving._core.routes import route_of
from databricks_serving.errors import ConfigError, InvalidRequestError

CHAT = {"model": "m", "messages": wire.USER}
GATEWAY = "https://1234.ai-gateway.cloud.databricks.com/mlflow/v1"


def sent_by(shell, route, call=lambda c: c.chat.completions.create(**CHAT), body=None):
    client = shell.client(wire.json_reply(body or wire.chat()), route=route)
    shell.wait(call(client))
    return shell.transport.requests[0], shell.transport.bodies[0]


@pytest.mark.parametrize(
    ("route", "url"),
    [
        ("invocations", f"{wire.HOST}/serving-endpoints/m/invocations"),
        ("openai", f"{wire.HOST}/serving-endpoints/chat/completions"),
        ("ai-gateway", f"{wire.HOST}/ai-gateway/mlflow/v1/chat/completions"),
        (GATEWAY, f"{GATEWAY}/chat/completions"),
        (f"{GATEWAY}/", f"{GATEWAY}/chat/completions"),
        (f"{GATEWAY}?", f"{GATEWAY}/chat/completions"),
        ("https://Gateway.Example.com:443/v1", "https://gateway.example.com/v1/chat/completions"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/chat/completions"),
    ],
)
def test_the_same_call_goes_to_the_address_of_its_route(shell, route, url):
    request, body = sent_by(shell, route)
    assert str(request.url) == url
    named = {} if route == "invocations" else {"model": "m"}
    assert body == {"messages": wire.USER} | named
    assert request.headers["authorization"] == f"Bearer {wire.TOKEN}"


@pytest.mark.parametrize(
    ("call", "body", "path"),
    [
        (
            lambda c: c.completions.create(model="m", prompt="Hi"),
            wire.completion(),
            "/serving-endpoints/completions",
        ),
        (
            lambda c: c.embeddings.create(model="m", input="Hi"),
            wire.embeddings([1.0]),
            "/serving-endpoints/embeddings",
        ),
    ],
)
def test_each_task_has_its_path(shell, call, body, path):
    request, sent = sent_by(shell, "openai", call, body)
    assert request.url.path == path
    assert sent["model"] == "m"


def test_a_stream_goes_the_same_way(shell):
    events = wire.chunk("The Po."), wire.chunk(finish_reason="stop"), "[DONE]"
    client = shell.client(lambda _: wire.stream(*events), route="ai-gateway")
    with shell.opened(client.chat.completions.stream(**CHAT)) as stream:
        assert shell.wait(stream.get_final_completion()).text == "The Po."
    assert shell.transport.requests[0].url.path == "/ai-gateway/mlflow/v1/chat/completions"
    assert shell.transport.bodies[0]["stream"] is True


def test_a_call_and_a_copy_choose_their_own_route(shell):
    client = shell.client(lambda _: wire.json_reply(wire.chat()))
    copy = client.with_options(route="openai")
    assert (client.route, copy.route) == ("invocations", "openai")
    assert copy.with_options(timeout=1).route == "openai"
    shell.wait(copy.chat.completions.create(**CHAT))
    shell.wait(copy.chat.completions.create(**CHAT, route="invocations"))
    shell.wait(client.chat.completions.create(**CHAT, route="ai-gateway"))
    assert [request.url.path for request in shell.transport.requests] == [
        "/serving-endpoints/chat/completions",
        "/serving-endpoints/m/invocations",
        "/ai-gateway/mlflow/v1/chat/completions",
    ]


def test_query_parameters_go_along(shell):
    request, _ = sent_by(
        shell, "openai", lambda c: c.chat.completions.create(**CHAT, extra_query={"a": "1"})
    )
    assert request.url.query == b"a=1"


@pytest.mark.parametrize(
    ("route", "message"),
    [
        ("gateway", "route must be one of invocations, openai, open-responses, ai-gateway, or an"),
        ("", "route must be one of"),
        (7, "not int"),
        ("http://gateway.example.com/v1", "the address of a route must use https, not http"),
        ("ftp://localhost/v1", "must be an https URL, not ftp"),
        ("https://user:secret@gateway.example.com", "must not carry a user name or password"),
        ("https://:secret@gateway.example.com", "must not carry a user name or password"),
        ("https://gateway.example.com/v1?key=secret", "must not have a query or fragment"),
        ("https://[secret", "is not a valid URL"),
        ("https://gateway.example.com:99999", "has an invalid port"),
        ("https://gate way.example.com", "has a space or control character in it"),
        ("https://:443/v1", "is not a valid host name"),
        ("https://169.254.169.254/v1", "is not the address of a workspace"),
        ("https://gateway.example.com\\@secret.example.com", "must not carry a user name"),
    ],
)
def test_a_route_that_is_none_is_refused(shell, route, message):
    with pytest.raises(ConfigError, match=message) as caught:
        shell.client(route=route)
    assert "secret" not in str(caught.value)
    client = shell.client(wire.json_reply(wire.chat()))
    with pytest.raises(InvalidRequestError, match=message):
        shell.wait(client.chat.completions.create(**CHAT, route=route))
    assert shell.transport.requests == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda c: c.chat.completions.create(**CHAT, route="open-responses"),
            "route 'open-responses' does not serve chat/completions",
        ),
        (
            lambda c: c.completions.create(model="m", prompt="Hi", route="ai-gateway"),
            "route 'ai-gateway' does not serve completions",
        ),
        (
            lambda c: c.chat.completions.create(**CHAT, route="openai", served_model="v2"),
            "served_model can be chosen on the endpoint's own path only",
        ),
    ],
)
def test_a_route_that_cannot_serve_the_call_is_named(shell, call, message):
    client = shell.client(wire.json_reply(wire.chat()))
    with pytest.raises(InvalidRequestError, match=message):
        shell.wait(call(client))
    assert shell.transport.requests == []


def test_names_of_the_catalogue_go_through_the_gateway(shell):
    _, body = sent_by(
        shell,
        "ai-gateway",
        lambda c: c.chat.completions.create(model="system.ai.river", messages=wire.USER),
    )
    assert body["model"] == "system.ai.river"


def test_an_endpoint_with_an_address_of_its_own_has_no_other_route():
    place = Place(wire.HOST, "m", "https://own.example.com/m")
    with pytest.raises(InvalidRequestError, match="cannot be combined with route_optimized"):
        place.url_through(route_of("openai"), "chat/completions", {})


def test_a_client_for_one_endpoint_asks_the_workspace_nothing():
    place = Place(wire.HOST, "m", "https://own.example.com/m")
    with pytest.raises(InvalidRequestError, match="tokens for endpoint 'm' alone"):
        place.url_on_host("/api/2.0/serving-endpoints", {})
