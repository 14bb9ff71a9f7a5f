import base64
import math
import operator
import struct
import uuid

import pytest


@pytest.fixture
def embed(call):
    def ask(texts, **fields):
        answer = call("local-embedding", {"input": texts, **fields})
        assert answer.status == 200, answer.body
        return answer.json

    return ask


def vectors(reply):
    return [entry["embedding"] for entry in reply["data"]]


def similarity(one, other):
    return sum(map(operator.mul, one, other))


def test_a_reply_has_the_shape_of_an_embedding_list(embed):
    reply = embed(["one text", "another"])
    assert reply["object"] == "list"
    assert reply["model"] == "deterministic-echo"
    assert uuid.UUID(reply["id"])
    assert reply["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert [entry["index"] for entry in reply["data"]] == [0, 1]
    assert {entry["object"] for entry in reply["data"]} == {"embedding"}


def test_one_text_and_a_list_of_it_are_the_same(embed):
    assert vectors(embed("one text")) == vectors(embed(["one text"]))


@pytest.mark.parametrize("text", ["one text", "", "!?", "\ud800", "日本語", "a" * 10_000])
@pytest.mark.parametrize("size", [None, 1, 3, 1024])
def test_every_vector_has_length_1_and_the_size_asked_for(embed, text, size):
    (vector,) = vectors(embed(text, dimensions=size))
    assert len(vector) == (size or 64)
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-6)


def test_base64_holds_the_same_numbers(embed):
    (vector,) = vectors(embed("some words"))
    (text,) = vectors(embed("some words", encoding_format="base64"))
    assert list(struct.unpack("<64f", base64.b64decode(text))) == vector
    assert vectors(embed("some words", encoding_format="float")) == [vector]


def test_texts_that_share_words_are_near_each_other(embed):
    question, answer, other = vectors(
        embed(
            [
                "Where is the capital of France?",
                "The capital of France is Paris.",
                "Boil two eggs.",
            ],
            dimensions=256,
        )
    )
    assert similarity(question, answer) > 0.5 > similarity(question, other) + 0.2


def test_case_does_not_matter_and_an_instruction_does(embed):
    assert vectors(embed("Some Words")) == vectors(embed("some words"))
    assert vectors(embed("query: a")) == vectors(embed("a", instruction="query:"))
    assert vectors(embed("a")) != vectors(embed("a", instruction="query:"))


def test_embeddings_do_not_stream(call):
    answer = call("local-embedding", {"input": "a", "stream": True})
    assert answer.status == 400
    assert 'unknown field "stream"' in answer.json["message"]
