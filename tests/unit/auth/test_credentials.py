"""Tokens through both clients: fetched once, renewed beside the calls, replaced when refused."""

import asyncio
import threading
import time
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import anyio.to_thread
import httpx
import pytest
import wire

from databricks_serving import AsyncServingClient, ServingClient
from databricks_serving.auth import AccessToken, OAuthClientCredentials, Token
from databricks_serving.errors import (
    APITimeoutError,
    AuthenticationError,
    ClientClosedError,
    ConfigError,
    PermissionDeniedError,
    ServingError,
    TokenError,
)

SECRET = "hush-secret-0123456789"


class Service:
    """A workspace that gives numbered tokens, and takes those that it has not revoked."""

    def __init__(self, life=3600):
        self.life = life
        self.valid = set()
        self.fetches = 0
        self.calls = []
        self.refusal = None
        self.answers = []
        self.delay = 0.0
        self.lock = threading.Lock()

    def __call__(self, request):
        if "/oidc/" not in request.url.path:
            return self.invoke(request)
        if request.method == "GET":
            return httpx.Response(404)
        with self.lock:
            self.fetches += 1
            number = self.fetches
        time.sleep(self.delay)
        self.form = parse_qs(request.content.decode())
        self.basic = request.headers["authorization"]
        if self.answers:
            return self.answers.pop(0)
        self.valid.add(f"token-{number}")
        reply = {"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": self.life}
        return httpx.Response(200, json=reply)

    def invoke(self, request):
        given = request.headers["authorization"].removeprefix("Bearer ")
        self.calls.append(given)
        if given not in self.valid:
            return self.refusal or wire.json_reply({"message": "Invalid Token"}, status=403)
        return wire.json_reply(wire.chat())


def machine():
    return OAuthClientCredentials("client-1", SECRET)


def client_of(shell, service, auth=None, **options):
    shell.transport = httpx.MockTransport(service)
    options = {"auth": auth or machine(), "transport": shell.transport} | options
    client = shell.client_class(wire.HOST, **options)
    clocks = client._caller.credentials.clocks
    clocks.monotonic = clocks.wall = shell.clock.monotonic
    clocks.sleep, clocks.rand = shell._sleep, lambda: 0.0
    return client


def call(shell, client, **arguments):
    create = client.chat.completions.create
    return shell.wait(create(**{"model": "m", "messages": wire.USER} | arguments))


def test_a_machine_logs_in_at_its_first_call_and_once(shell):
    service = Service()
    client = client_of(shell, service)
    assert service.fetches == 0
    for _ in range(3):
        assert call(shell, client).text == "The Po."
    assert service.fetches == 1
    assert service.calls == ["token-1"] * 3
    assert service.form == {"grant_type": ["client_credentials"], "scope": ["all-apis"]}
    assert service.basic == "Basic Y2xpZW50LTE6aHVzaC1zZWNyZXQtMDEyMzQ1Njc4OQ=="


def test_a_token_that_ended_is_replaced_before_the_call(shell):
    service = Service()
    client = client_of(shell, service)
    call(shell, client)
    shell.clock.advance(3600)
    call(shell, client)
    assert service.calls == ["token-1", "token-2"]


def test_a_token_is_renewed_beside_the_calls(shell):
    service = Service()
    client = client_of(shell, service)
    call(shell, client)
    shell.clock.advance(3000)
    call(shell, client)
    settle(shell, lambda: len(service.valid) == 2)
    settle(shell, lambda: client._caller.credentials.access.keeper._flights._flight is None)
    call(shell, client)
    assert service.calls == ["token-1", "token-1", "token-2"]


def settle(shell, done):
    """Let what runs beside the calls come to its end."""
    for _ in range(200):
        if done():
            return
        if shell.name == "async":
            shell.wait(asyncio.sleep(0.01))
        else:
            time.sleep(0.01)
    raise AssertionError("it did not happen")


