"""Embeddings by wordllama, and what is said where it is not installed."""

import base64
import math
import struct
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from databricks_serving import ServingClient
from databricks_serving.errors import BadRequestError
from databricks_serving.local import LocalEndpoint, ModelUnavailableError
from databricks_serving.local import install as installing
from databricks_serving.local.backends.wordllama import WordLlamaEmbeddings

TEXTS = ["a dog", "a puppy", "income tax"]


class Vectors:
    """Stands for the library: each row begins with what is asked for."""

    def embed(self, texts, *, norm):
        assert not norm
        row = [float(len(texts[0])), 3.0] + [1.0] * 254
        return [SimpleNamespace(tolist=lambda: row)]


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    asked = []

    def load(**options):
        asked.append(options)
        return Vectors()

    package = SimpleNamespace(
        __file__=str(tmp_path / "__init__.py"), WordLlama=SimpleNamespace(load=load)
    )
    monkeypatch.setitem(sys.modules, "wordllama", package)
    return asked


@pytest.fixture
def client(stand_in):
    assert stand_in == []
    with (
        LocalEndpoint(embeddings="wordllama") as local,
        ServingClient(local.host, local.token) as client,
    ):
        yield client


def test_vectors_have_the_length_1_and_as_many_numbers_as_asked_for(client, stand_in, tmp_path):
    assert stand_in == [{"cache_dir": tmp_path, "disable_download": True}]
    for size in (None, 256, 2, 1):
        reply = client.embeddings.create(
            model="local-embedding", input=["abc", ""], dimensions=size
        )
        first, empty = reply.vectors
        assert reply.model == "wordllama-l2-supercat-256"
        assert len(first) == len(empty) == (size or 256)
        assert math.hypot(*first) == pytest.approx(1)
        assert list(empty) == [1.0] + [0.0] * (len(empty) - 1)
    pair = client.embeddings.create(model="local-embedding", input="abc", dimensions=2).vectors[0]
    assert list(pair) == pytest.approx([0.5**0.5, 0.5**0.5])


def test_more_numbers_than_there_are_is_refused(client):
    with pytest.raises(BadRequestError, match='"dimensions" must be at most 256'):
        client.embeddings.create(model="local-embedding", input="a", dimensions=257)


def test_other_tasks_are_answered_as_ever(client):
    user = {"role": "user", "content": "Hello"}
    reply = client.chat.completions.create(model="local-chat", messages=[user])
    assert reply.text == "You said: Hello"
    with client.chat.completions.stream(model="local-chat", messages=[user]) as stream:
        assert "".join(stream.text_stream) == reply.text


def test_base64_is_given_as_by_the_rule(stand_in, caller):
    assert stand_in == []
    with LocalEndpoint(embeddings="wordllama") as local:
        given = {"input": "abc", "dimensions": 2, "encoding_format": "base64"}
        answer = caller(local)("local-embedding", given).json
    packed = base64.b64decode(answer["data"][0]["embedding"])
    assert struct.unpack("<2f", packed) == pytest.approx([0.5**0.5, 0.5**0.5])
    assert answer["usage"] == {"prompt_tokens": 1, "total_tokens": 1}


def test_a_missing_library_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "wordllama", None)
    with pytest.raises(ModelUnavailableError, match="local install --embeddings"):
        LocalEndpoint(embeddings="wordllama").start()


def test_embeddings_do_not_stream():
    with pytest.raises(Exception, match="do not stream"):
        WordLlamaEmbeddings().events("llm/v1/embeddings", {})


def test_an_unknown_kind_is_refused_at_once():
    with pytest.raises(ValueError, match="lexical, wordllama"):
        LocalEndpoint(embeddings="bert")


@pytest.mark.parametrize("embeddings", [False, True])
def test_the_command_installs_the_one_or_the_other(monkeypatch, capsys, embeddings):
    ran = []

    def run(command, *, check):
        ran.append(command)
        return SimpleNamespace(returncode=check + 3)

    monkeypatch.setattr(installing.subprocess, "run", run)
    assert installing.install(embeddings=embeddings) == 3
    assert ("wordllama>=0.4.0" in ran[0]) is embeddings
    assert ("--no-deps" in ran[0]) is not embeddings
    assert capsys.readouterr().out.startswith(
        "Installing wordllama" if embeddings else "Installing llama.cpp"
    )


@pytest.mark.skipif(
    find_spec("wordllama") is None,
    reason="needs what `databricks-serving local install --embeddings` installs",
)
def test_the_real_ones_know_what_words_mean():
    with (
        LocalEndpoint(embeddings="wordllama") as local,
        ServingClient(local.host, local.token) as client,
    ):
        dog, puppy, tax = client.embeddings.create(model="local-embedding", input=TEXTS).vectors
    near = sum(one * other for one, other in zip(dog, puppy, strict=True))
    far = sum(one * other for one, other in zip(dog, tax, strict=True))
    assert near > 0.4
    assert far < 0.2
