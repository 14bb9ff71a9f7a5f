"""Secrets, planted in each way in which the kit takes them, and looked for in all it writes."""

import json
import logging
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import wire

from databricks_serving import errors
from databricks_serving.auth import AccessToken, OAuthClientCredentials
from databricks_serving.testing import (
    Cassette,
    FakeServing,
    Scrubber,
    UnexpectedRequestError,
    import_recordings,
    inspect_contract,
)

ROUTE = "/serving-endpoints/m/invocations"
CANARIES = {
    "token": "canary-token-1f6b2c",
    "client_secret": "canary-client secret/3+a",
    "first_token": "canary-first-token-77e1",
    "second_token": "canary-second-token-90ab",
    "proxy": "canary-proxy-password",
    "header": "canary header of a customer",
    "named_header": "canary-api-key",
    "query": "canary-query",
    "field": "canary-field",
    "text": "canary-text",
    "number": "7331733173317331",
    "workspace": "6051921418418893",
    "cluster": "0131-canary-q8x2ab1c",
}
SCRUBBER = Scrubber(fields=("user",), texts={CANARIES["text"]: "a text", CANARIES["number"]: "1"})
CALL = {
    "messages": [{"role": "user", "content": f"Say {CANARIES['text']}, {CANARIES['number']}."}],
    "extra_body": {"user": CANARIES["field"]},
    "extra_headers": {
        "x-customer": CANARIES["header"],
        "x-api-key": CANARIES["named_header"],
    },
    "extra_query": {"api_key": CANARIES["query"]},
}


class Gossip(BaseHTTPRequestHandler):
    """Repeats all that it was ever told, in each place of an answer; the first token runs out."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        """Say nothing."""

    def do_GET(self):
        """Say where tokens are had."""
        base = f"http://{self.headers['host']}/oidc"
        self.answer(200, {"token_endpoint": f"{base}/v1/token"})

    def do_POST(self):
        """Give a token, or gossip."""
        heard = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        self.server.heard += [heard, str(self.headers), self.path]
        if self.path.startswith("/oidc"):
            token = CANARIES["second_token" if self.server.logins else "first_token"]
            self.server.logins += 1
            self.answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})
            return
        said = "\n".join(self.server.heard)
        if CANARIES["first_token"] in self.headers["authorization"] and self.server.calls > 1:
            self.answer(401, {"error_code": "UNAUTHENTICATED", "message": said})
        elif '"refuse"' in heard:
            self.answer(400, {"error_code": "BAD_REQUEST", "message": said, "seen": {"a": [said]}})
        elif '"stream": true' in heard or '"stream":true' in heard:
            pieces = [wire.chunk(said[at : at + 5]) for at in range(0, len(said), 5)]
            self.send(200, "text/event-stream", wire.sse(*pieces, wire.chunk("", "stop"), "[DONE]"))
        else:
            reply = {**wire.chat(said), "seen": [said, json.dumps({"echo": said})]}
            self.answer(200, reply)
        self.server.calls += 1

    def answer(self, status, value):
        """Send JSON."""
        self.send(status, "application/json", json.dumps(value).encode())

    def send(self, status, kind, content):
        """Send an answer whose headers repeat what cannot break them."""
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.send_header("served-model-name", self.headers.get("authorization", ""))
        self.send_header("set-cookie", CANARIES["first_token"])
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def gossip():
    """A workspace that keeps nothing to itself."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gossip)
    server.heard, server.logins, server.calls = [], 0, 0
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def told_by(error):
    return [str(error), repr(error), *traceback.format_exception(error)]


def written(folder):
    texts = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    return texts + [str(path) for path in folder.rglob("*")]


def logged(caplog):
    # Those of libraries are theirs.
    own = [one for one in caplog.records if one.name.startswith("databricks_serving")]
    return [text for one in own for text in (one.getMessage(), repr(vars(one)))]


def ask(shell, client, **changed):
    return shell.wait(client.chat.completions.create(model="m", **{**CALL, **changed}))


def stream(shell, client, **changed):
    call = {**CALL, **changed}
    with shell.opened(client.chat.completions.stream(model="m", **call)) as opened:
        shell.items(opened)


def everything(shell, client):
    """Make calls of each kind."""
    ask(shell, client)
    stream(shell, client)
    ask(shell, client)
    app = {"cluster_id": CANARIES["cluster"], "port": 8000, "org_id": CANARIES["workspace"]}
    app["transform_output"] = str
    shell.wait(client.endpoint(task="text", **app).invoke("Hi"))
    for call in (ask, stream):
        with pytest.raises(errors.BadRequestError):
            call(shell, client, extra_body={"user": CANARIES["field"], "refuse": "refuse"})