def test_a_renewal_that_fails_leaves_the_token_at_hand_and_is_logged_once(shell, caplog):
    service = Service()
    client = client_of(shell, service)
    call(shell, client)
    shell.clock.advance(3000)
    service.answers = [httpx.Response(400, json={"error": "invalid_client"})]
    for _ in range(5):
        call(shell, client)
        settle(shell, lambda: service.fetches == 2)
    assert service.calls == ["token-1"] * 6
    settle(shell, lambda: bool(warnings_of(caplog)))
    (line,) = warnings_of(caplog)
    assert "the present one is used on" in line
    assert SECRET not in caplog.text


def warnings_of(caplog):
    return [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]


@pytest.mark.parametrize(
    "refusal",
    [
        {"status": 401, "body": {"message": "Credential was not sent"}},
        {"status": 403, "body": {"error_code": 403, "message": "Invalid Token"}},
        {"status": 403, "body": {"error_code": 403, "message": "Invalid access token."}},
        {"status": 403, "body": {"message": "Token is expired. Log in again."}},
    ],
    ids=["401", "invalid token", "invalid access token", "expired"],
)
@pytest.mark.parametrize("max_retries", [0, 2])
def test_a_refused_token_is_replaced_and_the_call_made_again(shell, refusal, max_retries):
    service = Service()
    service.refusal = wire.json_reply(refusal["body"], status=refusal["status"])
    client = client_of(shell, service, max_retries=max_retries, idempotent=False)
    call(shell, client)
    service.valid.clear()
    assert call(shell, client).text == "The Po."
    assert service.calls == ["token-1", "token-1", "token-2"]
    assert shell.clock.slept == []


def test_a_call_is_made_again_once_at_most(shell):
    service = Service()
    service.refusal = wire.json_reply({"message": "no"}, status=401)
    client = client_of(shell, service)
    service.invoke = lambda _: service.calls.append(1) or service.refusal
    with pytest.raises(AuthenticationError) as caught:
        call(shell, client)
    assert (len(service.calls), service.fetches) == (2, 2)
    assert [one.wait for one in caught.value.history] == [0.0, None]
    # A token that was just fetched is not fetched again for the next call.
    with pytest.raises(AuthenticationError):
        call(shell, client)
    assert (len(service.calls), service.fetches) == (3, 2)


@pytest.mark.parametrize(
    "message", ["You lack the permission CAN QUERY", "blocked by IP access list"]
)
def test_a_refusal_that_is_not_about_the_token_is_final(shell, message):
    service = Service()
    service.invoke = lambda _: wire.json_reply({"message": message}, status=403)
    with pytest.raises(PermissionDeniedError) as caught:
        call(shell, client_of(shell, service))
    assert (caught.value.attempts, service.fetches) == (1, 1)


def test_a_token_that_was_given_as_it_is_is_not_tried_twice(shell):
    client = shell.client(wire.json_reply({"message": "no"}, status=401))
    with pytest.raises(AuthenticationError) as caught:
        call(shell, client)
    assert caught.value.attempts == len(shell.transport.requests) == 1


def test_a_token_from_the_environment_is_read_again_when_it_is_refused(shell, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "old-token")

    def answer(request):
        if request.headers["authorization"] == "Bearer old-token":
            monkeypatch.setenv("DATABRICKS_TOKEN", "new-token")
            return wire.json_reply({"message": "no"}, status=401)
        return wire.json_reply(wire.chat())

    client = shell.client_class(wire.HOST, transport=httpx.MockTransport(answer))
    assert call(shell, client).text == "The Po."


def test_a_stream_logs_in_like_any_call(shell):
    service = Service()
    ok = service.invoke

    def invoke(request):
        answer = ok(request)
        return answer if answer.status_code != 200 else wire.stream(wire.chunk("a", "stop"))

    service.invoke = invoke
    client = client_of(shell, service)
    shell.items(call(shell, client, stream=True))
    service.valid.clear()
    assert [c.text for c in shell.items(call(shell, client, stream=True))] == ["a"]


