"""Recordings without what must not be in a repository."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self
from urllib.parse import urlsplit

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving._core.script import Sent
from databricks_serving.testing.blocks import blocks_of
from databricks_serving.testing.errors import RecordingError
from databricks_serving.testing.layouts import layout_of, written
from databricks_serving.testing.recording import Recording

STARS: Final = "***"
HOST: Final = "workspace.example.com"
_HOSTS: Final = re.compile(
    r"[a-z0-9][a-z0-9.-]*\.(?:cloud\.databricks\.com|gcp\.databricks\.com|azuredatabricks\.net"
    r"|databricks\.us|databricks\.azure\.(?:us|cn))",
    re.IGNORECASE,
)
# What tokens and keys of the usual services look like.
_SECRETS: Final = re.compile(
    r"\b(?:dapi|dose|dkea)[0-9a-f]{32}(?:-\d+)?\b"
    r"|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"
    r"|\bsk-[\w-]{16,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bAIza[\w-]{35}"
    r"|\bgh[pousr]_\w{36,}"
    r"|\bhf_\w{30,}"
    r"|\bBearer\s+[\w.~+/=-]{12,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----",
    re.DOTALL,
)
_SECRET_KEYS: Final = re.compile(
    r"(?:.*_)?(?:api_?key|secret|password|private_key|plaintext|credentials?)"
    r"|(?:access|refresh|id|session|bearer|auth)_token|authorization",
    re.IGNORECASE,
)
# The keys of streamed pieces that are parts of one text.
_PIECES: Final = {"content", "text", "delta", "arguments", "reasoning_content"}
# Fewer characters would be found in any text.
_TELLING: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubber:
    """Takes secrets, hosts and chosen fields out of recordings before they are written.

    Tokens of the call, workspace hosts, and what looks like a token or a key are taken out always.

    Args:
        fields: Names of JSON fields, at any depth, whose values are taken out.
        texts: Texts to replace wherever they stand, and by what.
    """

    fields: tuple[str, ...] = ()
    texts: Mapping[str, str] | None = None

    def knowing(self, sent: Sent) -> Self:
        """Return one that also knows the token of a request, and where it went."""
        given = [value for name, value in sent.headers if name.lower() == "authorization"]
        secrets = [value.rpartition(" ")[2] for value in given]
        found = {secret: STARS for secret in secrets if len(secret) >= _TELLING}
        host = urlsplit(sent.url).hostname or ""
        if "." in host:
            found[host] = HOST
        return replace(self, texts={**(self.texts or {}), **found})

    def text(self, text: str) -> str:
        """Return a text without secrets and hosts."""
        for one, other in (self.texts or {}).items():
            text = text.replace(one, other)
        return _SECRETS.sub(STARS, _HOSTS.sub(HOST, text))

    def value(self, value: Any) -> Any:
        """Return JSON without secrets, hosts and chosen fields."""
        if isinstance(value, str):
            return self.text(value)
        if is_list(value):
            return [self.value(one) for one in value]
        if is_object(value):
            return {
                self.text(key): self._hidden(one) if key in self.fields else self._field(key, one)
                for key, one in value.items()
            }
        return value

    def recording(self, recording: Recording) -> Recording:
        """Return a recording without what must not be in it.

        Raises:
            RecordingError: When a stream holds a secret in pieces.
        """
        content = recording.content
        cleaned = self._events(content) if recording.stream else self._body(content)
        path = None if recording.path is None else self.text(recording.path)
        return replace(
            recording,
            path=path,
            request=self.value(recording.request),
            content=cleaned,
            headers={name: self.text(value) for name, value in recording.headers.items()},
            extra=self.value(dict(recording.extra)),
        )

    def _field(self, key: str, value: Any) -> Any:
        if isinstance(value, str) and _SECRET_KEYS.fullmatch(key):
            return STARS
        return self.value(value)

    def _hidden(self, value: Any) -> Any:
        """Return a value of the same shape that tells nothing."""
        if isinstance(value, str):
            return STARS
        if is_list(value):
            return [self._hidden(one) for one in value]
        if is_object(value):
            return {key: self._hidden(one) for key, one in value.items()}
        return value if value is None or isinstance(value, bool) else 0

    def _body(self, content: bytes) -> bytes:
        value, layout = layout_of(content)
        if layout is None:
            try:
                value, layout = json.loads(content), "compact"
            except (ValueError, RecursionError):
                return self._raw(content)
        cleaned = self.value(value)
        # What is clean stays to the byte.
        return content if cleaned == value else written(cleaned, layout)

    def _events(self, content: bytes) -> bytes:
        cleaned = b"".join(self._block(block) for block in blocks_of(content))
        if self.text(_joined(cleaned)) != _joined(cleaned):
            raise RecordingError(
                "a streamed answer holds a secret in pieces, which cannot be taken out: take out "
                "the field that holds it, such as Scrubber(fields=('content',)), or ask for less"
            )
        return cleaned

    def _block(self, block: bytes) -> bytes:
        return b"".join(self._line(line) for line in block.splitlines(keepends=True))

    def _line(self, line: bytes) -> bytes:
        data = line.removeprefix(b"data:")
        if data == line:
            return self._raw(line)
        bare = data.strip(b" \r\n")
        start = line.index(bare) if bare else len(line)
        return line[:start] + self._body(bare) + line[start + len(bare) :]

    def _raw(self, content: bytes) -> bytes:
        text = content.decode("utf-8", "surrogateescape")
        return self.text(text).encode("utf-8", "surrogateescape")


def _joined(stream: bytes) -> str:
    """Return what the pieces of a stream come to, in the order in which they came."""
    pieces: list[str] = []
    for line in stream.splitlines():
        if line.startswith(b"data:"):
            try:
                _collect(json.loads(line[5:]), pieces)
            except (ValueError, RecursionError):
                continue
    return "".join(pieces)


def _collect(value: Any, pieces: list[str]) -> None:
    if is_list(value):
        for one in value:
            _collect(one, pieces)
    elif is_object(value):
        for key, one in value.items():
            if isinstance(one, str) and key in _PIECES:
                pieces.append(one)
            else:
                _collect(one, pieces)
