"""What a fake answers by itself: rules, endpoints, logins; and where it stands in."""

import threading

import httpx
import pytest
import trio
from kit import HI, ask, client_of

from databricks_serving import ServingClient, errors
from databricks_serving.auth import AzureClientSecret, OAuthClientCredentials
from databricks_serving.testing import FakeServing, UnexpectedRequestError


@pytest.fixture
def fake():
    return FakeServing()


@pytest.fixture
def client(shell, fake):
    return client_of(shell, fake, max_retries=0)


@pytest.mark.parametrize("stream", [None, True])
def test_a_rule_answers_what_nothing_is_scripted_for(shell, stream):
    fake = FakeServing(default="echo")
    client = client_of(shell, fake)
    fake.chat("Scripted.")
    assert ask(shell, client).text == "Scripted."
    answer = ask(shell, client, stream=stream)
    texts = [answer.text] if stream is None else [chunk.text for chunk in shell.items(answer)]
    assert "".join(texts) == "You said: Name a river."
    fake.assert_all_used()


def test_the_echo_knows_all_tasks(shell):
    client = client_of(shell, FakeServing(default="echo"))
    assert shell.wait(client.completions.create(model="m", prompt="a")).choices[0].text == "a"
    assert shell.wait(client.responses.create(model="m", input="a")).text == "You said: a"
    assert len(shell.wait(client.embeddings.create(model="m", input=["a", "b"])).vectors) == 2
    with shell.opened(client.predict_stream("m", inputs=[1, 2])) as stream:
        assert shell.items(stream) == [1, 2]


@pytest.mark.parametrize(
    ("rows", "echoed"),
    [
        ({"inputs": [1, 2]}, [1, 2]),
        ({"inputs": {"a": [1, 2], "b": [3, 4]}}, [1, 2]),
        ({"inputs": 7}, [7]),
        ({"instances": [{"a": 1}]}, [{"a": 1}]),
        ({"dataframe_records": [{"a": 1}]}, [{"a": 1}]),
        ({"dataframe_split": {"columns": ["a"], "data": [[1], [2]]}}, [[1], [2]]),
    ],
)
def test_the_echo_repeats_rows(shell, rows, echoed):
    client = client_of(shell, FakeServing(default="echo"))
    assert shell.wait(client.predict("m", **rows)).predictions == echoed


def test_a_rule_may_be_a_function_and_may_go(shell, fake, client):
    fake.default(lambda request: request.endpoint)
    assert ask(shell, client).text == "rivers"
    fake.default(None)
    with pytest.raises(UnexpectedRequestError):
        ask(shell, client)


def test_endpoints_are_described(shell, fake, client):
    fake.endpoint("rivers", description={"creator": "me"})
    fake.endpoint("model", task=None, openapi={"openapi": "3.1.0", "paths": {}})
    listed = shell.wait(client.endpoints.list())
    assert [(one.name, one.task, one.is_ready) for one in listed] == [
        ("rivers", "llm/v1/chat", True),
        ("model", None, True),
    ]
    assert shell.wait(client.endpoints.get("rivers")).creator == "me"
    assert shell.wait(client.endpoints.get_openapi("model")).openapi == "3.1.0"
    with pytest.raises(errors.NotFoundError, match="'seas' does not exist"):
        shell.wait(client.endpoints.get("seas"))
    fake.assert_called(task="endpoints", endpoint="model")


def test_an_endpoint_is_waited_for(shell, fake, client):
    fake.endpoint("rivers", ready=[False, False, True])
    assert shell.wait(client.endpoints.wait_ready("rivers")).is_ready
    assert len(fake.requests) == 3
    fake.endpoint("seas", ready=False, description={"state": {"config_update": "UPDATE_FAILED"}})
    with pytest.raises(errors.EndpointWaitError, match="UPDATE_FAILED"):
        shell.wait(client.endpoints.wait_ready("seas"))


def test_an_endpoint_is_created(shell, fake, client):
    fake.endpoint("mine")
    call = client.endpoints.create_external(
        name="mine",
        model="gpt",
        provider="openai",
        task="llm/v1/chat",
        config={"openai_api_key": "{{secrets/a/b}}"},
    )
    assert shell.wait(call).name == "mine"
    assert fake.last.body["name"] == "mine"


def test_a_description_may_be_an_error(shell, fake, client):
    fake.endpoint("rivers")
    fake.error(403, task="endpoints")
    with pytest.raises(errors.PermissionDeniedError):
        shell.wait(client.endpoints.get("rivers"))
    assert shell.wait(client.endpoints.get("rivers")).is_ready