@pytest.mark.parametrize(
    ("answers", "fetches", "text"),
    [
        ([httpx.Response(401, json={"error": "invalid_client"})], 1, "refused: 401 invalid_client"),
        (
            [httpx.Response(400, json={"errorCode": "E1", "errorSummary": "wrong"})],
            1,
            "refused: 400 E1: wrong",
        ),
        ([httpx.Response(200, text="<html>Sign in</html>")], 1, "no JSON, perhaps a web page"),
        ([httpx.Response(200, json={"a": 1})], 1, "without access_token"),
        ([httpx.Response(200, json={"access_token": "a b"})], 1, "a token that has a character"),
        ([httpx.Response(200, json={"access_token": "a\n"})], 1, "line break"),
        (
            [httpx.Response(200, json={"access_token": "a", "token_type": "mac"})],
            1,
            "no Bearer token",
        ),
        ([httpx.Response(302, headers={"location": "https://evil.test"})], 1, "redirects"),
        ([httpx.Response(503)] * 3, 3, "no token from https://workspace.example.com"),
        ([httpx.Response(500, text="<html>down</html>")] * 3, 3, "no token from"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_token_service_that_gives_none_is_a_clear_error(shell, answers, fetches, text):
    service = Service()
    service.answers = list(answers)
    client = client_of(shell, service)
    with pytest.raises(TokenError, match=text) as caught:
        call(shell, client)
    error = caught.value
    assert (service.fetches, service.calls) == (fetches, [])
    assert (error.source, error.endpoint, error.attempts) == ("oauth-m2m", "m", 0)
    assert error.transient == error.retryable == (fetches == 3)
    assert not error.maybe_executed
    assert SECRET not in f"{error!r}{vars(error)}{error.__cause__!r}{error.__context__!r}"


def test_a_token_service_that_repeats_the_secret_does_not_get_it_into_an_error(shell):
    service = Service()
    for answer in (
        httpx.Response(401, json={"error": "invalid", "error_description": f"not {SECRET}"}),
        *[httpx.Response(500, text=f"failed with {SECRET}")] * 3,
    ):
        service.answers.append(answer)
    client = client_of(shell, service)
    for _ in range(2):
        with pytest.raises(TokenError, match=r"\*\*\*") as caught:
            call(shell, client)
        assert SECRET not in f"{caught.value!r}{vars(caught.value)}{caught.value.__cause__!r}"


def test_a_call_with_little_time_does_not_fail_those_that_have_more():
    async def main():
        started = []

        async def function():
            started.append(1)
            await asyncio.sleep(30 if len(started) == 1 else 0)
            return "t"

        transport = httpx.MockTransport(lambda _: wire.json_reply(wire.chat()))
        client = AsyncServingClient(wire.HOST, auth=function, transport=transport)
        hasty = client.with_options(deadline=0.1).chat.completions.create
        create = client.chat.completions.create
        first = asyncio.create_task(hasty(model="m", messages=wire.USER))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(create(model="m", messages=wire.USER))
        return await asyncio.gather(first, second, return_exceptions=True)

    first, second = asyncio.run(main())
    assert isinstance(first, APITimeoutError)
    assert (first.phase, first.maybe_executed) == ("total", False)
    assert second.text == "The Po."


def test_a_call_goes_on_with_a_token_near_its_end_when_no_other_is_to_be_had(shell):
    service = Service()
    client = client_of(shell, service)
    call(shell, client)
    shell.clock.advance(3580)
    service.answers = [httpx.Response(503)] * 3
    assert call(shell, client).text == "The Po."
    assert service.calls == ["token-1"] * 2
    shell.clock.advance(20)
    service.answers = [httpx.Response(503)] * 3
    with pytest.raises(TokenError):
        call(shell, client)


def test_a_secret_that_was_replaced_in_the_environment_is_read_again(shell, monkeypatch):
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "c-1")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "old-secret-value")
    service = Service()
    service.answers = [httpx.Response(401, json={"error": "invalid_client"})]
    client = shell.client_class(wire.HOST, transport=httpx.MockTransport(service))
    with pytest.raises(TokenError):
        call(shell, client)
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "new-secret-value")
    assert client.host == wire.HOST
    assert call(shell, client).text == "The Po."
    assert b64decode(service.basic.removeprefix("Basic ")) == b"c-1:new-secret-value"


