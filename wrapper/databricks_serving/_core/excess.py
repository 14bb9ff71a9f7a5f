"""Whether an endpoint refused a batch of texts because it is too large, and in which way."""

import re
from enum import Enum
from http import HTTPStatus
from typing import Final

from databricks_serving.errors import APIStatusError, ServingError


class Excess(Enum):
    """What there is too much of in a request."""

    TEXTS = "texts"
    """More texts than one request may have, however short."""
    SIZE = "size"
    """Too many bytes or tokens, of one text or of all together."""


# Servers say at other statuses that a rate is too high, which no smaller batch changes.
_STATUSES: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
# How servers word it, by whom; recording: errors/400-too-many-texts
_WORDINGS: Final = (
    # Databricks' own embedding models
    (r"size is too large, exceeding \d+ limit", Excess.TEXTS),
    # text-embeddings-inference, which many custom endpoints run
    (r"maximum allowed batch size", Excess.TEXTS),
    # Cohere, Gemini, the local endpoint
    (r"at most \d+ (?:elements|inputs|instances|items|requests|texts)", Excess.TEXTS),
    # OpenAI
    (r"array too long", Excess.TEXTS),
    # Mistral
    (r"too many (?:inputs|texts)", Excess.TEXTS),
    # OpenAI and vLLM: of one text
    (r"maximum (?:context|input) length", Excess.SIZE),
    # OpenAI, of all texts together
    (r"max \d+ tokens per request", Excess.SIZE),
    # text-embeddings-inference
    (r"must have less than \d+ tokens", Excess.SIZE),
    # Bedrock, Cohere, Mistral
    (r"too many (?:input )?tokens", Excess.SIZE),
    # Gemini, Voyage
    (r"max(?:imum)? (?:allowed |number of )?tokens", Excess.SIZE),
    # Gemini, llama.cpp
    (r"tokens?\b.{0,60}\bexceed|\bexceed\w*\b.{0,60}\btokens?\b", Excess.SIZE),
    # Bedrock, llama.cpp
    (r"(?:input|prompt|text) (?:\(.{1,40}\) )?is too (?:large|long)", Excess.SIZE),
    # gateways
    (r"(?:body|entity|payload|request)(?: size)? (?:is )?too large", Excess.SIZE),
)
_PATTERNS: Final = tuple((re.compile(text, re.IGNORECASE), kind) for text, kind in _WORDINGS)


def excess_of(error: ServingError) -> Excess | None:
    """Return what an error says there is too much of; None where it says nothing of the kind."""
    if not isinstance(error, APIStatusError):
        return None
    said = next((kind for pattern, kind in _PATTERNS if pattern.search(error.message)), None)
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return said or Excess.SIZE
    return said if error.status_code in _STATUSES else None
