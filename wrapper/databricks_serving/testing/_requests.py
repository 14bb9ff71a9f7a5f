"""Requests as a test sees them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias, get_args
from urllib.parse import parse_qs, unquote, urlsplit

from databricks_serving._core import json_codec
from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving._core.script import Sent

TaskName: TypeAlias = Literal[
    "chat", "completions", "embeddings", "responses", "predictions", "endpoints", "token"
]
TASKS: Final[tuple[str, ...]] = get_args(TaskName)

_MAX_SHOWN: Final = 100
_OWN_PATH: Final = re.compile(
    r"/serving-endpoints/(?P<name>[^/]+)(?:/served-models/(?P<served>[^/]+))?/invocations$"
)
_ABOUT: Final = re.compile(r"/api/2\.0/serving-endpoints(?:/(?P<name>[^/]+))?(?:/openapi)?$")
_ROUTE: Final = re.compile(r"/(?P<task>chat/completions|completions|embeddings|(open-)?responses)$")
_LOGIN: Final = re.compile(r"/(oidc|oauth2|aad)(/|$)")
_SECRET: Final = re.compile(r"authorization|token|cookie|secret|api-?key")
_HARMLESS: Final = ("grant_type", "scope", "authorization_details", "resource", "audience")
_TEXTS: Final = frozenset({"text", "input_text"})


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request that a fake has received: one try of a call.

    Attributes:
        method: The HTTP method.
        path: The path of its address.
        host: The host of its address.
        endpoint: Name of the endpoint; None where it names none.
        task: What it asks for. Both kinds of chat, with models and with agents of the older kind,
            send the same and are `chat`; of logins it is `token`.
        body: The decoded body; of a login without its secrets.
        headers: Names in lower case, without credentials.
        attempt: 1 for the first try of a call, and so on.
        served_model: The one served model that it asks for; None where traffic settings choose.
    """

    method: str
    path: str
    host: str
    endpoint: str | None
    task: TaskName
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    attempt: int = 1
    served_model: str | None = None

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of a chat, or the items that an agent was given; empty without any."""
        value = self.body.get("messages", self.body.get("input"))
        return [one for one in value if is_object(one)] if is_list(value) else []

    @property
    def text(self) -> str:
        """What the user said last, the prompt, or the first text to embed; empty without any."""
        said = [m.get("content") for m in self.messages if m.get("role") == "user"]
        return _text_of(said[-1]) if said else next(iter(self.texts), "")

    @property
    def texts(self) -> list[str]:
        """The texts to embed, or the prompts; empty without any."""
        value = self.body.get("input", self.body.get("prompt"))
        values = value if is_list(value) else [value]
        return [one for one in values if isinstance(one, str)]

    @property
    def tools(self) -> list[str]:
        """The names of the tools that the model may call."""
        given: Any = self.body.get("tools") or []
        named = [one.get("function") or one for one in given if is_object(one)]
        return [one["name"] for one in named if is_object(one) and "name" in one]

    @property
    def stream(self) -> bool:
        """Whether the answer is to be a stream."""
        return self.body.get("stream") is True

    def tried(self, attempt: int) -> "RecordedRequest":
        """Return it as another try."""
        return replace(self, attempt=attempt)

    def __str__(self) -> str:
        what = f"{self.method} {self.path} ({self.task}"
        where = "" if self.endpoint is None else f" of endpoint {self.endpoint!r}"
        tries = "" if self.attempt == 1 else f", try {self.attempt}"
        return f"{what}{where}{', streamed' if self.stream else ''}{tries})"


def read_request(sent: Sent) -> RecordedRequest:
    """Return a request as a test sees it."""
    parts = urlsplit(sent.url)
    body = _body_of(sent)
    login = _LOGIN.search(parts.path)
    own, about = _OWN_PATH.search(parts.path), _ABOUT.search(parts.path)
    named = own or about
    endpoint = named["name"] if named else body.get("model")
    return RecordedRequest(
        method=sent.method,
        path=parts.path,
        host=parts.hostname or "",
        endpoint=unquote(endpoint) if isinstance(endpoint, str) else None,
        task="token" if login else "endpoints" if about else _task_of(parts.path, body),
        body={key: body[key] for key in _HARMLESS if key in body} if login else body,
        headers={
            name.lower(): value for name, value in sent.headers if not _SECRET.search(name.lower())
        },
        served_model=unquote(own["served"]) if own and own["served"] else None,
    )


def shortened(value: object) -> str:
    """Show a value in a message."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}... ({len(text)} characters)"


def _body_of(sent: Sent) -> dict[str, Any]:
    if dict(sent.headers).get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {key: values[0] for key, values in parse_qs(sent.content.decode()).items()}
    try:
        body = json_codec.decode(sent.content)
    except json_codec.JSONDecodeError:
        return {}
    return body if is_object(body) else {}


def _task_of(path: str, body: Mapping[str, Any]) -> TaskName:
    route = _ROUTE.search(path)
    if route:
        tasks: dict[str, TaskName] = {
            "chat/completions": "chat",
            "completions": "completions",
            "embeddings": "embeddings",
        }
        return tasks.get(route["task"], "responses")
    if "messages" in body:
        return "chat"
    if "prompt" in body:
        return "completions"
    if "input" not in body:
        return "predictions"
    items = body["input"]
    return "responses" if is_list(items) and any(map(is_object, items)) else "embeddings"


def _text_of(content: object) -> str:
    if is_list(content):
        parts = [one for one in content if is_object(one) and one.get("type") in _TEXTS]
        return "".join(str(part.get("text", "")) for part in parts)
    return content if isinstance(content, str) else ""