def test_a_closed_client_says_so(shell):
    client = client_of(shell, Service())
    shell.wait(client.close())
    with pytest.raises(ClientClosedError):
        call(shell, client)


def test_two_logins_at_once_are_refused(shell):
    for options in ({"token": "t"}, {"auth_type": "pat"}):
        with pytest.raises(ConfigError, match="are both given"):
            shell.client_class(wire.HOST, auth=machine(), **options)


def test_the_headers_of_a_login_can_be_had_for_other_programs(shell):
    service = Service()
    client = client_of(shell, service)
    assert shell.wait(client.auth.headers()) == {"authorization": "Bearer token-1"}
    call(shell, client)
    assert service.fetches == 1


def test_a_token_service_that_repeats_the_header_does_not_get_it_into_an_error(shell):
    service = Service()
    basic = b64encode(f"client-1:{SECRET}".encode()).decode()
    service.answers = [httpx.Response(400, json={"error": f"bad: Basic {basic}"})]
    with pytest.raises(TokenError) as caught:
        call(shell, client_of(shell, service))
    service.answers = [httpx.Response(500, text=f"{SECRET} {basic}")] * 3
    with pytest.raises(TokenError) as second:
        call(shell, client_of(shell, service))
    chain = [caught.value, second.value]
    chain += [error.__context__ for error in chain if error.__context__ is not None]
    assert len(chain) == 3
    for error in chain:
        shown = f"{error!r}{vars(error)}"
        assert basic not in shown
        assert SECRET not in shown


def test_a_token_service_that_is_busy_is_asked_again(shell):
    service = Service()
    service.answers = [httpx.Response(429, headers={"retry-after": "1"}), httpx.Response(502)]
    assert call(shell, client_of(shell, service)).text == "The Po."
    assert service.fetches == 3


@pytest.mark.parametrize(
    ("named", "fetched"),
    [
        ("https://workspace.example.com/other/token", True),
        ("https://evil.example.com/token", False),
        ("http://workspace.example.com/token", False),
        ("https://workspace.example.com@evil.test/token", False),
    ],
)
def test_a_workspace_may_name_its_token_address_but_not_another_host(shell, named, fetched):
    asked = []

    def answer(request):
        asked.append(str(request.url))
        if request.method == "GET":
            return httpx.Response(200, json={"token_endpoint": named})
        if "/serving-endpoints/" in asked[-1]:
            return wire.json_reply(wire.chat())
        return httpx.Response(200, json={"access_token": "t"})

    client = client_of(shell, answer)
    if fetched:
        call(shell, client)
        assert named in asked
    else:
        with pytest.raises(TokenError, match="another place"):
            call(shell, client)
        assert len(asked) == 1


def test_the_token_address_of_a_gateway_path_is_the_hosts_own(shell):
    asked = []

    def answer(request):
        asked.append(request.url.path)
        if "/invocations" in asked[-1]:
            return wire.json_reply(wire.chat())
        return httpx.Response(200, json={"access_token": "t"})

    client = shell.client_class(
        f"{wire.HOST}/ai-gateway", auth=machine(), transport=httpx.MockTransport(answer)
    )
    call(shell, client)
    assert asked == [
        "/oidc/.well-known/oauth-authorization-server",
        "/oidc/v1/token",
        "/ai-gateway/serving-endpoints/m/invocations",
    ]


