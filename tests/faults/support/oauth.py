"""A workspace that gives tokens by OAuth: with exact answers, and every request kept."""

import threading
from collections.abc import Callable
from typing import Any

from raw_server import Answer, Echo, Handler, give, headers_of, path_of

from databricks_serving.auth import OAuthClientCredentials

from .answers import reply
from .canary import SECRET, TOKEN
from .house import House

CLIENT_ID = "5f2c8a10-6a1c-4a36-8f57-1d2c3b4a5e6f"
TOKENS = "/oidc/v1/token"
_DISCOVERY = "/oidc/.well-known/oauth-authorization-server"
# fact: an OAuth token that has expired is refused with 403, by some gateways with 401.
INVALID = reply({"error_code": 403, "message": "Invalid Token"}, 403)
UNAUTHORIZED = reply({"error_code": 401, "message": "Credential was not sent"}, 401)


class Site:
    """A workspace on a raw server, and clients that log in there.

    Attributes:
        discovery: The answer to who asks for the token address.
        tokens: Answers to the next requests for a token; then good ones follow.
        reply: The answer to a call.
        refusal: The answer to a call with a token that is not accepted.
        refusals: Other answers to the next of those.
        life: What good answers say as `expires_in`.
        accepted: Tokens that calls may come with.
        asked: Requests for a token.
        called: Calls to endpoints, refused ones included.
        on_call: Called with the number of each call, before it is answered.
    """

    def __init__(self, house: House) -> None:
        self.discovery: bytes | Handler = reply({"error_code": "NOT_FOUND"}, 404)
        self.tokens: list[bytes | Handler] = []
        self.reply = reply()
        self.refusal = INVALID
        self.refusals: list[bytes | Handler] = []
        self.life: Any = 3600
        self.accepted: set[str] = set()
        self.asked: list[bytes] = []
        self.called: list[bytes] = []
        self.on_call: Callable[[int], None] = lambda _number: None
        self._house = house
        self._given = 0
        self._lock = threading.RLock()
        answer: Answer = Echo(self._answer)
        self.server = house.server(then=answer)

    def client(self, **options: Any) -> Any:
        """Make a client that logs in with id and secret, unless told otherwise."""
        given = {"auth": OAuthClientCredentials(CLIENT_ID, SECRET), "token": None} | options
        client = self._house.client(self.server.host, **given)
        keeper_of(client)._rand = lambda: 0.0
        return client

    def good(self, **changes: Any) -> bytes:
        """Return an answer with a new token, which is accepted from now on."""
        with self._lock:
            self._given += 1
            token = f"{TOKEN}-{self._given}"
            self.accepted.add(token)
            data = {"access_token": token, "token_type": "Bearer", "expires_in": self.life}
            data |= changes
            return reply({name: value for name, value in data.items() if value is not ...})

    def revoke(self) -> None:
        """Refuse all tokens that were given so far."""
        with self._lock:
            self.accepted.clear()

    def used(self) -> list[str]:
        """Return the number of the token of each call, as a text."""
        tokens = [headers_of(call)["authorization"] for call in self.called]
        return [token.removeprefix(f"Bearer {TOKEN}-") for token in tokens]

    def _answer(self, request: bytes) -> bytes | Handler:
        path = path_of(request)
        if path == _DISCOVERY:
            return self.discovery
        with self._lock:
            if path == TOKENS:
                self.asked.append(request)
                return self.tokens.pop(0) if self.tokens else self.good()
            self.called.append(request)
            self.on_call(len(self.called))
            token = headers_of(request).get("authorization", "").removeprefix("Bearer ")
            if token in self.accepted:
                return self.reply
            return self.refusals.pop(0) if self.refusals else self.refusal


def keeper_of(client: Any) -> Any:
    """Return what holds the token of a client."""
    return client._caller.credentials.access.keeper


def waiting(client: Any) -> int:
    """Return how many callers wait for a token that another one fetches."""
    flight = keeper_of(client)._flights._flight
    return 0 if flight is None else len(flight._wakers)


def after(ready: Callable[[], bool], answer: bytes) -> Handler:
    """Answer once something is true, at the latest after ten seconds."""

    def late(connection: Any) -> None:
        pause = threading.Event()
        for _ in range(2000):
            if ready():
                break
            pause.wait(0.005)
        give(answer, connection)

    return late


def crowd(house: House, client: Any, callers: int, calls: int = 1) -> list[Any]:
    """Have many callers make calls at once, each one after the other; return how each ended."""

    def in_thread() -> list[Any]:
        return [house.start(client) for _ in range(calls)]

    async def in_task() -> list[Any]:
        return [await house.start(client) for _ in range(calls)]

    return house.together([in_task if house.kind == "async" else in_thread] * callers)


def texts(ends: list[Any]) -> set[Any]:
    """Return what the calls of a crowd gave: the text of a reply, or the error."""
    return {
        one.text
        for end in ends
        for one in ([Failed(end)] if isinstance(end, BaseException) else end)
    }


class Failed:
    """A caller that got an error instead of replies."""

    def __init__(self, error: BaseException) -> None:
        self.text = repr(error)
