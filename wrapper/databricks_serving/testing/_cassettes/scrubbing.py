"""Recordings without what must not be in a repository."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving._core.script import Sent
from databricks_serving.testing._cassettes.given import (
    STARS,
    TELLING,
    is_secret_name,
    is_secret_parameter,
    secrets_of,
    without_app,
)
from databricks_serving.testing._cassettes.matching import body_of
from databricks_serving.testing._cassettes.pieces import Rule, replaced, without_spread
from databricks_serving.testing._layouts import layout_of, written
from databricks_serving.testing._recording import Recording

HOST: Final = "workspace.example.com"
_HOSTS: Final = re.compile(
    # Only where a name begins, or a long text without any would take for ever.
    r"(?<![a-z0-9.-])[a-z0-9.-]+\.(?:cloud\.databricks\.com|gcp\.databricks\.com"
    r"|azuredatabricks\.net|databricks\.us|databricks\.azure\.(?:us|cn))",
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
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.{0,16384}?-----END [A-Z ]*PRIVATE KEY-----",
    re.DOTALL,
)
_JSON_BEGINS: Final = {"{", "["}


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

    def __post_init__(self) -> None:
        if isinstance(self.fields, str):
            raise ValueError("fields must be a tuple of names, not one text")  # noqa: TRY004 - the value
        if "" in (self.texts or {}):
            raise ValueError("texts must not hold an empty text, which stands everywhere")

    def knowing(self, sent: Sent, others: Mapping[str, str] = MappingProxyType({})) -> Self:
        """Return one that also knows the secrets of a request, and where it went.

        An answer may repeat them: what a header held, or a field that is taken out.

        Args:
            sent: The request.
            others: What else is to be replaced, and by what: the secrets of other requests.
        """
        found = {**others, **self.secrets_of(sent)}
        host = urlsplit(sent.url).hostname or ""
        if "." in host:
            found[host] = HOST
        return replace(self, texts={**(self.texts or {}), **found})

    def secrets_of(self, sent: Sent) -> dict[str, str]:
        """Return what a request holds that must stand nowhere, and what stands for it."""
        hidden = self._hidden_in(body_of(sent.content))
        return {**dict.fromkeys(hidden, STARS), **secrets_of(sent)}

    @property
    def _rules(self) -> tuple[Rule, ...]:
        return _rules_of(tuple((self.texts or {}).items()))

    def text(self, text: str) -> str:
        """Return a text without secrets and hosts."""
        for rule in self._rules:
            text = replaced(text, rule)
        return text

    def target(self, target: str) -> str:
        """Return a path with its query, without secrets, hosts and chosen fields."""
        path, mark, query = target.partition("?")
        parts = [part.partition("=") for part in query.split("&")]
        shown = [
            f"{key}{sign}{STARS if sign and self._hides_parameter(unquote(key)) else value}"
            for key, sign, value in parts
        ]
        return self.text(f"{without_app(path)}{mark}{'&'.join(shown)}")

    def value(self, value: Any) -> Any:
        """Return JSON without secrets, hosts and chosen fields."""
        if isinstance(value, str):
            return self._string(value)
        if is_list(value):
            return [self.value(one) for one in value]
        if is_object(value):
            return {self.text(key): self._field(key, one) for key, one in value.items()}
        if isinstance(value, int | float) and not isinstance(value, bool):
            digits = str(value)
            return 0 if any(text in digits for text in self.texts or ()) else value
        return value

    def recording(self, recording: Recording) -> Recording:
        """Return a recording without what must not be in it."""
        content = recording.content
        cleaned = self._events(content) if recording.stream else self._body(content)
        path = None if recording.path is None else self.target(recording.path)
        return replace(
            recording,
            path=path,
            request=self.value(recording.request),
            content=cleaned,
            headers={name: self.text(value) for name, value in recording.headers.items()},
            extra=self.value(dict(recording.extra)),
        )

    def _hidden_in(self, value: Any) -> Iterator[str]:
        """Yield the texts in a body that are taken out for the names of their fields."""
        if is_list(value):
            for one in value:
                yield from self._hidden_in(one)
        elif is_object(value):
            for key, one in value.items():
                if not isinstance(one, str):
                    yield from self._hidden_in(one)
                elif self._hides(key) and len(one) >= TELLING:
                    yield one

    def _hides_parameter(self, key: str) -> bool:
        return key in self.fields or is_secret_parameter(key)

    def _hides(self, key: str) -> bool:
        return key in self.fields or is_secret_name(key)

    def _field(self, key: str, value: Any) -> Any:
        # An object under such a name is most often a schema, of an argument of that name.
        if key in self.fields or (is_secret_name(key) and not is_object(value)):
            return self._hidden(value)
        return self.value(value)

    def _string(self, text: str) -> str:
        """Return a text without secrets; arguments of tools are texts that hold JSON."""
        if text[:1] not in _JSON_BEGINS:
            return self.text(text)
        return self._body(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

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
        if layout is not None:
            cleaned = self.value(value)
            return content if cleaned == value else written(cleaned, layout)
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            return self._raw(content)
        cleaned = self.value(value)
        # What is clean stays to the byte; a key that stands twice is read once alone.
        return self._raw(content) if cleaned == value else written(cleaned, "compact")

    def _events(self, content: bytes) -> bytes:
        lines = [self._line(line) for line in content.splitlines(keepends=True)]
        return b"".join(without_spread(lines, self._rules, self._string))

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


@lru_cache(maxsize=16)
def _rules_of(texts: tuple[tuple[str, str], ...]) -> tuple[Rule, ...]:
    """Return rules, longer texts first: a shorter one may be a part of them."""
    longest = sorted(texts, key=lambda pair: -len(pair[0]))
    return (*longest, (_HOSTS, HOST), (_SECRETS, STARS))
