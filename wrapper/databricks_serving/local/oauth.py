"""The token service of the local workspace: OAuth for machines."""

import base64
import binascii
import hmac
import re
import secrets
import time
import uuid
from collections import deque
from collections.abc import Mapping
from http import HTTPStatus
from threading import Event, Lock
from typing import Final
from urllib.parse import parse_qsl

from databricks_serving.local.errors import TokenRefusedError
from databricks_serving.local.jsontypes import Json
from databricks_serving.local.messages import HttpReply, HttpRequest, json_reply

# fact: a workspace names its token address at the first path; the second is where it mostly is.
_DISCOVERY: Final = "/oidc/.well-known/oauth-authorization-server"
_TOKENS: Final = "/oidc/v1/token"
# fact: the official SDK looks here first, for where the address above begins.
_METADATA: Final = "/.well-known/databricks-config"
_METHODS: Final = {_METADATA: "GET", _DISCOVERY: "GET", _TOKENS: "POST"}
_WORKSPACE: Final = "1000000000000000"

_CREDENTIALS_GRANT: Final = "client_credentials"
_EXCHANGE_GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
# fact: what the official SDK gets tokens for one endpoint with, from another token.
_ASSERTION_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_GRANTS: Final = (_CREDENTIALS_GRANT, _EXCHANGE_GRANT, _ASSERTION_GRANT)
_FORM: Final = re.compile(r"application/x-www-form-urlencoded\s*(;.*)?", re.IGNORECASE)
_SCOPE: Final = "all-apis"
# Tokens of OAuth are told from others by how they begin, because they are refused in other words.
_MARK: Final = "local-oauth-"


class TokenService:
    """Gives tokens to a service principal, and takes them back or fails when a test wants that.

    `LocalEndpoint.oauth` is one. All of it may be changed while the endpoint runs.

    Args:
        client_id: Id of the service principal; a made-up one by default.
        client_secret: Its secret; a made-up one by default.
        token_life: Seconds for which a token can be used.

    Attributes:
        client_id: Id of the service principal.
        client_secret: Its secret.
        token_life: Seconds for which tokens given from now on can be used.
        delay: Seconds before each answer to a request for a token.
        requests: Number of requests for a token so far, refused ones included.

    Raises:
        ValueError: Id or secret cannot be sent.
    """

    def __init__(
        self,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        token_life: float = 3600.0,
    ) -> None:
        self.client_id: str = str(uuid.uuid4()) if client_id is None else client_id
        self.client_secret: str = _made_up_secret() if client_secret is None else client_secret
        if not _is_plain(self.client_id) or ":" in self.client_id:
            raise ValueError("client_id must be printable ASCII without spaces and colons")
        if not _is_plain(self.client_secret):
            raise ValueError("client_secret must be printable ASCII without spaces")
        self.token_life = token_life
        self.delay: float = 0.0
        self.requests: int = 0
        self._clock = time.monotonic
        self._lock = Lock()
        self._ends: dict[str, float] = {}
        self._failures: deque[int] = deque()
        self._stopped = Event()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(client_id={self.client_id!r})"

    def fail_next(self, count: int = 1, status: int = HTTPStatus.SERVICE_UNAVAILABLE) -> None:
        """Answer the next requests for a token with an error.

        Args:
            count: How many.
            status: The HTTP status.
        """
        with self._lock:
            self._failures = deque([status] * count)

    def rotate_secret(self) -> str:
        """Make up another secret and return it; the old one is refused from now on.

        Tokens that were given before stay good.
        """
        self.client_secret = _made_up_secret()
        return self.client_secret

    def revoke_all(self) -> None:
        """Refuse all tokens that were given so far."""
        with self._lock:
            self._ends.clear()

    def start(self) -> None:
        """Begin to answer."""
        self._stopped.clear()

    def close(self) -> None:
        """End all delays."""
        self._stopped.set()

    def knows(self, token: str) -> bool:
        """Tell whether a token is, or was once, one of this service."""
        return token.startswith(_MARK)

    def accepts(self, token: str) -> bool:
        """Tell whether a token can be used now."""
        with self._lock:
            end = self._ends.get(token)
        return end is not None and self._clock() < end

    def answer(self, request: HttpRequest) -> HttpReply | None:
        """Answer a request; None when it is not for a token service."""
        path = request.target.partition("?")[0]
        method = _METHODS.get(path)
        if method is None:
            return None
        try:
            _check_method(request, method)
            return self._give(request) if path == _TOKENS else _described(request, path)
        except TokenRefusedError as refused:
            return json_reply(refused.status, {**refused.body}, _headers(refused.headers))

    def _give(self, request: HttpRequest) -> HttpReply:
        with self._lock:
            self.requests += 1
            failure = self._failures.popleft() if self._failures else None
        self._stopped.wait(self.delay)
        if failure is not None:
            text = "The local endpoint was told to fail."
            raise TokenRefusedError("temporarily_unavailable", text, failure)
        form = _form_of(request)
        self._check_grant(form, request.headers.get("authorization", ""))
        life = self.token_life
        given = {
            "access_token": self._new_token(life),
            "token_type": "Bearer",
            "expires_in": int(life) if life == int(life) else life,
            "scope": form.get("scope", _SCOPE),
        }
        return json_reply(HTTPStatus.OK, given, _headers())

    def _check_grant(self, form: Mapping[str, str], authorization: str) -> None:
        grant = form.get("grant_type")
        if grant == _CREDENTIALS_GRANT:
            self._check_client(authorization)
        elif grant == _EXCHANGE_GRANT:
            if not form.get("subject_token", "").strip():
                raise TokenRefusedError("invalid_request", "There is no subject_token.")
        elif grant == _ASSERTION_GRANT:
            if not self.accepts(form.get("assertion", "")):
                raise TokenRefusedError("invalid_grant", "The assertion is no token that is good.")
        elif grant is None:
            raise TokenRefusedError("invalid_request", "There is no grant_type.")
        else:
            text = f"grant_type must be one of {', '.join(_GRANTS)}."
            raise TokenRefusedError("unsupported_grant_type", text)

    def _check_client(self, authorization: str) -> None:
        client_id, secret = _basic(authorization)
        right = hmac.compare_digest(client_id, self.client_id.encode())
        right &= hmac.compare_digest(secret, self.client_secret.encode())
        if not right:
            raise TokenRefusedError(
                "invalid_client",
                "Client authentication failed.",
                HTTPStatus.UNAUTHORIZED,
                {"www-authenticate": 'Basic realm="local"'},
            )

    def _new_token(self, life: float) -> str:
        token = _MARK + secrets.token_hex(24)
        with self._lock:
            now = self._clock()
            self._ends = {old: end for old, end in self._ends.items() if end > now}
            self._ends[token] = now + life
        return token