def test_the_deadline_of_a_call_bounds_the_wait_for_its_token(shell):
    service = Service()
    client = client_of(shell, service, deadline=10)

    def slow(_):
        shell.clock.advance(20)
        raise httpx.ReadTimeout("slow")

    client._caller.sender._given.handler = slow
    with pytest.raises(ServingError) as caught:
        call(shell, client)
    assert isinstance(caught.value, TokenError | APITimeoutError)
    assert len(caught.value.history) == 1


def returning(value):
    return lambda: value


async def later():
    await asyncio.sleep(0)
    return Token("later", 3600)


FUNCTIONS = {
    "text": (returning("plain"), "plain"),
    "token": (returning(Token("known", 3600, {"X-More": "extra-header-value-1"})), "known"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_gives_tokens(shell, name):
    function, expected = FUNCTIONS[name]
    seen = []
    client = client_of(
        shell, lambda r: seen.append(r.headers) or wire.json_reply(wire.chat()), function
    )
    call(shell, client)
    assert seen[0]["authorization"] == f"Bearer {expected}"
    assert seen[0].get("x-more") == ("extra-header-value-1" if name == "token" else None)


def test_plain_text_is_asked_for_again_after_a_minute(shell):
    calls = []

    def function():
        calls.append(1)
        return "t"

    client = client_of(shell, lambda _: wire.json_reply(wire.chat()), function)
    for _ in range(3):
        call(shell, client)
        shell.clock.advance(31)
    assert len(calls) == 2


def test_an_async_function_needs_the_asynchronous_client(shell):
    client = client_of(shell, lambda _: wire.json_reply(wire.chat()), later)
    if shell.name == "async":
        assert call(shell, client).text == "The Po."
    else:
        with pytest.raises(TokenError, match="needs AsyncServingClient"):
            call(shell, client)


def test_a_function_that_blocks_does_not_block_the_loop():
    async def main():
        def slow():
            time.sleep(0.2)
            return "t"

        transport = httpx.MockTransport(lambda _: wire.json_reply(wire.chat()))
        client = AsyncServingClient(wire.HOST, auth=slow, transport=transport)
        ticks = 0
        task = asyncio.create_task(client.chat.completions.create(model="m", messages=wire.USER))
        while not task.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks

    assert asyncio.run(main()) > 5


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda: 1 / 0, "raised ZeroDivisionError"),
        (returning(None), "must return a str or a Token, not NoneType"),
        (returning("a b"), "gave a token that has a character"),
        (returning(""), "is empty"),
    ],
)
def test_a_function_that_gives_no_token_is_a_clear_error(shell, function, text):
    client = client_of(shell, lambda _: wire.json_reply(wire.chat()), function)
    with pytest.raises(TokenError, match=text) as caught:
        call(shell, client)
    assert caught.value.source == "callback"


@pytest.mark.parametrize("auth", ["token", 7, Token, AccessToken])
def test_what_cannot_give_tokens_is_refused(shell, auth):
    with pytest.raises(ConfigError, match="auth must be"):
        shell.client_class(wire.HOST, auth=auth)


def test_another_user_is_a_copy_of_the_client(shell):
    seen = []
    client = shell.client(
        lambda r: seen.append(r.headers["authorization"]) or wire.json_reply(wire.chat())
    )
    other = client.with_options(auth=AccessToken("of-the-user"))
    for one in (client, other, other.with_options(timeout=3)):
        call(shell, one)
    assert seen == [f"Bearer {wire.TOKEN}", *["Bearer of-the-user"] * 2]


def test_a_thousand_cold_threads_log_in_once():
    service = Service()
    service.delay = 0.05
    client = ServingClient(wire.HOST, auth=machine(), transport=httpx.MockTransport(service))
    create = client.chat.completions.create
    with ThreadPoolExecutor(100) as pool:
        work = [pool.submit(create, model="m", messages=wire.USER) for _ in range(1000)]
        assert {one.result().text for one in work} == {"The Po."}
    assert service.fetches == 1


