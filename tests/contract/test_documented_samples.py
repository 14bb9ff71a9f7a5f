"""The JSON samples of documents that lie beside the checkout."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from contract import REPLY, REQUEST, violations
from expected import exact
from recordings import ROOT

from databricks_serving.models import (
    ChatCompletion,
    ChatRequest,
    Completion,
    CompletionRequest,
    EmbeddingRequest,
    EmbeddingResponse,
)

SOURCES = ROOT.parent / "shared" / "sources"
pytestmark = pytest.mark.skipif(
    not SOURCES.is_dir(), reason=f"no folder {SOURCES.relative_to(ROOT.parent)} beside the checkout"
)


def samples() -> Iterator[dict[str, Any]]:
    """Yield every JSON object that stands in the documents as a request or a reply."""
    decoder = json.JSONDecoder()
    for path in sorted(SOURCES.glob("*.txt")):
        text = path.read_text()
        position = text.find("{")
        while position >= 0:
            try:
                value, end = decoder.raw_decode(text, position)
            except json.JSONDecodeError:
                end = position + 1
            else:
                if value.keys() & {"choices", "data", "messages", "prompt", "input"}:
                    yield value
            position = text.find("{", end)


def model_of(sample: dict[str, Any]) -> type:
    if "choices" in sample:
        return Completion if "text" in sample["choices"][0] else ChatCompletion
    kinds = {
        "data": EmbeddingResponse,
        "messages": ChatRequest,
        "prompt": CompletionRequest,
        "input": EmbeddingRequest,
    }
    return next(kind for key, kind in kinds.items() if key in sample)


def test_the_documents_hold_samples_of_every_task():
    kinds = {model_of(sample) for sample in samples()}
    assert {ChatCompletion, Completion, EmbeddingResponse, ChatRequest} <= kinds


def test_a_documented_sample_fits_the_contract_and_loses_nothing():
    for sample in samples():
        is_reply = "choices" in sample or "data" in sample
        assert violations(REPLY if is_reply else REQUEST, sample) == []
        assert exact(model_of(sample).from_dict(sample).to_dict()) == exact(sample)
