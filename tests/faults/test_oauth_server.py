"""Both clients against an OAuth server that others wrote: oauthlib's, strict about the standard."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import wire
from oauthlib.oauth2 import BackendApplicationServer, RequestValidator

from databricks_serving.auth import OAuthClientCredentials
from databricks_serving.errors import TokenError

from .support.canary import SECRET
from .support.oauth import CLIENT_ID, TOKENS

SCOPES = ["all-apis", "model-serving-inference"]


class Clients(RequestValidator):
    """Knows one client and the tokens that it was given."""

    def __init__(self):
        self.given = []
        self.ends = {}

    def authenticate_client(self, request, *_arguments, **_options):
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        right = scheme == "Basic" and base64.b64decode(value).decode() == f"{CLIENT_ID}:{SECRET}"
        request.client = SimpleNamespace(client_id=CLIENT_ID)
        return right

    def validate_grant_type(self, _client_id, grant_type, *_arguments, **_options):
        return grant_type == "client_credentials"

    def get_default_scopes(self, *_arguments, **_options):
        return []

    def validate_scopes(self, _client_id, scopes, *_arguments, **_options):
        return set(scopes) <= set(SCOPES)

    def save_bearer_token(self, token, *_arguments, **_options):
        self.given.append(token)
        # Half a second of grace, for a token that ends on its way here.
        self.ends[token["access_token"]] = time.monotonic() + token["expires_in"] + 0.5

    def validate_bearer_token(self, token, _scopes, _request):
        return time.monotonic() < self.ends.get(token, 0.0)


class Handler(BaseHTTPRequestHandler):
    """Has oauthlib answer requests for tokens, and check the tokens of calls."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self._send(404, {}, "{}")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        address = f"http://{self.headers['host']}{self.path}"
        if self.path == TOKENS:
            headers, text, status = self.server.oauth.create_token_response(
                address, "POST", body, self.headers
            )
            self._send(status, headers, text)
            return
        valid, _ = self.server.oauth.verify_request(address, "POST", body, self.headers, SCOPES)
        refused = {"error_code": 403, "message": "Invalid Token"}
        self._send(200 if valid else 403, {}, json.dumps(wire.chat("Hi") if valid else refused))

    def _send(self, status, headers, text):
        self.send_response(status)
        named = {"Content-Type": "application/json", **headers, "Content-Length": str(len(text))}
        for name, value in named.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_arguments):
        pass


class Server(ThreadingHTTPServer):
    """Serves on loopback."""

    def __init__(self, life):
        super().__init__(("127.0.0.1", 0), Handler)
        self.clients = Clients()
        self.oauth = BackendApplicationServer(self.clients, token_expires_in=life)
        self.host = f"http://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, args=[0.01])

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self.shutdown()
        self._thread.join()
        self.server_close()


@pytest.fixture
def serve(house, monkeypatch):
    """Run the server with tokens of a life, and make a client for it."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")

    def start(life=3600, secret=SECRET, **options):
        server = house.enter(Server(life))
        login = OAuthClientCredentials(CLIENT_ID, secret, **options)
        healthy = secret == SECRET and "scope" not in options
        client = house.client(server.host, token=None, auth=login, healthy=healthy)
        return server.clients, client

    return start


def test_it_gives_a_token_that_it_accepts(house, serve):
    clients, client = serve()
    for _ in range(3):
        assert house.call(client).text == "Hi"
    (given,) = clients.given
    assert given["token_type"] == "Bearer"
    assert given["scope"] == "all-apis"


def test_a_narrower_scope_is_asked_for(house, serve):
    clients, client = serve(scope="model-serving-inference")
    assert house.call(client).text == "Hi"
    assert clients.given[0]["scope"] == "model-serving-inference"


def test_a_wrong_secret_is_refused_in_its_words(house, serve):
    clients, client = serve(secret="not-the-secret")
    error = house.fails(client, TokenError, "refused: 401 invalid_client")
    assert error.status_code == 401
    assert clients.given == []


def test_a_wrong_scope_is_refused_in_its_words(house, serve):
    clients, client = serve(scope="everything")
    error = house.fails(client, TokenError, "refused: 400 invalid_scope")
    assert error.status_code == 400
    assert clients.given == []


def test_a_token_that_it_no_longer_accepts_is_replaced(house, serve):
    clients, client = serve()
    house.call(client)
    clients.ends.clear()
    assert house.call(client).text == "Hi"
    assert len(clients.given) == 2


def test_tokens_that_end_soon_are_replaced_in_time(house, serve):
    clients, client = serve(life=1)
    begun = time.monotonic()
    while time.monotonic() - begun < 1.2:
        assert house.call(client).text == "Hi"
    assert len(clients.given) == 2