def _described(request: HttpRequest, path: str) -> HttpReply:
    root = f"http://{request.headers['host']}"
    found: Json = {"oidc_endpoint": f"{root}/oidc", "workspace_id": _WORKSPACE}
    if path == _DISCOVERY:
        found = {
            "issuer": f"{root}/oidc",
            "token_endpoint": root + _TOKENS,
            "grant_types_supported": list(_GRANTS),
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "scopes_supported": [_SCOPE],
        }
    return json_reply(HTTPStatus.OK, found, _headers())


def _check_method(request: HttpRequest, method: str) -> None:
    if request.method != method:
        text = f"{request.method} is not allowed here; use {method}."
        status = HTTPStatus.METHOD_NOT_ALLOWED
        raise TokenRefusedError("invalid_request", text, status, {"allow": method})


def _form_of(request: HttpRequest) -> dict[str, str]:
    if not _FORM.fullmatch(request.headers.get("content-type", "").strip()):
        text = "Send the content type application/x-www-form-urlencoded."
        raise TokenRefusedError("invalid_request", text)
    try:
        pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise TokenRefusedError("invalid_request", "The body is no form.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise TokenRefusedError("invalid_request", "A parameter is given twice.")
    return form


def _basic(authorization: str) -> tuple[bytes, bytes]:
    scheme, _, value = authorization.partition(" ")
    try:
        pair = base64.b64decode(value.strip(), validate=True) if scheme.lower() == "basic" else b""
    except (ValueError, binascii.Error):
        pair = b""
    client_id, _, secret = pair.partition(b":")
    return client_id, secret


def _headers(more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {"cache-control": "no-store", **(more or {})}


def _made_up_secret() -> str:
    return f"local-{secrets.token_hex(16)}"


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and len(text.split()) == 1 and text == text.strip()
