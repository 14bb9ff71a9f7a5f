import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from databricks_serving.local import LocalEndpoint
from databricks_serving.local.backends.deterministic import DeterministicBackend
from databricks_serving.local.config import read_settings
from databricks_serving.local.control import Controls
from databricks_serving.local.messages import HttpRequest
from databricks_serving.local.pace import Pace
from databricks_serving.local.workspace import Workspace


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        frames = self.body.decode().split("\n\n")
        assert frames[-2:] == ["data: [DONE]", ""]
        assert all(frame.startswith("data: ") for frame in frames[:-2])
        return [json.loads(frame.removeprefix("data: ")) for frame in frames[:-2]]


class Caller:
    """Calls a local endpoint over a real socket."""

    def __init__(self, local: LocalEndpoint) -> None:
        self.address = urlsplit(local.host).netloc
        self.headers = {
            "Authorization": f"Bearer {local.token}",
            "Content-Type": "application/json",
        }

    def connect(self) -> http.client.HTTPConnection:
        # A real model on a busy machine takes its time.
        return http.client.HTTPConnection(self.address, timeout=100)

    def open(
        self, connection: http.client.HTTPConnection, endpoint: str, body: Any
    ) -> http.client.HTTPResponse:
        """Send a request and leave its reply to be read."""
        path = f"/serving-endpoints/{endpoint}/invocations"
        connection.request("POST", path, json.dumps(body), self.headers)
        return connection.getresponse()

    def __call__(
        self,
        endpoint: str,
        body: Any = None,
        *,
        path: str | None = None,
        method: str = "POST",
        headers: dict[str, str | None] | None = None,
    ) -> Answer:
        with closing(self.connect()) as connection:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            merged = {**self.headers, **(headers or {})}
            connection.request(
                method,
                path or f"/serving-endpoints/{endpoint}/invocations",
                content,
                {name: value for name, value in merged.items() if value is not None},
            )
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())


@pytest.fixture(scope="session")
def local() -> Iterator[LocalEndpoint]:
    with LocalEndpoint(endpoints={"my-own": "llm/v1/chat"}) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def call(local: LocalEndpoint) -> Caller:
    return Caller(local)


@pytest.fixture(scope="session")
def caller() -> Callable[[LocalEndpoint], Caller]:
    return Caller


@pytest.fixture(scope="session")
def long_stream() -> dict[str, Any]:
    """A request whose stream is larger than all buffers between server and client."""
    words = " ".join(["word" * 200] * 4000)
    return {"messages": [{"role": "user", "content": words}], "n": 5, "stream": True}


class FakePace(Pace):
    """Time that passes only when something waits for it, or when a test says so."""

    def __init__(self) -> None:
        super().__init__(lambda: self.time)
        self.time = 1000.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


class Desk:
    """A workspace without sockets, whose time is the test's."""

    def __init__(self, settings: dict[str, Any], folder: Path) -> None:
        self.pace = FakePace()
        self.controls = Controls(pace=self.pace)
        self.workspace = Workspace(
            DeterministicBackend(),
            "secret",
            read_settings(settings, folder).endpoints,
            controls=self.controls,
        )

    def __call__(
        self, endpoint: str, body: Any = None, *, path: str | None = None, method: str = "POST"
    ) -> Answer:
        headers = Message()
        headers["Host"] = "localhost"
        headers["Authorization"] = "Bearer secret"
        headers["Content-Type"] = "application/json"
        target = path or f"/serving-endpoints/{endpoint}/invocations"
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        reply = self.workspace.answer(HttpRequest(method, target, headers, content))
        whole = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
        return Answer(reply.status, {"content-type": reply.content_type, **reply.headers}, whole)

    def state(self, endpoint: str) -> tuple[str, str]:
        described = self("", path=f"/api/2.0/serving-endpoints/{endpoint}", method="GET").json
        return described["state"]["ready"], described["state"]["config_update"]


@pytest.fixture
def desk(tmp_path: Path) -> Callable[..., Desk]:
    """Set up a workspace with these endpoints; files are looked for in `tmp_path`."""
    return lambda **endpoints: Desk(
        {"endpoints": {name.replace("_", "-"): one for name, one in endpoints.items()}}, tmp_path
    )