def test_a_thousand_cold_tasks_log_in_once():
    service = Service()

    async def main():
        transport = httpx.MockTransport(service)
        client = AsyncServingClient(wire.HOST, auth=machine(), transport=transport)
        create = client.chat.completions.create
        return await asyncio.gather(*[create(model="m", messages=wire.USER) for _ in range(1000)])

    assert len(asyncio.run(main())) == 1000
    assert service.fetches == 1


def test_when_the_one_who_fetches_is_cancelled_another_takes_over():
    started = []

    async def function():
        started.append(1)
        await asyncio.sleep(30 if len(started) == 1 else 0)
        return "t"

    async def main():
        transport = httpx.MockTransport(lambda _: wire.json_reply(wire.chat()))
        client = AsyncServingClient(wire.HOST, auth=function, transport=transport)
        create = client.chat.completions.create
        tasks = [asyncio.create_task(create(model="m", messages=wire.USER)) for _ in range(10)]
        await asyncio.sleep(0.05)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, *others = asyncio.run(main())
    assert isinstance(first, asyncio.CancelledError)
    assert [reply.text for reply in others] == ["The Po."] * 9
    assert len(started) == 2


def test_a_client_is_used_by_two_loops_that_wait_for_one_token():
    began = threading.Event()

    def function():
        began.set()
        time.sleep(0.2)
        return Token("t", 3600)

    calls = []
    client = AsyncServingClient(
        wire.HOST,
        auth=lambda: calls.append(1) or function(),
        transport=httpx.MockTransport(lambda _: wire.json_reply(wire.chat())),
    )

    def run():
        async def main():
            return (await client.chat.completions.create(model="m", messages=wire.USER)).text

        return asyncio.run(main())

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(run)
        assert began.wait(2)
        second = pool.submit(run)
        assert (first.result(), second.result()) == ("The Po.", "The Po.")
    assert len(calls) == 1


@pytest.mark.parametrize("headers", [{"x-a": 1}, {"x-a": "b\n"}, {"host": "h"}, {"a b": "c"}])
def test_headers_beside_a_token_that_cannot_be_sent_are_a_clear_error(shell, headers):
    client = client_of(shell, Service(), lambda: Token("t", 60, headers))
    with pytest.raises(TokenError, match="callback: the headers beside a token"):
        call(shell, client)


def test_a_secret_that_was_cut_in_two_is_masked_all_the_same(shell):
    service = Service()
    told = f"{'x' * 230} {SECRET}"
    service.answers = [httpx.Response(400, json={"error": "no", "error_description": told})]
    with pytest.raises(TokenError) as caught:
        call(shell, client_of(shell, service))
    assert SECRET[:12] not in str(caught.value)


def test_what_a_token_service_says_is_one_line_that_can_be_read(shell):
    service = Service()
    service.answers = [httpx.Response(400, json={"error": "a\nFORGED\x1b[31m\u202e"})]
    with pytest.raises(TokenError) as caught:
        call(shell, client_of(shell, service))
    assert str(caught.value).endswith("400 a FORGED[31m")


def test_threads_of_the_application_that_all_wait_do_not_hold_up_a_login():
    async def main():
        transport = httpx.MockTransport(lambda _: wire.json_reply(wire.chat()))
        client = AsyncServingClient(wire.HOST, auth=lambda: "t", transport=transport)
        limiter = anyio.to_thread.current_default_thread_limiter()
        for _ in range(int(limiter.total_tokens)):
            await limiter.acquire_on_behalf_of(object())
        create = client.chat.completions.create
        return (await create(model="m", messages=wire.USER, deadline=2)).text

    assert asyncio.run(main()) == "The Po."
