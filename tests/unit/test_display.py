"""How replies show themselves in notebooks and by rich."""

import io

import pytest
import wire
from rich.console import Console

from databricks_serving.models import (
    ChatCompletion,
    Completion,
    EmbeddingResponse,
    ReplyMeta,
    ServingEndpoint,
)

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
THOUGHT = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "It is\nlong."}]}


def chat(content="The *Po*.", usage=None, **message):
    return ChatCompletion.from_dict(wire.chat(content, **message) | {"usage": usage})


def test_an_answer_is_shown_as_it_was_written():
    reply = chat(usage={"total_tokens": 15})
    reply.meta = ReplyMeta(200, {"served-model-name": "v_2"})
    assert reply._repr_markdown_() == "The *Po*.\n\n*stop · v\\_2 · 15 tokens*"


def test_reasoning_stands_above_the_answer():
    reply = chat([THOUGHT, {"type": "text", "text": "The Po."}])
    assert reply._repr_markdown_().startswith("> It is\n> long.\n\nThe Po.\n\n*stop*")


def test_tool_calls_are_shown_as_code_that_cannot_end_early():
    wild = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '"```"'}}
    shown = chat(None, tool_calls=[CALL, wild], finish_reason="tool_calls")._repr_markdown_()
    assert '```python\nf({"a": 1})\n```' in shown
    assert '````python\nf("```")\n````' in shown


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (chat(None, finish_reason="length"), "*no text (finish reason: length)*\n\n*length*"),
        (chat(None, refusal="No <b>way</b>"), "**Refused:** No \\<b\\>way\\</b\\>\n\n*stop*"),
        (ChatCompletion.from_dict({"choices": []}), ""),
    ],
)
def test_what_has_no_text_says_why(reply, shown):
    assert reply._repr_markdown_() == shown


def test_several_answers_are_told_apart():
    data = wire.chat("a")
    data["choices"] += wire.chat("b")["choices"]
    assert "a\n\n---\n\nb" in ChatCompletion.from_dict(data)._repr_markdown_()


def test_a_completion_is_shown():
    assert Completion.from_dict(wire.completion(" wet"))._repr_markdown_() == " wet\n\n*stop*"


def test_vectors_are_shown_in_short():
    vectors = [[0.5] * 1000] * 7
    shown = EmbeddingResponse.from_dict(wire.embeddings(*vectors))._repr_markdown_()
    assert "| 0 | 1000 | 0.5, 0.5, 0.5, 0.5, ... |" in shown
    assert shown.endswith("*7 vectors*")
    assert len(shown) < 400


def test_an_endpoint_is_shown():
    data = {
        "name": "m",
        "state": {"ready": "READY"},
        "config": {
            "served_entities": [
                {"name": "v", "entity_name": "a|b", "state": {"deployment": "DEPLOYMENT_READY"}}
            ]
        },
    }
    shown = ServingEndpoint.from_dict(data)._repr_markdown_()
    assert "| v | a\\|b | DEPLOYMENT\\_READY |" in shown
    assert shown.endswith("*m · custom model · ready*")


def test_rich_renders_the_answer():
    out = io.StringIO()
    Console(file=out, width=60).print(chat("# Rivers\n\nThe **Po**."))
    assert "Rivers" in out.getvalue()
    assert "The Po." in out.getvalue()
    assert "ChatCompletion(" not in out.getvalue()
