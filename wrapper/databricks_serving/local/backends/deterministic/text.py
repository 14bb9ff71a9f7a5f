"""Words for tokens, their made-up probabilities, and the limits of an answer."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from databricks_serving.local.errors import bad_request
from databricks_serving.local.jsontypes import Json

MAX_TOKENS: Final = 4096
MAX_CONTEXT: Final = 32_768
_OPENINGS: Final = ("You said: ", "I heard: ", "In your words: ")
_TOKEN: Final = re.compile(r"\s*\S+|\s+")


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer, cut into tokens."""

    index: int
    tokens: Sequence[str]
    finish_reason: str

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(self.tokens)


def tokenize(text: str) -> list[str]:
    """Cut a text into words, each with the white space before it; joined they are the text."""
    return _TOKEN.findall(text)


def count_prompt(texts: Iterable[str]) -> int:
    """Count the tokens of a prompt.

    Raises:
        RefusedError: With status 400 when they are more than a model could read.
    """
    count = sum(len(tokenize(text)) for text in texts)
    if count > MAX_CONTEXT:
        raise bad_request(f"the prompt has {count} tokens, more than the maximum of {MAX_CONTEXT}")
    return count


def echo(text: str, *, seed: int, choice: int) -> str:
    """The rule of all answers in words."""
    return _OPENINGS[(seed + choice) % len(_OPENINGS)] + text


def limited(index: int, text: str, request: Json) -> Choice:
    """End an answer at the first stop text, and at the most tokens."""
    stop: str | Sequence[str] = request.get("stop", ())
    for end in (stop,) if isinstance(stop, str) else stop:
        text = text.partition(end)[0] if end else text
    asked: int = request.get("max_tokens") or request.get("max_completion_tokens") or MAX_TOKENS
    most = min(asked, MAX_TOKENS)
    tokens = tokenize(text)
    return Choice(index, tokens[:most], "length" if len(tokens) > most else "stop")


def usage(prompt_tokens: int, completion_tokens: int) -> Json:
    """The usage of a call."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def logprob(token: str) -> float:
    """A probability made up from the token: at most 0, above -1."""
    return -(_hash(token) % 1000) / 1000


def alternatives(token: str, count: int) -> list[tuple[str, float]]:
    """The token and made-up others, likeliest first."""
    best = logprob(token)
    return [(token if n == 0 else f"{token}~{n}", best - n) for n in range(count)]


def _hash(text: str) -> int:
    # Lone surrogates are legal in JSON escapes, and not in UTF-8.
    return crc32(text.encode("utf-8", "surrogatepass"))