def test_logins_by_oauth_get_tokens(shell, fake):
    client = client_of(shell, fake, auth=OAuthClientCredentials("client", "secret-of-mine"))
    fake.chat("A.", times=2)
    ask(shell, client)
    fake.time.advance(3600)
    ask(shell, client)
    asked = [one.path for one in fake.logins if one.method == "POST"]
    assert asked == ["/oidc/v1/token"] * 2
    assert fake.logins[-1].body["grant_type"] == "client_credentials"
    assert "secret-of-mine" not in repr([(one.body, one.headers) for one in fake.logins])
    assert len(fake.requests) == 2


def test_logins_at_azure_get_their_tenant_and_tokens(shell, fake):
    login = AzureClientSecret(None, "client", "secret-of-mine")
    host = "https://adb-1.2.azuredatabricks.net"
    client = shell.client_class(host, auth=login, transport=fake)
    fake.chat("A.")
    assert ask(shell, client).text == "A."
    tenant = "00000000-0000-4000-8000-000000000001"
    assert [one.path for one in fake.logins] == ["/aad/auth", f"/{tenant}/oauth2/token"]


def test_a_login_in_another_way_is_unexpected(fake):
    with pytest.raises(UnexpectedRequestError, match="task='token'"):
        httpx.Client(transport=fake).get("https://a.example/oidc/elsewhere")
    fake.error(500)
    with pytest.raises(UnexpectedRequestError, match="not for requests of this kind"):
        httpx.Client(transport=fake).get("https://a.example/oidc/elsewhere")


def test_an_app_on_a_cluster_answers(shell, fake, client):
    app = client.endpoint(cluster_id="0101-abc", port=7777, task="text")
    fake.json("Hello.")
    assert shell.wait(app.invoke("Hi")) == "Hello."
    assert (fake.last.endpoint, fake.last.text) == (None, "Hi")


def test_a_handle_asks_what_an_endpoint_is(shell, fake, client):
    fake.endpoint("rivers")
    fake.chat("A.")
    handle = client.endpoint("rivers", task="infer")
    assert shell.wait(handle.invoke("Hi")).text == "A."
    assert [one.task for one in fake.requests] == ["endpoints", "chat"]


def test_a_login_may_fail(shell, fake):
    client = client_of(shell, fake, auth=OAuthClientCredentials("client", "secret"))
    fake.error(401, task="token", times=None)
    with pytest.raises(errors.TokenError):
        ask(shell, client)


def test_a_fake_serves_threads(fake):
    client = fake.client()
    fake.respond(lambda request: request.text, times=200)
    said = []

    def work(number):
        for turn in range(20):
            text = f"{number}-{turn}"
            messages = [{"role": "user", "content": text}]
            said.append(client.chat.completions.create(model="m", messages=messages).text == text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [True] * 200
    fake.assert_all_used()
    assert len({one.headers["idempotency-key"] for one in fake.requests}) == 200


def test_a_fake_serves_trio(fake):
    fake.error(503)
    fake.chat_stream(["a", "b"], drip=5)

    async def main():
        async with fake.async_client() as client:
            stream = await client.chat.completions.create(model="m", messages=HI, stream=True)
            return [chunk.text async for chunk in stream]

    assert trio.run(main) == ["", "a", "b", ""]
    assert sum(fake.time.slept) > 15


def test_a_fake_is_a_transport(shell, fake):
    fake.chat("A.")
    client = shell.client_class("https://own.example", "own", transport=fake)
    assert ask(shell, client).text == "A."
    assert fake.last.host == "own.example"
    assert repr(fake) == "<FakeServing: 1 requests, 0 replies left>"


def test_an_installed_fake_serves_clients_that_know_nothing_of_it(shell, fake, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", "https://real.example")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "real")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "real")
    monkeypatch.delenv("DATABRICKS_TOKEN", raising=False)
    before = shell.client_class("https://own.example")
    fake.chat("A.", times=3)
    with fake.installed() as entered:
        assert entered is fake
        within = shell.client_class()
        assert within.host == fake.host
        assert ask(shell, before).text == ask(shell, within).text == "A."
        assert ask(shell, client_of(shell, fake)).text == "A."
    assert [one.host for one in fake.requests] == ["own.example", "fake.example", "fake.example"]
    assert [one.host for one in fake.logins] == ["own.example"] * 2
    assert shell.client_class().host == "https://real.example"


def test_installed_fakes_nest(fake):
    inner = FakeServing()
    fake.chat("outer")
    inner.chat("inner")
    with fake.installed():
        client = ServingClient()
        with inner.installed():
            assert client.chat.completions.create(model="m", messages=HI).text == "inner"
        assert client.chat.completions.create(model="m", messages=HI).text == "outer"