def error_of_a_proxy(shell):
    client = shell.client_class(
        "https://workspace.invalid",
        CANARIES["token"],
        proxy=f"http://user:{CANARIES['proxy']}@127.0.0.1:9",
        max_retries=0,
    )
    with pytest.raises(errors.APIConnectionError) as caught:
        ask(shell, client)
    shell.wait(client.close())
    return caught.value


def absent(texts, but=frozenset()):
    assert texts
    found = {name for name, one in CANARIES.items() for text in texts if one in text}
    assert found <= but


@pytest.mark.parametrize("login", ["token", "oauth"])
def test_no_cassette_log_error_or_report_holds_a_secret(shell, gossip, login, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    given = (
        AccessToken(CANARIES["token"])
        if login == "token"
        else OAuthClientCredentials("robot", CANARIES["client_secret"])
    )
    folder = tmp_path / "cassette"
    client = shell.client_class(gossip, auth=given)
    with Cassette(folder, mode="all", scrubber=SCRUBBER) as cassette:
        everything(shell, client)
        failure = error_of_a_proxy(shell)
        shown = [repr(cassette), repr(cassette.recorded), *told_by(failure)]
    report = inspect_contract(folder)
    absent([*written(folder), *shown, str(report), json.dumps(report.to_dict())])
    # Where a call went, a log of the client tells.
    absent(logged(caplog), but={"workspace", "cluster"})
    with Cassette(folder, scrubber=SCRUBBER, allow_unused=False):
        everything(shell, client)
    shell.wait(client.close())
    assert len([*folder.glob("*.json")]) == (6 if login == "token" else 7)


def test_what_a_replay_refuses_is_told_without_secrets(shell, gossip, tmp_path):
    folder = tmp_path / "cassette"
    client = shell.client_class(gossip, CANARIES["token"])
    with Cassette(folder, mode="all", scrubber=SCRUBBER):
        ask(shell, client)
    client_again = shell.client_class(gossip, CANARIES["token"])
    with Cassette(folder, scrubber=SCRUBBER) as cassette:
        ask(shell, client_again)
        for changed in ({}, {"temperature": 0.5}, {"extra_query": {"token": CANARIES["query"]}}):
            with pytest.raises(UnexpectedRequestError) as caught:
                ask(shell, client_again, **changed)
            absent([*told_by(caught.value), repr(cassette.played)])
    shell.wait(client.close())
    shell.wait(client_again.close())


def test_a_fake_tells_no_login_of_a_request_that_it_does_not_know(shell):
    fake = FakeServing()
    client = shell.client_class(
        "https://fake.example",
        auth=OAuthClientCredentials("robot", CANARIES["client_secret"]),
        transport=fake,
    )
    with pytest.raises(UnexpectedRequestError) as caught:
        ask(shell, client, messages=[{"role": "user", "content": "Hi"}])
    shell.wait(client.close())
    shown = [*told_by(caught.value), repr(fake), *map(repr, (*fake.requests, *fake.logins))]
    absent(shown)
    assert CANARIES["client_secret"] not in str([one.body for one in fake.logins])


def test_what_is_imported_holds_no_secret(tmp_path):
    said = "\n".join(CANARIES.values())
    headers = {
        "Authorization": f"Bearer {CANARIES['token']}",
        "x-customer": CANARIES["header"],
        "X-Api-Key": CANARIES["named_header"],
        "X-Forwarded-Access-Token": CANARIES["first_token"],
        "Cookie": CANARIES["second_token"],
        "X-Client-Secret": CANARIES["client_secret"],
        "Proxy-Authorization": CANARIES["proxy"],
    }
    app = f"/driver-proxy-api/o/{CANARIES['workspace']}/{CANARIES['cluster']}/8000/x"
    request = {"messages": [{"role": "user", "content": said}], "user": CANARIES["field"]}
    entry = {
        "request": {
            "method": "POST",
            "url": f"https://adb-{CANARIES['workspace']}.7.azuredatabricks.net{app}"
            f"?api_key={CANARIES['query']}",
            "headers": [{"name": name, "value": value} for name, value in headers.items()],
            "postData": {"text": json.dumps(request)},
        },
        "response": {
            "status": 200,
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"text": json.dumps(wire.chat(said))},
        },
    }
    har = tmp_path / "calls.har"
    har.write_text(json.dumps({"log": {"entries": [entry]}}))
    queries = Scrubber(
        fields=SCRUBBER.fields,
        texts={**SCRUBBER.texts, CANARIES["query"]: "", CANARIES["field"]: ""},
    )
    made = import_recordings(har, tmp_path / "made", scrubber=queries)
    assert len(made.recordings) == 1
    absent([*written(tmp_path / "made"), str(made), repr(made)])
